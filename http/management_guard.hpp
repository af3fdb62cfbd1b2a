// Who may manage this node. With a token: whoever sends it. Without one: a program on this machine, and no web page that is open on it.
//
// A browser sends a page's requests to any address, so a peer of this machine alone proves nothing. A page of another origin is told by
// Origin and Sec-Fetch-Site, which no page can leave out or choose; a page whose own name was made to mean this machine (DNS rebinding)
// by Host, which carries that name.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/problem.hpp"

namespace crema::http {

class management_guard {
 public:
  /// An empty token: there is none.
  explicit management_guard(std::string token) : token_(std::make_shared<const std::string>(std::move(token))) {}

  /// Replaces the token: the next request is held to this one. Any thread.
  void set_token(std::string token);

  /// Why this request may not manage; nothing: it may.
  std::optional<problem> refuse(const request& r) const;

 private:
  std::shared_ptr<const std::string> token() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const std::string> token_;
};

/// What acts on a node has to say that it brings JSON, also without a body: no form can, and no page without asking first.
std::optional<problem> refuse_form(const request& r);

}  // namespace crema::http
