#include "http/forwarded.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "http/negotiate.hpp"

namespace crema::http {

namespace {

bool is_alnum(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_port(std::string_view text) noexcept {
  unsigned port = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  return parsed.ec == std::errc{} && parsed.ptr == end && port >= 1 && port <= 65535;
}

// Where the port begins (its colon), or the size.
std::size_t end_of_host(std::string_view authority) noexcept {
  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return colon == std::string_view::npos ? authority.size() : colon;
}

std::string_view first_of_list(std::string_view text) noexcept { return trimmed(text.substr(0, text.find(','))); }

// "/api/v1" → itself; what is not a plain path is dropped, since it would end up inside links.
std::string_view usable_prefix(std::string_view text) noexcept {
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  if (text.empty() || text.front() != '/' || text.starts_with("//")) return {};
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '/' || c == '-' || c == '_' || c == '.' || c == '~'; });
  return plain ? text : std::string_view{};
}

// `for=`, `proto=` and `host=` of one proxy; without quotes, the address without its port.
struct forwarded_element {
  std::string_view by_whom, proto, host;
};

std::string_view unquoted(std::string_view text) noexcept {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

// "[2001:db8::1]:4711", "192.0.2.1:80" → the address.
std::string_view address_of_node(std::string_view node) noexcept {
  if (node.starts_with('[')) return node.substr(1, std::min(node.find(']'), node.size()) - 1);
  return node.substr(0, node.find(':'));
}

forwarded_element parse_element(std::string_view text) {
  forwarded_element e;
  while (!text.empty()) {
    auto pair = take(text, ';');
    const auto name = take(pair, '=');
    const auto value = unquoted(trimmed(pair));
    if (equal_ignoring_case(name, "for")) e.by_whom = address_of_node(value);
    if (equal_ignoring_case(name, "proto")) e.proto = value;
    if (equal_ignoring_case(name, "host")) e.host = value;
  }
  return e;
}

bool is_default_port(std::string_view scheme, std::string_view port) noexcept { return port == (scheme == "https" ? "443" : "80"); }

}  // namespace

std::optional<address_bytes> parse_address(std::string_view text) {
  const std::string zero_ended(text);
  address_bytes bytes{};
  if (inet_pton(AF_INET6, zero_ended.c_str(), bytes.data()) == 1) return bytes;
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, zero_ended.c_str(), v4.data()) != 1) return std::nullopt;
  bytes[10] = bytes[11] = 0xff;
  std::copy(v4.begin(), v4.end(), bytes.begin() + 12);
  return bytes;
}

address_list::address_list(const std::vector<std::string>& entries) {
  for (const auto& entry : entries) {
    const auto slash = entry.find('/');
    const auto base = parse_address(std::string_view(entry).substr(0, slash));
    if (!base) throw std::invalid_argument("'" + entry + "' is not an address or a CIDR block");
    const bool v4 = entry.find(':') == std::string::npos;
    int bits = v4 ? 32 : 128;
    if (slash != std::string::npos) {
      const int most = bits;
      const auto end = entry.data() + entry.size();
      const auto parsed = std::from_chars(entry.data() + slash + 1, end, bits);
      if (parsed.ec != std::errc{} || parsed.ptr != end || bits < 0 || bits > most)
        throw std::invalid_argument("'" + entry + "' is not an address or a CIDR block");
    }
    blocks_.push_back({*base, v4 ? bits + 96 : bits});
  }
}

bool address_list::contains(std::string_view text) const {
  if (blocks_.empty()) return false;
  const auto address = parse_address(text);
  if (!address) return false;
  return std::any_of(blocks_.begin(), blocks_.end(), [&](const block& b) {
    const auto whole = static_cast<std::size_t>(b.bits / 8);
    if (std::memcmp(b.base.data(), address->data(), whole) != 0) return false;
    const int rest = b.bits % 8;
    return rest == 0 || ((b.base[whole] ^ (*address)[whole]) >> (8 - rest)) == 0;
  });
}

