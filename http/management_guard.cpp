#include "http/management_guard.hpp"

#include "http/negotiate.hpp"

namespace crema::http {

namespace {

// Takes the same time for every wrong token of one length.
bool same_secret(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

bool brings(const request& r, std::string_view token) noexcept {
  constexpr std::size_t scheme = 7;  // "Bearer "
  const std::string_view sent = r.authorization;
  return sent.size() > scheme && equal_ignoring_case(sent.substr(0, scheme), "Bearer ") && same_secret(trimmed(sent.substr(scheme)), token);
}

bool is_loopback_address(std::string_view address) noexcept {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

// Of "localhost:8080", "127.0.0.1" or "[::1]:80". A name that merely begins like an address ("127.0.0.1.example") is none.
bool is_loopback_host(std::string_view authority) noexcept {
  if (authority.starts_with("[::1]")) return authority.size() == 5 || authority[5] == ':';
  const auto name = authority.substr(0, authority.find(':'));
  if (equal_ignoring_case(name, "localhost")) return true;
  return name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string_view::npos;
}

// A proxy on this machine speaks for clients of others.
bool was_forwarded(const request& r) noexcept {
  return !r.forwarded.empty() || !r.x_forwarded_for.empty() || !r.x_forwarded_host.empty() || !r.x_forwarded_proto.empty();
}

bool is_from_foreign_page(const request& r) noexcept {
  if (!r.sec_fetch_site.empty() && r.sec_fetch_site != "same-origin" && r.sec_fetch_site != "none") return true;
  if (r.origin.empty()) return false;
  const auto scheme = r.origin.find("://");
  return scheme == std::string::npos || !equal_ignoring_case(std::string_view(r.origin).substr(scheme + 3), r.host);
}

problem forbidden(std::string_view why) {
  return {problem_code::forbidden,
          "Without http.managementToken only a program on this machine may manage the node, and " + std::string(why) + "."};
}

}  // namespace

void management_guard::set_token(std::string token) {
  auto next = std::make_shared<const std::string>(std::move(token));
  const std::lock_guard lock(mutex_);
  token_.swap(next);
}

std::shared_ptr<const std::string> management_guard::token() const {
  const std::lock_guard lock(mutex_);
  return token_;
}

std::optional<problem> management_guard::refuse(const request& r) const {
  if (const auto required = token(); !required->empty()) {
    if (brings(r, *required)) return std::nullopt;
    problem p{problem_code::unauthorized, "A valid bearer token is needed."};
    p.headers = "WWW-Authenticate: Bearer\r\n";
    return p;
  }
  if (!is_loopback_address(r.remote_address)) return forbidden("this request comes from another one");
  if (was_forwarded(r)) return forbidden("this request was forwarded by a proxy");
  if (!is_loopback_host(r.host)) return forbidden("the Host of this request is not this machine's; use localhost or 127.0.0.1");
  if (is_from_foreign_page(r)) return forbidden("this request comes from a web page of another origin");
  return std::nullopt;
}

std::optional<problem> refuse_form(const request& r) {
  if (r.verb != method::post || is_json(r.content_type)) return std::nullopt;
  return problem{problem_code::unsupported_media_type, "Content-Type: application/json is expected, also without a body."};
}

}  // namespace crema::http
