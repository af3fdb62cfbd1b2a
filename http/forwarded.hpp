// Who the client is and under which address it knows us: Host, X-Forwarded-*, Forwarded (RFC 7239) and the proxies that may send them.
//
// X-Forwarded-For, -Proto, -Host and -Port go before Forwarded: where one of them was sent, Forwarded is not read. Most proxies set the
// former and pass on whatever Forwarded a client made up. X-Forwarded-Prefix, which Forwarded has nothing for, counts beside both. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace crema::http {

/// An IPv4 or IPv6 address as 16 bytes (IPv4 mapped, so that ::ffff:10.0.0.1 and 10.0.0.1 are one).
using address_bytes = std::array<std::uint8_t, 16>;
std::optional<address_bytes> parse_address(std::string_view text);

/// Addresses and CIDR blocks.
class address_list {
 public:
  /// Throws std::invalid_argument naming the entry that is neither.
  explicit address_list(const std::vector<std::string>& entries);
  bool contains(std::string_view address) const;

 private:
  struct block {
    address_bytes base;
    int bits;
  };
  std::vector<block> blocks_;
};

/// A host, with a port or without: "shop.example:8080", "[::1]:8080". Refuses whatever could not be one.
bool is_authority(std::string_view text) noexcept;

/// "https://shop.example/api": what absolute links begin with. `own_prefix` as in the settings.
std::string base_url(const request& r, std::string_view own_prefix);

/// The path that the proxy in front takes off ("/shop"), or "".
std::string_view forwarded_prefix(const request& r) noexcept;

/// Writes what Forwarded says into the fields of X-Forwarded-*, where none of these was sent: of its elements the one that the outermost
/// of the trusted proxies added. Once a request, before anything reads them.
void read_forwarded(request& r, const address_list& trusted);

/// Under which a client asked for us, in parts.
struct server_address {
  std::string scheme, host;  ///< an IPv6 address without brackets
  std::uint16_t port = 0;
};
server_address address_of(const request& r);

/// The peer, or, behind trusted proxies, the last address in X-Forwarded-For that is not one of them.
std::string_view client_address(const request& r, const address_list& trusted);

}  // namespace crema::http
