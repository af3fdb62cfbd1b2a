// The one place that turns rejections and protocol errors into HTTP: RFC 9457 plus the fields of the original services.
// Each kind has a page under /problems/<slug>, and docs/errors/README.md is the same table (a test holds it to that). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "behaviors/core/result.hpp"
#include "http/message.hpp"

namespace crema::http {

/// Positions in the table of problem.cpp.
enum class problem_code : std::uint8_t {
  bad_request,
  malformed_body,
  bad_parameter,
  unauthorized,
  forbidden,
  not_found,
  method_not_allowed,
  request_timeout,
  conflict,
  place_lost,
  stale,
  body_too_large,
  uri_too_long,
  unsupported_media_type,
  expectation_failed,
  invalid_field,
  idempotency_key_reused,
  too_many_requests,
  headers_too_large,
  internal,
  partner_failed,
  not_implemented,
  overloaded,
  stopped,
  outcome_unknown,
  timed_out
};

struct problem_kind {
  std::string_view slug;
  unsigned status;
  std::string_view title;
  std::string_view meaning;     ///< what happened
  std::string_view what_to_do;  ///< for the caller, then for the operator
};
std::span<const problem_kind> problem_kinds() noexcept;
const problem_kind& kind_of(problem_code code) noexcept;
const problem_kind* find_problem(std::string_view slug) noexcept;

struct problem {
  problem_code code = problem_code::internal;
  std::string detail;  ///< one sentence; never a path of ours, never another customer's data
  std::string field = {};
  std::int64_t retry_after_ms = 0;  ///< 0: no Retry-After
  std::string headers = {};         ///< further header lines
  bool close = false;
};

problem to_problem(const rejection& why);
/// A condition that is no list of entity tags; `name`: of its header.
problem unreadable_tags(std::string_view name);
response render(const problem& p, const request& r);
inline response render(const rejection& why, const request& r) { return render(to_problem(why), r); }

/// GET /problems/<slug>.
std::string explanation(const problem_kind& kind);
/// docs/errors/README.md.
std::string problem_handbook();

}  // namespace crema::http
