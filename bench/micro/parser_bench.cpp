// The bytes of a POST /orders as wrk sends them, into a request that is used again for the next, as a session does.
#include <benchmark/benchmark.h>

#include <boost/asio/buffer.hpp>
#include <string_view>

#include "http/parser.hpp"
#include "http/settings.hpp"

namespace {

using namespace crema;

constexpr std::string_view post =
    "POST /orders HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nContent-Length: 71\r\n\r\n"
    R"({"phoneNumber":"01012345678","productName":"coffee","qty":2,"amt":1000})";

void parse_request(benchmark::State& state) {
  const http::server_settings limits;
  http::request request;
  while (state.KeepRunning()) {
    http::request_parser parser(request, limits.uri_bytes_max, limits.body_bytes_max, limits.header_bytes_max);
    parser.eager(true);
    boost::beast::error_code error;
    parser.put(boost::asio::buffer(post), error);
    if (error || !parser.is_done()) state.SkipWithError("the request cannot be read");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(post.size()));
}
BENCHMARK(parse_request);

}  // namespace
