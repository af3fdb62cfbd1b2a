// One POST to somebody's HTTP server: what the webhook and the exporter of spans have in common. A connection serves one POST: they
// are few, and a kept connection that its server has dropped would look like a failure. http:// only: where something leaves the
// machine, a TLS proxy beside the node takes it on.
//
// Everything of a POST runs on its io_context's thread. The time-out covers it whole, from looking up the name to the answer's header;
// that has at most 8 KiB, and the body is not read.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <functional>
#include <string>

namespace crema::http {

struct post_target {
  std::string host, port, authority, path;
};
/// Throws std::invalid_argument with one sentence, which begins with the setting's name, where `url` cannot be posted to.
post_target parse_post_target(const std::string& setting, const std::string& url);

using post_request = boost::beast::http::request<boost::beast::http::string_body>;
/// JSON; more headers may be set, then prepare_payload() is to be called.
post_request make_post(const post_target& to, std::string body);

struct post_answer {
  unsigned status = 0;  ///< 0: there was none
  std::string trouble;  ///< why there was none; empty where the io_context went before there could be one
  std::chrono::seconds retry_after{0};
};

/// Any thread. `done` is called once, by the io_context's thread or by its destructor. `to` outlives the io_context's work.
void post(boost::asio::io_context& io, const post_target& to, post_request request, std::chrono::milliseconds timeout,
          std::function<void(const post_answer&)> done);

}  // namespace crema::http
