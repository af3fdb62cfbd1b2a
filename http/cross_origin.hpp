// Cross-origin resource sharing: which web pages of other origins may read this server's answers. Off where no origin is listed. Pure.
#pragma once

#include <optional>
#include <string>

#include "http/message.hpp"
#include "http/settings.hpp"

namespace crema::http {

class cross_origin {
 public:
  /// The settings outlive it.
  explicit cross_origin(const server_settings& settings);

  /// What a browser asks before it sends a page's request: 204 for a page that may, nothing for any other request. It comes without
  /// credentials, so it is answered before anything asks for some; whether the path takes the method is told by the request itself.
  std::optional<response> preflight(const request& r) const;
  /// Appends the lines that belong to every answer.
  void append_lines(std::string& head, const request& r) const;

 private:
  bool allows(std::string_view origin) const noexcept;

  const server_settings& settings_;
  bool any_;
};

}  // namespace crema::http
