// What the commands that speak to a running node need of HTTP (outbound/transfer.hpp carries it out): one request at a time, waited
// for. Not for the node itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "outbound/trust.hpp"

namespace crema::cli {

/// Nobody answers there, or not in time; what() says so to the operator, with what to do.
struct unreachable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct request {
  std::string method = "GET";
  std::string target{};  ///< "/actuator/contexts", already encoded
  std::string body{};    ///< JSON, or empty
  std::string accept = "application/json";
  std::chrono::seconds time_limit{30};  ///< for the whole exchange; 0: none once the connection stands
};

struct answer {
  unsigned status = 0;
  std::string body;
};

/// Told of each header field before the body comes.
using header_handler = std::function<void(std::string_view name, std::string_view value)>;

class http_client {
 public:
  /// `url`: "http://host:port" or https://, also with a path that everything is below. Throws std::invalid_argument for another.
  http_client(std::string url, std::string token);

  /// Throws unreachable.
  answer send(const request& r) const;
  /// As `send`, but hands the body of a success over piece by piece, as it comes. Throws what `on_piece` throws.
  answer stream(const request& r, const std::function<void(std::string_view)>& on_piece, const header_handler& on_header = {}) const;

  const std::string& url() const noexcept { return url_; }

 private:
  std::string url_, token_;
  std::shared_ptr<const outbound::trust> trusted_;
};

/// A part of a path or a query, percent-encoded.
std::string encoded(std::string_view s);

}  // namespace crema::cli
