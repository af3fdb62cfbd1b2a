#include "http/representation.hpp"

#include <algorithm>

#include "http/etag.hpp"
#include "http/problem.hpp"

namespace crema::http {

namespace {

bool begins_with_any(std::string_view path, std::initializer_list<std::string_view> beginnings) noexcept {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](std::string_view b) { return path.starts_with(b); });
}

keeping rule_for(std::string_view path, const std::string& varies) {
  if (path == "unmatched" || begins_with_any(path, {"/actuator/", "/isHealthy", "/makeZombie"})) return {};
  const bool document = path == "/openapi.json" || begins_with_any(path, {"/problems", "/profile/"});
  keeping rule{true, document ? "Cache-Control: no-cache\r\n" : "Cache-Control: private, no-cache\r\n"};
  const auto vary = (document ? "" : "Accept") + std::string(document || varies.empty() ? "" : ", ") + varies;
  if (!vary.empty()) rule.lines.append("Vary: ").append(vary).append("\r\n");
  return rule;
}

std::string_view without_prefix(std::string_view path, const std::vector<std::string>& prefixes) noexcept {
  for (const auto& p : prefixes)
    if (!p.empty() && path.starts_with(p) && path.size() > p.size() && path[p.size()] == '/') return path.substr(p.size());
  return path;
}

void refuse_if_other(response& r, const request& q) {
  const auto wanted = parse_tags(q.if_match);
  if (!wanted)
    r = render(unreadable_tags("If-Match"), q);
  else if (!names_state(*wanted, r.tag))
    r = render(problem{problem_code::stale, "The ETag of what is here is \"" + r.tag + "\"."}, q);
}

void shorten_if_known(response& r, const request& q) {
  const auto known = parse_tags(q.if_none_match);  // one that cannot be read is not one: what is here goes out whole
  if (known && names_representation(*known, r.tag)) {
    r.status = 304;
    r.body.clear();
  }
}

}  // namespace

keeping_rules::keeping_rules(const std::vector<std::string>& templates, const std::vector<std::string>& prefixes,
                             const std::string& varies) {
  for (const auto& path : templates) by_route_.push_back(rule_for(without_prefix(path, prefixes), varies));
}

coding coding_for(const response& r, const request& q, std::size_t bytes_min) {
  if (q.accept_encoding.empty() || bytes_min == 0 || r.body.size() < bytes_min) return coding::identity;
  return preferred_coding(q.accept_encoding);
}

void validate(response& r, const request& q, bool kept, coding as) {
  const bool read = is_reading(q.verb) && r.status == 200 && kept;
  if (!read && !r.version) return;
  r.tag = make_tag(r.version, r.content_type, r.body);
  if (as != coding::identity) r.tag.append("-").append(name_of(as));
  if (!read) return;
  if (!q.if_match.empty()) refuse_if_other(r, q);
  if (r.status == 200 && !q.if_none_match.empty()) shorten_if_known(r, q);
}

}  // namespace crema::http