bool is_authority(std::string_view text) noexcept {
  if (text.empty() || text.size() > 261) return false;
  const auto host_end = end_of_host(text);
  const auto host = text.substr(0, host_end);
  if (host_end < text.size() && !is_port(text.substr(host_end + 1))) return false;
  if (host.starts_with('[')) {
    return host.size() > 3 && host.back() == ']' && std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
             return (is_alnum(c) && (c <= '9' || (c | 0x20) <= 'f')) || c == ':' || c == '.';
           });
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; });
}

std::string_view forwarded_prefix(const request& r) noexcept {
  return r.trusted_peer ? usable_prefix(first_of_list(r.x_forwarded_prefix)) : std::string_view{};
}

void read_forwarded(request& r, const address_list& trusted) {
  const bool has_others =
      !r.x_forwarded_for.empty() || !r.x_forwarded_proto.empty() || !r.x_forwarded_host.empty() || !r.x_forwarded_port.empty();
  if (r.forwarded.empty() || has_others) return;
  std::vector<forwarded_element> elements;
  for (std::string_view rest = r.forwarded; !rest.empty();)
    if (const auto element = take(rest, ','); !element.empty()) elements.push_back(parse_element(element));
  // Never empty: that somebody speaks for others is known, whoever they are.
  r.x_forwarded_for = "unknown";
  for (auto at = elements.rbegin(); at != elements.rend(); ++at) {  // from the right: what stands further left may be the client's own
    r.x_forwarded_proto = at->proto;
    r.x_forwarded_host = at->host;
    if (!parse_address(at->by_whom)) break;
    r.x_forwarded_for = at->by_whom;
    if (!trusted.contains(at->by_whom)) break;
  }
}

std::string base_url(const request& r, std::string_view own_prefix) {
  std::string_view scheme = "http";
  std::string_view authority = is_authority(r.host) ? std::string_view(r.host) : std::string_view(r.local_authority);
  std::string_view port;
  if (r.trusted_peer) {
    if (equal_ignoring_case(first_of_list(r.x_forwarded_proto), "https")) scheme = "https";
    if (const auto host = first_of_list(r.x_forwarded_host); is_authority(host)) authority = host;
    if (const auto p = first_of_list(r.x_forwarded_port); is_port(p)) port = p;
  }
  const auto prefix = forwarded_prefix(r);
  std::string url;
  url.reserve(96);
  url.append(scheme).append("://");
  if (port.empty()) {
    url.append(authority);
  } else {
    url.append(authority.substr(0, end_of_host(authority)));
    if (!is_default_port(scheme, port)) url.append(":").append(port);
  }
  return url.append(prefix).append(own_prefix);
}

server_address address_of(const request& r) {
  const auto url = base_url(r, {});
  const auto scheme_end = url.find("://");
  const auto authority = std::string_view(url).substr(scheme_end + 3, url.find('/', scheme_end + 3) - scheme_end - 3);
  const auto host_end = end_of_host(authority);
  server_address a{url.substr(0, scheme_end), std::string(authority.substr(0, host_end)), 0};
  if (a.host.starts_with('[') && a.host.ends_with(']')) a.host = a.host.substr(1, a.host.size() - 2);
  const auto port = authority.substr(std::min(host_end + 1, authority.size()));
  if (std::from_chars(port.data(), port.data() + port.size(), a.port).ec != std::errc{}) a.port = a.scheme == "https" ? 443 : 80;
  return a;
}

std::string_view client_address(const request& r, const address_list& trusted) {
  if (!r.trusted_peer) return r.remote_address;
  std::string_view rest = r.x_forwarded_for;
  std::string_view client = r.remote_address;
  while (!rest.empty()) {  // from the right: what stands further left was written by the client
    const auto comma = rest.rfind(',');
    const auto entry = trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
    if (entry.empty() && comma != std::string_view::npos) {
      rest = rest.substr(0, comma);
      continue;
    }
    if (!parse_address(entry)) break;
    client = entry;
    if (comma == std::string_view::npos || !trusted.contains(entry)) break;
    rest = rest.substr(0, comma);
  }
  return client;
}

}  // namespace crema::http
