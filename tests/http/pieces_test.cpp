// The small pure parts of http/: negotiation, forwarding, targets, tags, paging links, rate limiting.
#include <catch2/catch.hpp>

#include "http/forwarded.hpp"
#include "http/negotiate.hpp"
#include "http/paging.hpp"
#include "http/rate_limiter.hpp"
#include "http/trace_sampler.hpp"
#include "http/uri.hpp"

using namespace crema;
using namespace crema::http;

TEST_CASE("accept: HAL unless plain JSON is preferred") {
  CHECK_FALSE(prefers_plain_json(""));
  CHECK_FALSE(prefers_plain_json("*/*"));
  CHECK(prefers_plain_json("application/json"));
  CHECK(prefers_plain_json("application/json, */*;q=0.5"));  // HTTPie with a body
  CHECK_FALSE(prefers_plain_json("application/hal+json"));
  CHECK_FALSE(prefers_plain_json("application/json;q=0.4, application/hal+json"));
  CHECK_FALSE(prefers_plain_json("application/*"));
  CHECK_FALSE(prefers_plain_json("text/html"));
  CHECK(prefers_plain_json("Application/JSON; charset=utf-8"));
}

TEST_CASE("accept: nothing acceptable is no error, and what stands in quotes separates nothing") {
  for (const auto* accept : {"image/png", "application/xml;q=1, application/json;q=0, application/hal+json;q=0", ",,", "nonsense"})
    CHECK_FALSE(prefers_plain_json(accept));
  CHECK_FALSE(prefers_plain_json(R"(text/html;x=",application/json,")"));
  CHECK(prefers_plain_json(R"(text/html;x="\",;", ,application/json)"));
}

TEST_CASE("accept: an event stream only where it is named") {
  CHECK(prefers_event_stream("text/event-stream"));
  CHECK(prefers_event_stream("text/event-stream, application/x-ndjson;q=0.5"));
  CHECK_FALSE(prefers_event_stream("*/*"));
  CHECK_FALSE(prefers_event_stream("application/x-ndjson, text/event-stream;q=0.1"));
  CHECK_FALSE(prefers_event_stream("text/event-stream;q=0"));
}

TEST_CASE("content type: JSON in UTF-8") {
  CHECK(is_json("application/json"));
  CHECK(is_json("application/json; charset=UTF-8"));
  CHECK(is_json("application/hal+json;charset=\"utf-8\""));
  CHECK_FALSE(is_json(""));
  CHECK_FALSE(is_json("text/plain"));
  CHECK_FALSE(is_json("application/x-www-form-urlencoded"));
  CHECK_FALSE(is_json("application/json; charset=latin-1"));
  CHECK(is_json("application/merge-patch+json"));
  CHECK_FALSE(is_json("Application/JSON-Patch+json; charset=utf-8"));
}

TEST_CASE("forwarded: addresses and blocks") {
  const address_list list({"10.0.0.0/8", "::1", "192.168.1.4"});
  CHECK(list.contains("10.200.3.4"));
  CHECK(list.contains("::ffff:10.1.1.1"));
  CHECK(list.contains("::1"));
  CHECK(list.contains("192.168.1.4"));
  CHECK_FALSE(list.contains("192.168.1.5"));
  CHECK_FALSE(list.contains("11.0.0.1"));
  CHECK_FALSE(list.contains("nonsense"));
  CHECK_THROWS_AS(address_list({"10.0.0.0/33"}), std::invalid_argument);
  CHECK_THROWS_AS(address_list({"example.org"}), std::invalid_argument);
}

TEST_CASE("forwarded: which Host may stand in a link") {
  CHECK(is_authority("localhost:8080"));
  CHECK(is_authority("[::1]:80"));
  CHECK_FALSE(is_authority(""));
  CHECK_FALSE(is_authority("a b"));
  CHECK_FALSE(is_authority("evil\"/"));
  CHECK_FALSE(is_authority("host:99999"));
  CHECK_FALSE(is_authority("user@host"));
}

TEST_CASE("forwarded: the base of links") {
  request r;
  r.local_authority = "127.0.0.1:8080";
  CHECK(base_url(r, "") == "http://127.0.0.1:8080");
  r.host = "shop.example:81";
  CHECK(base_url(r, "/cafeteria") == "http://shop.example:81/cafeteria");
  r.host = "shop.example/\"evil";
  CHECK(base_url(r, "") == "http://127.0.0.1:8080");
  r.host = "inner:8080";
  r.x_forwarded_proto = "https";
  r.x_forwarded_host = "shop.example, inner";
  r.x_forwarded_port = "443";
  r.x_forwarded_prefix = "/api/";
  CHECK(base_url(r, "") == "http://inner:8080");  // nobody has said that this peer may
  r.trusted_peer = true;
  CHECK(base_url(r, "") == "https://shop.example/api");
  r.x_forwarded_port = "8443";
  r.x_forwarded_prefix = "//evil";
  CHECK(base_url(r, "") == "https://shop.example:8443");
  r.x_forwarded_proto = "HTTPS, http";
  r.x_forwarded_port = "443";
  CHECK(base_url(r, "") == "https://shop.example");
}

TEST_CASE("forwarded: RFC 7239's header, from the outermost proxy that is trusted") {
  const address_list trusted({"10.0.0.0/8", "::1"});
  const auto read = [&](std::string header) {
    request r;
    r.host = "inner:8080";
    r.remote_address = "10.0.0.1";
    r.trusted_peer = true;
    r.forwarded = std::move(header);
    read_forwarded(r, trusted);
    return r;
  };
  auto r = read("for=192.0.2.43;proto=HTTPS;host=shop.example:8443");
  CHECK(base_url(r, "") == "https://shop.example:8443");
  CHECK(client_address(r, trusted) == "192.0.2.43");
  r = read("For=\"[2001:db8::1]:4711\" ; Host=\"shop.example\" , ,for=10.0.0.7;proto=https;host=inner.example");
  CHECK(base_url(r, "") == "http://shop.example");
  CHECK(client_address(r, trusted) == "2001:db8::1");
  r = read("for=1.1.1.1;host=evil.example, for=192.0.2.43:80;host=shop.example");  // the first is what the client made up
  CHECK(base_url(r, "") == "http://shop.example");
  CHECK(client_address(r, trusted) == "192.0.2.43");
  r = read("for=_hidden;host=shop.example");
  CHECK(base_url(r, "") == "http://shop.example");
  CHECK(client_address(r, trusted) == "10.0.0.1");
  for (const auto* nonsense : {"=", ";;", "\"", "for=\"[", "host=\"a b\"", "proto=javascript", ","}) {
    r = read(nonsense);
    CHECK(base_url(r, "") == "http://inner:8080");
    CHECK(client_address(r, trusted) == "10.0.0.1");
    CHECK_FALSE(r.x_forwarded_for.empty());  // somebody speaks for others: no business of management without a token
  }
}

TEST_CASE("forwarded: X-Forwarded-* go first, and nobody is believed who is not trusted") {
  const address_list trusted({"10.0.0.0/8"});
  request r;
  r.host = "inner:8080";
  r.remote_address = "10.0.0.1";
  r.trusted_peer = true;
  r.forwarded = "for=1.1.1.1;host=evil.example;proto=https";
  r.x_forwarded_for = "192.0.2.1";
  r.x_forwarded_prefix = "/shop";
  read_forwarded(r, trusted);
  CHECK(base_url(r, "/cafe") == "http://inner:8080/shop/cafe");
  CHECK(client_address(r, trusted) == "192.0.2.1");
  r.x_forwarded_for.clear();
  r.trusted_peer = false;
  read_forwarded(r, trusted);
  CHECK(base_url(r, "") == "http://inner:8080");
  CHECK(forwarded_prefix(r).empty());
  CHECK(client_address(r, trusted) == "10.0.0.1");
}

TEST_CASE("forwarded: the client behind proxies") {
  const address_list trusted({"10.0.0.0/8"});
  request r;
  r.remote_address = "10.0.0.1";
  r.x_forwarded_for = "1.1.1.1, 9.9.9.9, 10.0.0.7";
  CHECK(client_address(r, trusted) == "10.0.0.1");
  r.trusted_peer = true;
  CHECK(client_address(r, trusted) == "9.9.9.9");
  r.x_forwarded_for = "1.1.1.1, 9.9.9.9,, 10.0.0.7, ";
  CHECK(client_address(r, trusted) == "9.9.9.9");
}

TEST_CASE("targets: segments and parameters are decoded after they were split") {
  const auto t = parse_target("/orders/a%2Fb/?x=1&y=a%20b&z=");
  REQUIRE(t);
  CHECK(t->segments == std::vector<std::string>{"orders", "a/b"});
  CHECK(*t->parameter("x") == "1");
  CHECK(*t->parameter("y") == "a b");
  CHECK(t->parameter("z")->empty());
  CHECK(t->parameter("q") == nullptr);
  CHECK(parse_target("/")->segments.empty());
  CHECK_FALSE(parse_target("/bad%zz"));
  CHECK_FALSE(parse_target("/a b"));
  CHECK_FALSE(parse_target("http://host/orders"));
  CHECK_FALSE(parse_target(""));
}

TEST_CASE("ids are positive numbers without decoration") {
  CHECK(parse_id("11") == 11);
  for (const auto* bad : {"", "0", "01", "-1", "+1", "1x", "9223372036854775808", "99999999999999999999"}) CHECK_FALSE(parse_id(bad));
}

TEST_CASE("paging: links exist where their pages do") {
  paging p;
  p.size = 20;
  p.number = 1;
  CHECK(link_header(page_links("http://h/c", "sort=id,desc", p, 50)) ==
        R"(<http://h/c?page=0&size=20&sort=id,desc>; rel="first", <http://h/c?page=0&size=20&sort=id,desc>; rel="prev", )"
        R"(<http://h/c?page=2&size=20&sort=id,desc>; rel="next", <http://h/c?page=2&size=20&sort=id,desc>; rel="last")");
  CHECK(page_links("http://h/c", "", {}, 20).empty());
  std::string out;
  append_page_member(out, p, 50);
  CHECK(out == R"("page":{"size":20,"totalElements":50,"totalPages":3,"number":1})");
  CHECK(query_without_page("page=2&phoneNumber=010&size=5") == "phoneNumber=010");
  CHECK(safe_in_json("a=\"<\\{}") == "a=%22%3C%5C%7B%7D");
}

TEST_CASE("paging: a collection's template names what its query does not") {
  CHECK(collection_template("http://h/c", "") == "http://h/c{?page,size,sort}");
  CHECK(collection_template("http://h/c", "page=1") == "http://h/c?page=1{&size,sort}");
  CHECK(collection_template("http://h/c", "sort=a&sort=b&size=2&page=0") == "http://h/c?sort=a&sort=b&size=2&page=0");
  std::string out;
  append_link(out, "self", "http://h/c{?page}");
  CHECK(out == R"("self":{"href":"http://h/c{?page}","templated":true})");
}

TEST_CASE("rate limit: a burst, then as fast as it refills") {
  rate_limiter limiter(2, 3);
  for (int i = 0; i < 3; ++i) CHECK(limiter.take("1.2.3.4", 1000).allowed);
  const auto refused = limiter.take("1.2.3.4", 1000);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.retry_after_ms == 500);
  CHECK(refused.reset_ms == 1500);
  CHECK(limiter.take("1.2.3.5", 1000).allowed);
  CHECK(limiter.take("1.2.3.4", 1500).allowed);
  CHECK_FALSE(limiter.take("1.2.3.4", 1500).allowed);
  CHECK(rate_limiter(0, 1).take("1.2.3.4", 0).allowed);
}

TEST_CASE("rate limit: an IPv6 client is its /64, and a flood of addresses does not grow the table without end") {
  rate_limiter limiter(1, 1);
  CHECK(limiter.take("2001:db8::1", 0).allowed);
  CHECK_FALSE(limiter.take("2001:db8::2", 0).allowed);
  CHECK(limiter.take("2001:db8:0:1::1", 0).allowed);
  std::size_t refused = 0;
  for (std::uint32_t i = 0; i < 2 * rate_limiter::clients_max; ++i) {
    const auto address = "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
    if (!limiter.take(address, 0).allowed) ++refused;
  }
  CHECK(refused > 0);  // the newcomers share one bucket
}

// ---- which traces are kept

TEST_CASE("http: trace sampler: given more requests in a second than it may take, then the next second begins anew") {
  trace_sampler three(100, 3);
  const auto taken_in = [&](std::uint32_t second) {
    int n = 0;
    for (std::uint64_t dice = 0; dice < 10; ++dice) n += three.take(dice, second) ? 1 : 0;
    return n;
  };
  CHECK(taken_in(7) == 3);
  CHECK(taken_in(7) == 0);
  CHECK(taken_in(8) == 3);
}

TEST_CASE("http: trace sampler: given a share, then so many of a hundred are taken, and without a limit all of these") {
  for (const std::uint32_t percent : {0U, 1U, 50U, 100U}) {
    trace_sampler some(percent, 0);
    std::uint32_t n = 0;
    for (std::uint64_t dice = 0; dice < 100; ++dice) n += some.take(dice, 1) ? 1U : 0U;
    CHECK(n == percent);
  }
}
