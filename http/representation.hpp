// What holds for every answer, whoever made it: who may keep it, its entity tag, and the conditions of who asks again. Pure.
//
// Customers' data and links may be kept by their reader only, who asks each time whether they are still right (`private, no-cache`), as
// what is read must never be older than what was written. Documents that hold nobody's data may be kept by anybody, and are asked about
// as well. Answers to commands, problems, health, metrics and whatever else is for operators are kept by nobody.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/compression.hpp"
#include "http/message.hpp"

namespace crema::http {

/// How a route's answers to GET and HEAD may be kept; the same for all of one route.
struct keeping {
  bool kept = false;  ///< else they carry no tag, and conditions on them mean nothing
  std::string lines;  ///< Cache-Control and Vary of what is kept
};
/// By the routes' templates, each with the prefix of its system ("/hotel/rooms/{id}").
class keeping_rules {
 public:
  /// `prefixes`: of the systems; "" where there is one without. `varies`: what all kept answers depend on besides Accept.
  keeping_rules(const std::vector<std::string>& templates, const std::vector<std::string>& prefixes, const std::string& varies);

  const keeping& of(std::size_t route) const noexcept { return by_route_[route]; }

 private:
  std::vector<keeping> by_route_;
};

inline constexpr std::string_view kept_by_nobody = "Cache-Control: no-store\r\n";
/// Of event streams: what is read depends on Accept, and on the moment.
inline constexpr std::string_view stream_lines = "Cache-Control: no-store\r\nVary: Accept\r\n";

/// GET and HEAD.
constexpr bool is_reading(method m) noexcept { return m == method::get || m == method::head; }

/// Gives an answer its entity tag where it shows a version or `kept` holds, and carries out If-Match and If-None-Match of who reads
/// (RFC 9110, 13.2.2): the answer stays, or becomes 304, 412, or 400 where the condition cannot be read.
/// `as`: the coding that the body will be sent in, which is part of its tag.
void validate(response& r, const request& q, bool kept, coding as = coding::identity);

/// The coding for an answer, by its length and Accept-Encoding. `bytes_min` 0: none.
coding coding_for(const response& r, const request& q, std::size_t bytes_min);

}  // namespace crema::http
