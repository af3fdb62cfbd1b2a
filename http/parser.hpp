// Beast's parser, writing straight into a request: only the headers that mean something here are kept. Internal to http/.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "http/message.hpp"

namespace crema::http {

class request_parser final : public boost::beast::http::basic_parser<true> {
 public:
  request_parser(request& into, std::size_t uri_bytes_max, std::uint64_t body_bytes_max, std::uint32_t header_bytes_max);

  bool uri_too_long() const noexcept { return uri_too_long_; }

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;
  void on_request_impl(boost::beast::http::verb v, string_view name, string_view target, int version, error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code& ec) override { ec = {}; }
  void on_field_impl(boost::beast::http::field f, string_view name, string_view text, error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override;
  std::size_t on_body_impl(string_view bytes, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) override { return on_body_impl(bytes, ec); }
  void on_finish_impl(error_code& ec) override { ec = {}; }

  request& r_;
  std::size_t uri_bytes_max_;
  bool uri_too_long_ = false;
  bool header_done_ = false;  // fields that come later are trailers: ignored, they must not change what was decided on
};

}  // namespace crema::http
