// Several systems below their prefixes, and what stands above them.
#include "http/mounts.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fake_front_door.hpp"

using namespace crema;
using namespace crema::http;
using nlohmann::json;

namespace {

struct house {
  fake::door cafe, hotel;
  server_settings settings;
  mounts systems{settings, {{"/cafe", &cafe}, {"/hotel", &hotel}}};

  static request get(std::string target) {
    request r;
    r.target = std::move(target);
    r.host = "h:1";
    return r;
  }
  response above(const std::string& target, method m = method::get) const {
    auto r = get(target);
    r.verb = m;
    REQUIRE(systems.find(r.target) == nullptr);
    return std::get<response>(systems.route_above(r).what);
  }
};

}  // namespace

TEST_CASE("mounts: one system without a prefix has every path") {
  fake::door door;
  const server_settings settings;
  const mounts one(settings, {{"", &door}});
  REQUIRE(one.find("/cups/1") != nullptr);
  CHECK(one.find("/cups/1") == one.find("*"));
  CHECK(one.find("/")->first_route == 0);
  CHECK(one.templates() == one.find("/")->routes.table().templates());
}

TEST_CASE("mounts: a prefix is a whole segment") {
  const house h;
  const auto* hotel = h.systems.find("/hotel/cups/1");
  REQUIRE(hotel != nullptr);
  CHECK(hotel->routes.prefix() == "/hotel");
  for (const auto* target : {"/hotel", "/hotel/", "/hotel?x=1"}) CHECK(h.systems.find(target) == hotel);
  for (const auto* target : {"/", "*", "/hotels", "/x/hotel", "hotel", ""}) CHECK(h.systems.find(target) == nullptr);
}

TEST_CASE("mounts: each system's routes have names of their own") {
  const house h;
  const auto* hotel = h.systems.find("/hotel");
  const auto& names = h.systems.templates();
  CHECK(names[hotel->first_route + id_of(fixed_route::events)] == "/hotel/events");
  CHECK(names[hotel->first_route] == "unmatched");
  CHECK(names[id_of(fixed_route::root)] == "/");
}

TEST_CASE("mounts: above the systems there is a list of them, and pages on problems") {
  const house h;
  const auto links = json::parse(h.above("/").body)["_links"];
  CHECK(links.size() == 2);
  CHECK(links["hotel"]["href"] == "http://h:1/hotel");
  CHECK(h.above("/problems/conflict").status == 200);
  CHECK(h.above("/problems/nope").status == 404);
  CHECK(h.above("/cups").status == 404);
  CHECK(h.above("/actuator/prometheus").body == "up 1\n");
  CHECK(h.above("/actuator/health/nope").status == 404);
  CHECK(h.above("/", method::post).status == 405);
  CHECK(h.above("*", method::options).headers.starts_with("Allow: GET, HEAD, OPTIONS, POST"));
}

TEST_CASE("mounts: health above the systems is UP only if each is") {
  house h;
  CHECK(h.above("/actuator/health").status == 200);
  CHECK(json::parse(h.above("/actuator/health").body)["components"]["hotel"]["status"] == "UP");
  h.hotel.is_ready = false;
  CHECK(h.above("/actuator/health/readiness").status == 503);
  CHECK(h.above("/actuator/health/liveness").status == 200);
  const auto health = h.above("/actuator/health");
  CHECK(health.status == 503);
  CHECK(json::parse(health.body)["components"]["cafe"]["status"] == "UP");
  CHECK(json::parse(health.body)["components"]["hotel"]["status"] == "DOWN");
  h.hotel.is_ready = true;
  h.systems.set_draining();
  CHECK(h.above("/actuator/health/readiness").status == 503);
}

TEST_CASE("mounts: what cannot be served is refused at the start") {
  fake::door a, b;
  const server_settings settings;
  CHECK_THROWS_AS(mounts(settings, {}), std::invalid_argument);
  CHECK_THROWS_AS(mounts(settings, {{"", &a}, {"/b", &b}}), std::invalid_argument);
  for (const auto* prefix : {"b", "/", "/a/b", "/a?b", "/a%20"})
    CHECK_THROWS_AS(mounts(settings, {{"/a", &a}, {prefix, &b}}), std::invalid_argument);
}
