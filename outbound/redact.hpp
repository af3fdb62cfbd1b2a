// URLs as they may be shown to others: without what opens doors. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crema::outbound {

/// "a=1&token=REDACTED": the values of parameters that are known to hold secrets are taken out.
std::string redacted_query(std::string_view query);
std::string redacted_url(std::string_view url);

/// Whom an http:// or https:// URL names; an IPv6 address without brackets.
struct url_server {
  std::string host;
  std::uint16_t port = 0;
};
url_server server_of(std::string_view url);

/// "%20" → " "; what is no such code stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace crema::outbound
