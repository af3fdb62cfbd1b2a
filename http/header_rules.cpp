#include "http/header_rules.hpp"

#include <algorithm>

#include "http/forwarded.hpp"
#include "http/negotiate.hpp"

namespace crema::http {

namespace {

problem bad(std::string detail) { return {problem_code::bad_request, std::move(detail)}; }

std::optional<problem> check_framing(const request& r, bool chunked) {
  if (!r.has_transfer_encoding) return std::nullopt;
  if (r.version < 11) return bad("Transfer-Encoding: HTTP/1.0 does not know it.");
  std::string_view rest = r.transfer_encoding;
  unsigned codings = 0;
  while (!rest.empty()) {
    const auto coding = take(rest, ',');
    if (coding.empty()) continue;
    ++codings;
    if (!equal_ignoring_case(coding, "chunked")) return problem{problem_code::not_implemented, "Transfer-Encoding: only chunked is known."};
  }
  if (codings != 1 || !chunked) return bad("Transfer-Encoding: chunked is expected, once.");
  return std::nullopt;
}

// Wider than is_authority(): a name that is allowed but cannot stand in a link is not refused, only not used.
bool could_be_host(std::string_view text) noexcept {
  constexpr std::string_view never = "\"<>\\^`{|}/?#@";
  return std::all_of(text.begin(), text.end(), [&](char c) { return c > 0x20 && c < 0x7f && never.find(c) == std::string_view::npos; });
}

std::optional<problem> check_host(const request& r) {
  if (r.host_count > 1) return bad("There is more than one Host.");
  if (r.host_count == 0 && r.version >= 11) return bad("There is no Host, which HTTP/1.1 asks for.");
  if (!r.host.empty() && !is_authority(r.host) && !could_be_host(r.host)) return bad("Host: a host, with a port or without, is expected.");
  return std::nullopt;
}

// "http://shop.example:81/orders?page=1" → its path and query; the authority goes into `host`.
std::optional<problem> take_authority(request& r) {
  const auto scheme_end = r.target.find("://");
  const auto scheme = std::string_view(r.target).substr(0, scheme_end);
  if (scheme_end == std::string::npos || !(equal_ignoring_case(scheme, "http") || equal_ignoring_case(scheme, "https")))
    return bad("The request target is not a valid one.");
  const auto begin = scheme_end + 3;
  const auto end = std::min(r.target.find_first_of("/?#", begin), r.target.size());
  const auto authority = r.target.substr(begin, end - begin);
  if (!is_authority(authority)) return bad("The request target names no host that can be understood.");
  r.host = authority;
  r.target.erase(0, end);
  if (!r.target.starts_with('/')) r.target.insert(0, 1, '/');
  return std::nullopt;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_unreserved(int c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

// "/%63afe/a%2fb" → "/cafe/a%2Fb" (RFC 3986, 6.2.2). A bad escape stays, for parse_target() to refuse.
void decode_unreserved(std::string& target) {
  const auto path_end = std::min(target.find('?'), target.size());
  auto at = target.find('%');
  if (at >= path_end) return;
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out = target.substr(0, at);
  while (at < path_end) {
    const int high = target[at] == '%' && at + 2 < path_end ? hex_digit(target[at + 1]) : -1;
    const int low = high >= 0 ? hex_digit(target[at + 2]) : -1;
    if (low < 0) {
      out += target[at++];
      continue;
    }
    const int c = high * 16 + low;
    if (is_unreserved(c))
      out += static_cast<char>(c);
    else
      (out += '%', out += hex[static_cast<std::size_t>(high)], out += hex[static_cast<std::size_t>(low)]);
    at += 3;
  }
  target.replace(0, path_end, out);
}

}  // namespace

std::optional<problem> check_header(request& r, bool chunked) {
  if (auto p = check_framing(r, chunked)) return p;
  if (auto p = check_host(r)) return p;
  if (r.target == "*" && r.verb == method::options) return std::nullopt;
  if (!r.target.starts_with('/'))
    if (auto p = take_authority(r)) return p;
  decode_unreserved(r.target);
  return std::nullopt;
}

}  // namespace crema::http
