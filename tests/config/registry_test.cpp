#include "config/registry.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>

#include "tests/config/fixture.hpp"

namespace crema::config {
namespace {

TEST_CASE("registry: names become environment variables, and no two become the same") {
  CHECK(environment_name("payment.bulkhead.callTimeoutMs") == "CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS");
  CHECK(environment_name("http.listen") == "CREMA_HTTP__LISTEN");
  std::set<std::string> names;
  const auto r = sample_settings();
  for (const auto& d : r.all()) CHECK(names.insert(environment_name(d.name)).second);
}

TEST_CASE("registry: every setting says what it means in a sentence") {
  const auto r = sample_settings();
  for (const auto& d : r.all()) {
    CAPTURE(d.name);
    CHECK(d.meaning.size() > 4);
    CHECK(d.meaning.ends_with('.'));
    CHECK(d.name.find('.') != std::string::npos);
  }
}

TEST_CASE("registry: each context has its bulkhead and slowness, one that only carries views no bulkhead") {
  const auto r = sample_settings();
  CHECK(r.find("tab.bulkhead.maxQueued") != nullptr);
  CHECK(r.find("payment.slow.maxMs") != nullptr);
  CHECK(r.find("pages.slow.maxMs") != nullptr);
  CHECK(r.find("pages.bulkhead.maxQueued") == nullptr);
}

TEST_CASE("registry: two contexts behind one bulkhead share its settings") {
  auto s = sample_system();
  s.contexts[0].bulkhead = "payment";
  auto r = runtime_settings();
  add_system(r, s);
  CHECK(r.find("payment.bulkhead.openMs") != nullptr);
  CHECK(r.find("tab.bulkhead.openMs") == nullptr);
}

TEST_CASE("registry: a name declared twice, or a default out of its own bounds, is a bug") {
  registry r;
  r.add(integer("a.b", 1, 0, 2, "One."));
  CHECK_THROWS_AS(r.add(integer("a.b", 1, 0, 2, "One.")), std::logic_error);
  CHECK_THROWS_AS(r.add(integer("a.c", 3, 0, 2, "Three.")), std::logic_error);
}

TEST_CASE("registry: decimals and lists keep their bounds") {
  registry r;
  r.add(decimal("a.ratio", 0.5, 0, 1, "A ratio.").in("of one"));
  CHECK(std::get<double>(load(r, {{}, {}, {{"a.ratio", "0.25", "--set"}}}).get("a.ratio")) == 0.25);
  CHECK_THROWS_AS(load(r, {{}, {}, {{"a.ratio", "1.5", "--set"}}}), config_error);
  CHECK_THROWS_AS(load(r, {{}, {}, {{"a.ratio", "nan", "--set"}}}), config_error);
  CHECK(value_text(setting(0.25)) == "0.25");
}

TEST_CASE("registry: the nearest name forgives case, slips and a missing section") {
  const auto r = sample_settings();
  CHECK(r.nearest("HTTP.LISTEN") == "http.listen");
  CHECK(r.nearest("runtime.idelMs") == "runtime.idleMs");
  CHECK(r.nearest("maxQueued") == "tab.bulkhead.maxQueued");
  auto several = runtime_settings();
  add_system(several, sample_system(), "inn.");
  CHECK(several.nearest("tab.bulkhead.maxQueued") == "inn.tab.bulkhead.maxQueued");
  CHECK(r.nearest("zzz").empty());
}

}  // namespace
}  // namespace crema::config
