// Who may manage: with a token whoever sends it, without one a program on this machine.
#include "http/management_guard.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace crema::http;

namespace {

request local_post() {
  request r;
  r.verb = method::post;
  r.target = "/actuator/contexts/cup/stop";
  r.host = "localhost:8080";
  r.remote_address = "127.0.0.1";
  r.content_type = "application/json";
  return r;
}

// The status of the refusal; 0: it may.
unsigned refused(const management_guard& guard, const request& r) {
  const auto why = guard.refuse(r);
  return why ? kind_of(why->code).status : 0;
}

template <class Change>
unsigned refused_after(Change change) {
  auto r = local_post();
  change(r);
  return refused(management_guard{""}, r);
}

}  // namespace

TEST_CASE("management: without a token, a program on this machine may") {
  for (const auto* host : {"localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.1.2.3", "[::1]", "[::1]:8080"}) {
    CAPTURE(host);
    CHECK(refused_after([&](request& r) { r.host = host; }) == 0);
  }
  for (const auto* peer : {"127.0.0.1", "127.9.9.9", "::1"}) CHECK(refused_after([&](request& r) { r.remote_address = peer; }) == 0);
}

TEST_CASE("management: without a token, nobody else may") {
  for (const auto* peer : {"10.0.0.1", "::2", "192.168.0.1"}) CHECK(refused_after([&](request& r) { r.remote_address = peer; }) == 403);
  for (const auto* host : {"crema.example", "localhost.example", "127.0.0.1.example", "[::2]", "10.0.0.1", ""}) {
    CAPTURE(host);
    CHECK(refused_after([&](request& r) { r.host = host; }) == 403);
  }
  CHECK(refused_after([](request& r) { r.x_forwarded_for = "127.0.0.1"; }) == 403);
  CHECK(refused_after([](request& r) { r.x_forwarded_host = "localhost"; }) == 403);
  CHECK(refused_after([](request& r) { r.forwarded = "for=127.0.0.1"; }) == 403);
}

TEST_CASE("management: without a token, only a page of this very origin may") {
  const auto from = [](const char* origin, const char* site) {
    return refused_after([&](request& r) {
      r.origin = origin;
      r.sec_fetch_site = site;
    });
  };
  CHECK(from("http://localhost:8080", "same-origin") == 0);
  CHECK(from("", "none") == 0);
  CHECK(from("http://localhost:3000", "same-site") == 403);
  CHECK(from("http://localhost:3000", "") == 403);  // an old browser
  CHECK(from("", "same-site") == 403);              // a picture, a script
  CHECK(from("null", "cross-site") == 403);
  CHECK(from("null", "") == 403);
  CHECK(from("https://evil.example", "cross-site") == 403);
}

TEST_CASE("management: what acts on a node says that it brings JSON") {
  auto r = local_post();
  CHECK_FALSE(refuse_form(r));
  for (const auto* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    CAPTURE(type);
    r.content_type = type;
    r.verb = method::post;
    REQUIRE(refuse_form(r));
    CHECK(kind_of(refuse_form(r)->code).status == 415);
    r.verb = method::get;
    CHECK_FALSE(refuse_form(r));
  }
}

TEST_CASE("management: where a token is set, it is what counts, wherever the request comes from") {
  const management_guard guard{"secret"};
  auto r = local_post();
  CHECK(refused(guard, r) == 401);
  for (const auto* wrong : {"Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Basic secret", "secret"}) {
    CAPTURE(wrong);
    r.authorization = wrong;
    CHECK(refused(guard, r) == 401);
  }
  r.authorization = "bearer secret";
  CHECK(refused(guard, r) == 0);
  r.remote_address = "10.0.0.1";
  r.host = "crema.example";
  CHECK(refused(guard, r) == 0);
}
