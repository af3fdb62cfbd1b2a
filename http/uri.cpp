#include "http/uri.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <cstdint>

namespace crema::http {

const std::string* uri::parameter(std::string_view name) const noexcept {
  const auto at = std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return p.first == name; });
  return at == parameters.end() ? nullptr : &at->second;
}

std::optional<uri> parse_target(std::string_view target) {
  const boost::core::string_view text(target.data(), target.size());
  const auto parsed = boost::urls::parse_origin_form(text);
  if (!parsed) return std::nullopt;
  uri result;
  for (const auto segment : parsed->segments()) result.segments.emplace_back(segment);
  if (!result.segments.empty() && result.segments.back().empty()) result.segments.pop_back();
  if (parsed->has_query()) {
    const auto query = parsed->encoded_query();
    result.query.assign(query.data(), query.size());
    for (const auto parameter : parsed->params()) result.parameters.emplace_back(parameter.key, parameter.value);
  }
  return result;
}

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t n = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, n);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end || n > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return n;
}

std::optional<std::uint64_t> parse_id(std::string_view text) noexcept {
  if (text.empty() || text.front() == '0') return std::nullopt;
  return parse_number(text);
}

}  // namespace crema::http
