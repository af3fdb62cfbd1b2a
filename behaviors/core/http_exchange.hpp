// An HTTP exchange as spans tell of it: a request that was answered here, or one that was sent from here. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crema {

struct http_exchange {
  std::string method;      ///< "POST"
  unsigned status = 0;     ///< of the answer; 0: there was none
  unsigned version = 11;   ///< 10 or 11
  std::string_view error;  ///< in a word, why there was no answer: "timeout"; a constant

  // Answered here.
  std::string scheme, host, path, query, client, user_agent;
  std::uint16_t port = 0;
  std::string_view route;  ///< the template; empty where none matched. Lives as long as the server

  // Sent from here.
  std::string url;
};

}  // namespace crema
