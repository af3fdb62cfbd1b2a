#include "http/negotiate.hpp"

#include <algorithm>

namespace crema::http {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "0.5" → 0.5; anything unreadable is 1, as if it had not been said.
double quality(std::string_view text) noexcept {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 1;
  double q = text[0] - '0';
  double digit = 0.1;
  for (std::size_t i = 2; i < std::min<std::size_t>(text.size(), 5) && text[i] >= '0' && text[i] <= '9'; ++i, digit /= 10)
    q += digit * (text[i] - '0');
  return std::min(q, 1.0);
}

struct media_range {
  std::string_view type, subtype;
  double q = 1;
};

media_range parse_range(std::string_view text) {
  auto [name, q] = parse_weighted(text);
  const auto type = take(name, '/');
  return {type, name, q};
}

int specificity_of(const media_range& range, std::string_view type, std::string_view subtype) {
  if (range.type == "*" && range.subtype == "*") return 1;
  if (!equal_ignoring_case(range.type, type)) return 0;
  if (range.subtype == "*") return 2;
  return equal_ignoring_case(range.subtype, subtype) ? 3 : 0;
}

}  // namespace

std::string_view trimmed(std::string_view s) noexcept {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::string_view take(std::string_view& rest, char separator) noexcept {
  std::size_t at = 0;
  for (bool quoted = false; at < rest.size() && (quoted || rest[at] != separator); ++at) {
    if (rest[at] == '"') quoted = !quoted;
    if (quoted && rest[at] == '\\' && at + 1 < rest.size()) ++at;
  }
  const auto part = rest.substr(0, at);
  rest = at == rest.size() ? std::string_view{} : rest.substr(at + 1);
  return trimmed(part);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

weighted parse_weighted(std::string_view member) {
  weighted found;
  found.name = take(member, ';');
  while (!member.empty()) {
    auto parameter = take(member, ';');
    if (equal_ignoring_case(take(parameter, '='), "q")) found.q = quality(trimmed(parameter));
  }
  return found;
}

preference preference_for(std::string_view accept, std::string_view type, std::string_view subtype) {
  if (trimmed(accept).empty()) return {1, 1, 0};
  preference best;
  for (int order = 0; !accept.empty(); ++order) {
    const auto range = parse_range(take(accept, ','));
    const int specificity = specificity_of(range, type, subtype);
    if (specificity > best.specificity) best = {range.q, specificity, order};
  }
  return best;
}

bool prefers_plain_json(std::string_view accept) {
  if (accept.empty() || accept == "*/*") return false;  // by far the most frequent
  const auto json = preference_for(accept, "application", "json");
  const auto hal = preference_for(accept, "application", "hal+json");
  if (json.q <= 0) return false;  // also where neither is acceptable: there is no 406
  if (json.q != hal.q) return json.q > hal.q;
  return json.specificity == 3 && (hal.specificity != 3 || json.order < hal.order);
}

bool prefers_event_stream(std::string_view accept) {
  const auto sse = preference_for(accept, "text", "event-stream");
  if (sse.specificity < 3 || sse.q <= 0) return false;
  const auto lines = preference_for(accept, "application", "x-ndjson");
  return lines.specificity < 3 || sse.q > lines.q || (sse.q == lines.q && sse.order < lines.order);
}

bool is_json_patch(std::string_view content_type) { return equal_ignoring_case(take(content_type, ';'), "application/json-patch+json"); }

bool is_json(std::string_view content_type) {
  if (is_json_patch(content_type)) return false;
  auto name = take(content_type, ';');
  const auto type = take(name, '/');
  const bool json = equal_ignoring_case(type, "application") &&
                    (equal_ignoring_case(name, "json") || (name.size() > 5 && equal_ignoring_case(name.substr(name.size() - 5), "+json")));
  if (!json) return false;
  while (!content_type.empty()) {
    auto parameter = take(content_type, ';');
    if (!equal_ignoring_case(take(parameter, '='), "charset")) continue;
    auto charset = trimmed(parameter);
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"') charset = charset.substr(1, charset.size() - 2);
    if (!equal_ignoring_case(charset, "utf-8") && !equal_ignoring_case(charset, "us-ascii")) return false;
  }
  return true;
}

}  // namespace crema::http
