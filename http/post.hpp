// One POST to somebody's HTTP server: what the webhook and the exporter of spans have in common. A connection serves one POST: they
// are few, and a kept connection that its server has dropped would look like a failure. https:// is TLS as http/tls.hpp says.
//
// Everything of a POST runs on its io_context's thread. The time-out covers it whole, from looking up the name to the answer's header,
// with the handshake of TLS; an answer's header has at most 8 KiB, and the body is not read.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace crema::http {

struct post_target {
  std::string host, port, authority, path;
  std::shared_ptr<boost::asio::ssl::context> tls;  ///< null: http://
};
/// A setting's name, for messages, and its value.
struct named_text {
  std::string name, value;
};
/// `ca_file` holds CA certificates in PEM that an https:// server's may come from, beside the system's; empty: the system's only.
/// Throws std::invalid_argument with one sentence, which begins with the setting's name, where `url` cannot be posted to, or the file
/// cannot be used.
post_target parse_post_target(const named_text& url, const named_text& ca_file);

using post_request = boost::beast::http::request<boost::beast::http::string_body>;
/// JSON; more headers may be set, then prepare_payload() is to be called.
post_request make_post(const post_target& to, std::string body);

struct post_answer {
  unsigned status = 0;  ///< 0: there was none
  std::string trouble;  ///< why there was none, in a few words; empty where the io_context went before there could be one
  std::chrono::seconds retry_after{0};
};

/// Any thread. `done` is called once, by the io_context's thread or by its destructor. `to` outlives the io_context's work.
void post(boost::asio::io_context& io, const post_target& to, post_request request, std::chrono::milliseconds timeout,
          std::function<void(const post_answer&)> done);

}  // namespace crema::http
