// What is refused before anything else looks at a request, and the one form that the rest see.
#include "http/header_rules.hpp"

#include <catch2/catch.hpp>

using namespace crema;
using namespace crema::http;

namespace {

request get(std::string target, std::string host = "shop.example") {
  request r;
  r.target = std::move(target);
  r.host = std::move(host);
  r.host_count = 1;
  return r;
}

unsigned status_of(request r, bool chunked = false) {
  const auto refused = check_header(r, chunked);
  return refused ? kind_of(refused->code).status : 200;
}

unsigned status_of_coding(std::string coding, bool chunked, unsigned version = 11) {
  auto r = get("/");
  r.version = version;
  r.has_transfer_encoding = true;
  r.transfer_encoding = std::move(coding);
  return status_of(r, chunked);
}

}  // namespace

TEST_CASE("header rules: a transfer coding is chunked, once, or the request is refused") {
  CHECK(status_of_coding("chunked", true) == 200);
  CHECK(status_of_coding(" , Chunked ,", true) == 200);
  for (const auto* unknown : {"gzip", "identity", "gzip, chunked", "chunked, gzip", "xchunked", "chunked;x=1"}) {
    CHECK(status_of_coding(unknown, false) == 501);
    CHECK(status_of_coding(unknown, true) == 501);
  }
  CHECK(status_of_coding("", false) == 400);
  CHECK(status_of_coding(",", false) == 400);
  CHECK(status_of_coding("chunked, chunked", true) == 400);
  CHECK(status_of_coding("chunked", false) == 400);  // the parser saw something else
  CHECK(status_of_coding("chunked", true, 10) == 400);
}

TEST_CASE("header rules: HTTP/1.1 names its host, once, and it could be one") {
  CHECK(status_of(get("/")) == 200);
  CHECK(status_of(get("/", "[::1]:8080")) == 200);
  CHECK(status_of(get("/", "")) == 200);  // sent, and empty: the target has no authority
  auto none = get("/", "");
  none.host_count = 0;
  CHECK(status_of(none) == 400);
  none.version = 10;
  CHECK(status_of(none) == 200);
  auto two = get("/", "a, b");
  two.host_count = 2;
  CHECK(status_of(two) == 400);
  for (const auto* host : {"a b", "evil\"", "user@shop.example", "shop.example/x", "caf\xc3\xa9", "<script>"})
    CHECK(status_of(get("/", host)) == 400);
}

TEST_CASE("header rules: the authority of an absolute target wins over Host") {
  auto r = get("HTTP://other.example:81/orders?page=1");
  REQUIRE_FALSE(check_header(r, false));
  CHECK(r.host == "other.example:81");
  CHECK(r.target == "/orders?page=1");
  for (const auto& [sent, meant] :
       {std::pair("http://h", "/"), {"https://h?x=1", "/?x=1"}, {"http://h/", "/"}, {"http://[::1]:1/a", "/a"}}) {
    auto absolute = get(sent);
    REQUIRE_FALSE(check_header(absolute, false));
    CHECK(absolute.target == meant);
  }
  for (const auto* target : {"http://", "http:///x", "ftp://h/x", "http://user@h/x", "h:80", "orders", "", "*", "http:/h/x"})
    CHECK(status_of(get(target)) == 400);
  auto server = get("*");
  server.verb = method::options;
  CHECK(status_of(server) == 200);
}

TEST_CASE("header rules: a path has one spelling, and no other meaning than before") {
  for (const auto& [sent, meant] : {std::pair("/%63afe/%6Frders", "/cafe/orders"),
                                    {"/a%2fb%7e", "/a%2Fb~"},
                                    {"/%41?x=%41", "/A?x=%41"},
                                    {"/%2e%2e/x", "/../x"},
                                    {"/%zz%4", "/%zz%4"},
                                    {"/?%63", "/?%63"},
                                    {"/%25%36%33", "/%2563"},
                                    {"/a%c3%A9", "/a%C3%A9"}}) {
    auto r = get(sent);
    REQUIRE_FALSE(check_header(r, false));
    CHECK(r.target == meant);
  }
}
