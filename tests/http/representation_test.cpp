// Entity tags, who may keep an answer, and the conditions of who asks again.
#include "http/representation.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "http/etag.hpp"

using namespace crema;
using namespace crema::http;

namespace {

struct reader {
  request q;
  response shown{200, content::hal, "{\"qty\":2}", {}, false};
  bool kept = true;

  explicit reader(method m = method::get) { q.verb = m, q.target = "/cups/1", shown.version = 3; }
  response get() const {
    auto r = shown;
    validate(r, q, kept);
    return r;
  }
};

std::string quoted(const std::string& tag) { return "\"" + tag + "\""; }

}  // namespace

TEST_CASE("etags: lists, weak ones and stars") {
  const auto versions = [](std::string_view header, bool weak) { return versions_in(parse_tags(header).value(), weak); };
  CHECK(parse_tags(" * ")->any);
  CHECK(versions(R"("1", "3-hab", "x", "")", false) == std::vector<std::uint64_t>{1, 3});
  CHECK(versions(R"(W/"3")", false).empty());
  CHECK(versions(R"(W/"3")", true) == std::vector<std::uint64_t>{3});
  for (const auto* broken : {"3", "\"3", "\"3\" \"4\"", "*, \"3\"", "w/\"3\""}) CHECK_FALSE(parse_tags(broken));
}

TEST_CASE("etags: empty members of a list are ignored, a list of nothing is none") {
  for (const auto* list : {R"("1",,"3")", R"(,"3")", R"("3",)", R"("3" , ,)"}) {
    const auto tags = parse_tags(list);
    REQUIRE(tags);
    CHECK(names_representation(*tags, "3"));
    CHECK_FALSE(names_representation(*tags, "2"));
  }
  for (const auto* nothing : {"", ",", " , ,"}) CHECK_FALSE(parse_tags(nothing));
}

TEST_CASE("etags: each representation has its own, and begins with the version") {
  const auto hal = make_tag(3, content::hal, "{}"), plain = make_tag(3, content::json, "{}"), other = make_tag(3, content::hal, "{ }");
  CHECK(hal == make_tag(3, content::hal, "{}"));
  CHECK(std::set{hal, plain, other}.size() == 3);
  for (const auto& tag : {hal, plain, other}) CHECK(tag.starts_with("3-h"));
  CHECK(make_tag(std::nullopt, content::hal, "{}") == hal.substr(2));
}

TEST_CASE("conditions: If-None-Match means one representation, however weakly it is named") {
  reader r;
  const auto tag = r.get().tag;
  for (const auto& known : {quoted(tag), "W/" + quoted(tag), "\"x\",," + quoted(tag), std::string("*")}) {
    r.q.if_none_match = known;
    const auto answer = r.get();
    CHECK(answer.status == 304);
    CHECK(answer.body.empty());
    CHECK(answer.tag == tag);
  }
  for (const auto& other :
       {quoted("3"), quoted(make_tag(3, content::json, r.shown.body)), quoted(tag + "-gzip"), std::string("nonsense")}) {
    r.q.if_none_match = other;
    CHECK(r.get().status == 200);
  }
}

TEST_CASE("conditions: If-Match means the state, whichever representation of it was read, and goes first") {
  reader r;
  for (const auto& wanted : {quoted("3"), quoted("3-hdeadbeef-gzip"), quoted("2") + ", " + quoted("3"), std::string("*")}) {
    r.q.if_match = wanted;
    CHECK(r.get().status == 200);
  }
  for (const auto& wanted : {quoted("2"), "W/" + quoted("3"), quoted("33"), quoted("")}) {
    r.q.if_match = wanted;
    r.q.if_none_match = "*";
    const auto answer = r.get();
    CHECK(answer.status == 412);
    CHECK(answer.content_type == content::problem);
    CHECK(answer.tag.empty());
  }
  r.q.if_match = "3";
  CHECK(r.get().status == 400);
}

TEST_CASE("conditions: what shows no version is compared by its hash") {
  reader r;
  r.shown.version.reset();
  r.q.if_match = quoted(r.get().tag);
  CHECK(r.get().status == 200);
  r.q.if_match = quoted("3");
  CHECK(r.get().status == 412);
}

TEST_CASE("conditions: only a successful reading of what may be kept has any") {
  for (const auto m : {method::post, method::patch}) {
    reader r(m);
    r.q.if_none_match = "*";
    CHECK(r.get().status == 200);
    CHECK(r.get().tag.starts_with("3-"));  // an answer to a command shows what it made
  }
  reader missing;
  missing.shown = {404, content::problem, "{}", {}, false};
  missing.q.if_match = quoted("9");
  CHECK(missing.get().status == 404);
  CHECK(missing.get().tag.empty());
  reader health;
  health.shown = {200, content::json, "{}", {}, false};
  health.kept = false;
  health.q.if_none_match = "*";
  CHECK(health.get().status == 200);
  CHECK(health.get().tag.empty());
}

TEST_CASE("keeping: by route, below a prefix or not") {
  const keeping_rules rules(
      {"unmatched", "/", "/orders/{id}", "/events", "/profile/orders", "/openapi.json", "/problems/{slug}", "/actuator/health",
       "/actuator/prometheus", "/isHealthy", "/hotel/actuator/info", "/hotel/rooms", "/hotel/openapi.json"},
      {"/hotel"}, "Accept-Encoding");
  for (const std::size_t nobodys : {0U, 7U, 8U, 9U, 10U}) CHECK_FALSE(rules.of(nobodys).kept);
  for (const std::size_t customers : {1U, 2U, 3U, 11U})
    CHECK(rules.of(customers).lines == "Cache-Control: private, no-cache\r\nVary: Accept, Accept-Encoding\r\n");
  for (const std::size_t documents : {4U, 5U, 6U, 12U})
    CHECK(rules.of(documents).lines == "Cache-Control: no-cache\r\nVary: Accept-Encoding\r\n");
  CHECK(keeping_rules({"/orders"}, {""}, "").of(0).lines == "Cache-Control: private, no-cache\r\nVary: Accept\r\n");
  CHECK(keeping_rules({"/openapi.json"}, {""}, "").of(0).lines == "Cache-Control: no-cache\r\n");
}
