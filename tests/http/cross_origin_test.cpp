// Which pages of other origins are told that they may read an answer.
#include "http/cross_origin.hpp"

#include <catch2/catch.hpp>

using namespace crema;
using namespace crema::http;

namespace {

struct caller {
  server_settings settings;
  request r;

  explicit caller(std::vector<std::string> listed, std::string origin) {
    settings.cors_origins = std::move(listed);
    r.origin = std::move(origin);
  }
  std::string lines() const {
    std::string head;
    cross_origin(settings).append_lines(head, r);
    return head;
  }
  std::optional<response> preflight(method m = method::options, std::string asks = "PATCH") {
    r.verb = m;
    r.access_control_request_method = std::move(asks);
    return cross_origin(settings).preflight(r);
  }
};

bool has(const std::string& lines, const std::string& line) { return ("\r\n" + lines).find("\r\n" + line + "\r\n") != std::string::npos; }

}  // namespace

TEST_CASE("cross origin: off, nothing is said") {
  caller p({}, "https://shop.example");
  CHECK(p.lines().empty());
  CHECK_FALSE(p.preflight());
}

TEST_CASE("cross origin: a listed origin is named, another one is not, and a cache is told of both") {
  caller listed({"http://localhost:3000", "https://shop.example"}, "https://shop.example");
  CHECK(has(listed.lines(), "Access-Control-Allow-Origin: https://shop.example"));
  CHECK(has(listed.lines(), "Vary: Origin"));
  CHECK(listed.lines().find("Access-Control-Expose-Headers: Accept-Patch, Allow, Crema-History, ETag,") != std::string::npos);
  CHECK(listed.lines().find("Credentials") == std::string::npos);
  listed.settings.cors_credentials = true;
  CHECK(has(listed.lines(), "Access-Control-Allow-Credentials: true"));
  for (const auto* other : {"https://shop.example.evil.example", "http://shop.example", "https://shop.example:444", "null", ""}) {
    caller p({"https://shop.example"}, other);
    p.settings.cors_credentials = true;
    CHECK(p.lines() == "Vary: Origin\r\n");
    CHECK_FALSE(p.preflight());
  }
}

TEST_CASE("cross origin: a star names nobody and never goes with credentials") {
  caller p({"*"}, "https://anybody.example");
  p.settings.cors_credentials = true;
  CHECK(has(p.lines(), "Access-Control-Allow-Origin: *"));
  CHECK(p.lines().find("Credentials") == std::string::npos);
  CHECK(p.lines().find("Vary") == std::string::npos);
}

TEST_CASE("cross origin: a preflight is answered, an OPTIONS of somebody's own is not one") {
  caller p({"https://shop.example"}, "https://shop.example");
  p.settings.cors_max_age_s = 60;
  const auto answer = p.preflight();
  REQUIRE(answer);
  CHECK(answer->status == 204);
  CHECK(has(answer->headers, "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE"));
  CHECK(has(answer->headers, "Access-Control-Max-Age: 60"));
  CHECK(answer->headers.find("If-Match") != std::string::npos);
  CHECK_FALSE(p.preflight(method::options, ""));
  CHECK_FALSE(p.preflight(method::get));
}
