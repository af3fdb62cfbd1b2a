// One HTTP exchange with somebody's server, as libcurl carries it out. Start here: client.hpp has many under way on one thread,
// cli/http_client.hpp waits for one.
//
// HTTP/1.1; proxies as the usual environment variables say (http_proxy, https_proxy, all_proxy, no_proxy); TLS 1.2 or newer, where the
// certificate is made out to the host and comes from a CA of request::trusted. A redirect is followed where it keeps the method (307,
// 308), redirects_max times at the most, not from https:// to http://, and to another server without request::secret_headers.
// A transfer belongs to one thread at a time.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "outbound/trust.hpp"

namespace crema::outbound {

using std::chrono::milliseconds;

struct request {
  std::string method = "POST";
  std::string url{};
  std::vector<std::string> headers{};         ///< "Name: value"
  std::vector<std::string> secret_headers{};  ///< for this server only
  std::string body{};                         ///< JSON, or empty
  std::shared_ptr<const trust> trusted{};     ///< null: nobody, so no https:// server is believed
  milliseconds connect_limit{5000};
  milliseconds time_limit{5000};            ///< for the whole exchange, from looking up the name; 0: none once it is connected
  std::size_t body_bytes_max = 64U << 10U;  ///< of the answer; beyond it the exchange ends
  bool past_proxies = false;                ///< goes straight to its server, whatever the environment says
  std::function<void(std::string_view name, std::string_view value)> on_header{};  ///< told of each header field of what it answers
};

struct answer {
  unsigned status = 0;       ///< 0: there was none
  std::string trouble{};     ///< why there was none, or why its body is not whole, in a few words
  std::string_view error{};  ///< the same in one word of a few: "timeout"; empty: no trouble
  bool connected = false;
  std::optional<milliseconds> retry_after{};  ///< as the server wishes, in seconds or as a date
  std::string body{};                         ///< where nobody takes it piece by piece
};

/// Takes a piece of the body of an answer with that status.
using piece_taker = std::function<void(unsigned status, std::string_view piece)>;

class transfer {
 public:
  static constexpr int redirects_max = 5;
  static constexpr std::size_t header_bytes_max = 256U << 10U;  ///< of an answer

  /// `on_piece`: else the body is kept in the answer.
  explicit transfer(request r, piece_taker on_piece = nullptr);
  ~transfer();
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  CURL* handle() const noexcept { return easy_; }
  /// What libcurl has done ended with `result`. True: it goes on with what the answer redirects to.
  bool is_redirected(CURLcode result);
  /// Throws what `on_piece` threw.
  answer finish(CURLcode result);

  /// Carries it out and waits for the end.
  static answer run(request r, piece_taker on_piece = nullptr);

 private:
  void prepare();
  void set_headers(bool with_secrets);
  void set_time_limits();
  unsigned status() const;
  std::string trouble_of(CURLcode result) const;
  bool happened(CURLINFO what) const;
  std::string doing() const;
  bool take_piece(std::string_view piece);
  bool tell_of_header(std::string_view line);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t n, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t n, void* self);
  static CURLcode on_tls(CURL* easy, void* ssl_context, void* self);

  request request_;
  const piece_taker on_piece_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  int redirects_ = 0;
  std::size_t header_bytes_ = 0, body_bytes_ = 0;
  bool tls_begun_ = false, header_done_ = false, too_long_ = false;
  std::string body_;
  std::exception_ptr thrown_;
  char error_[CURL_ERROR_SIZE] = {};
};

/// libcurl is prepared once a process: before anything else of it is used. Any thread.
void prepare_library();

/// A setting's name, for messages, and its value.
struct named_text {
  std::string name, value;
};
/// Throws std::invalid_argument with one sentence, which begins with the setting's name, where nothing can be sent to the URL.
void check_url(const named_text& url);
bool is_loopback(const std::string& url);

}  // namespace crema::outbound
