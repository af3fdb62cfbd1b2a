// The simulator itself: it comes to the same run twice, its canaries are found, and each of its checks can fail.
#include <catch2/catch.hpp>
#include <sstream>

#include "storage/layout.hpp"
#include "tests/sim/campaign.hpp"
#include "tests/sim/shrink.hpp"

using namespace crema;
using namespace crema::sim;

namespace {

/// A run without a fault, whose disk is tampered with in the end.
findings found_after(const story& s, std::function<void(storage::store&)> tamper) {
  run_plan plan{7, {}, {}};
  plan.tamper = std::move(tamper);
  return run(s, plan).found;
}

bool mentions(const findings& found, const std::string& text) {
  for (const auto& one : found.all())
    if (one.find(text) != std::string::npos) return true;
  return false;
}

void change(storage::store& disk, const std::function<void(storage::transaction&)>& how) {
  const auto t = disk.write();
  how(*t);
  t->commit();
}

}  // namespace

TEST_CASE("simulation: given a seed and its faults, when it runs again, then it comes to the same hash; another seed comes to another") {
  for (const auto& s : all_stories()) {
    const auto faults = faults_of(11);
    const auto first = run(s, {11, faults, {}});
    CAPTURE(s.system);
    CHECK(first.found.all() == std::vector<std::string>{});
    CHECK(first.hash == run(s, {11, faults, {}}).hash);
    CHECK(first.hash != run(s, {12, faults, {}}).hash);
    CHECK(first.granted > 0);
  }
}

TEST_CASE("simulation: given a rule is broken on purpose, when 200 seeds run, then it is found in every system that has it") {
  int broken = 0;
  for (const auto& name : canary_names())
    for (const auto& s : all_stories()) {
      if (!concerns(*find_canary(name), s.declare())) continue;
      ++broken;
      campaign c;
      c.system = s.system;
      c.last = 200;
      c.broken = find_canary(name);
      std::ostringstream told;
      CAPTURE(name, s.system);
      CHECK(run_campaign(c, told).has_value());
      CHECK(told.str().find("crema-sim --system " + std::string(s.system) + " --replay ") != std::string::npos);
      CHECK(told.str().find("--canary " + name) != std::string::npos);
    }
  CHECK(broken == 3 * 5 + 2);  // aggregates are found by a text in the cafeteria and in the hotel
}

TEST_CASE("simulation: given a state row is changed behind its journal, then the fold and verify notice") {
  const auto found = found_after(cafeteria_story(), [](storage::store& disk) {
    change(disk, [](storage::transaction& t) {
      const auto key = storage::row_key({false, 0}, 1);
      std::string other(*t.get(storage::table::state, storage::row_key({false, 0}, 2)));
      t.put(storage::table::state, key, other);
    });
  });
  CHECK(mentions(found, "order/1 is not the fold of its journal"));
  CHECK(mentions(found, "verify: The state row of order/1"));
}

TEST_CASE("simulation: given a view row is gone, then the story and verify notice") {
  const auto found = found_after(cafeteria_story(), [](storage::store& disk) {
    change(disk, [](storage::transaction& t) { REQUIRE(t.erase(storage::table::views, storage::row_key({true, 0}, 1))); });
  });
  CHECK(mentions(found, "order 1 lacks its payment, its drink or a page"));
  CHECK(mentions(found, "verify: The view row mypage/1 is missing"));
}

TEST_CASE("simulation: given a message stays in the outbox, then verify notices") {
  const auto found = found_after(hotel_story(), [](storage::store& disk) {
    change(disk, [](storage::transaction& t) {
      t.put(storage::table::outbox, storage::outbox_key({{1, 0}, {3, 1}}), std::string(1, '\0'));
    });
  });
  CHECK(mentions(found, "verify: The outbox holds message 3-1"));
}

TEST_CASE("simulation: faults are written and read, and what cannot be read is named") {
  fault_list all;
  for (const auto kind : all_fault_kinds()) all.push_back({kind, all.size(), 7});
  CHECK(parse_faults(to_text(all)) == all);
  CHECK(parse_faults("none").empty());
  CHECK(to_text({}) == "none");
  CHECK_THROWS_WITH(parse_faults("crash@12"), Catch::Contains("'crash@12' is no fault"));
  CHECK_THROWS_WITH(parse_faults("crash@x:1"), Catch::Contains("'crash@x:1' is no fault"));
  CHECK_THROWS_WITH(parse_faults("crush@12:1"), Catch::Contains("there is no fault 'crush'; there are crash, "));
}

TEST_CASE("simulation: given a list of faults of which two matter, when it is shrunk, then those two are left") {
  fault_list all;
  for (std::uint64_t i = 0; i < 9; ++i) all.push_back({fault_kind::crash, i, i});
  int runs = 0;
  const auto has = [](const fault_list& some, std::uint64_t step) {
    return std::any_of(some.begin(), some.end(), [&](const auto& f) { return f.step == step; });
  };
  const auto left = shrink(all, [&](const fault_list& some) {
    ++runs;
    return has(some, 3) && has(some, 8);
  });
  CHECK(left == fault_list{all[3], all[8]});
  CHECK(runs < 40);
  CHECK(shrink({}, [](const fault_list&) { return true; }).empty());
}
