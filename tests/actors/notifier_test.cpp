// Notifications: late if they must, never lost, each under one id.
#include <caf/send.hpp>
#include <set>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

constexpr std::uint16_t desk = 3;

std::multiset<std::string> texts(const stepped_node& n) {
  std::multiset<std::string> all;
  for (const auto& l : n.sink->delivered) all.insert(l.text);
  return all;
}

}  // namespace

TEST_CASE(
    "notifier: given a receiver that is dead for long, when more wait than memory may hold, then all are delivered when it is back, and "
    "nothing was slowed") {
  constexpr int letters = 11500;  // beyond what the notifier keeps in memory
  auto s = few_partitions();
  s.awake_max = 1000;
  stepped_node n(test_system(), s);
  n.settle();
  n.sink->failures_left = for_ever;
  REQUIRE_FALSE(n.ask("account", {}, deposit{0, "0"}).refused);
  answers all;
  for (int i = 1; i < letters; ++i) {
    all.push_back(n.send("account", 1, deposit{0, std::to_string(i)}));
    if (i % 100 == 0) n.settle();
  }
  n.settle();
  CHECK(count_ok(all) == letters - 1);
  CHECK(n.sink->delivered.empty());
  CHECK(n.shared().contexts[desk].outbox == letters);
  n.sink->failures_left = 0;
  n.advance(milliseconds(200));
  for (int i = 0; i < 70 && n.rows_in(storage::table::outbox) > 0; ++i) n.advance(milliseconds(1000));
  CHECK(n.rows_in(storage::table::outbox) == 0);
  CHECK(n.shared().contexts[desk].outbox == 0);
  const auto delivered = texts(n);
  CHECK(std::set<std::string>(delivered.begin(), delivered.end()).size() == letters);
  std::map<std::string, std::string> id_of;
  for (const auto& l : n.sink->delivered) CHECK(id_of.emplace(l.text, l.id).first->second == l.id);
}

TEST_CASE("notifier: given a step that is not on disk yet, then nobody is told of it; after the commit, he is") {
  stepped_node n(test_system(), few_partitions());
  n.settle();
  (void)n.send("account", {}, deposit{1, "a"});
  n.run_actors();
  CHECK(n.sink->delivered.empty());
  n.crash();
  n.settle();
  CHECK(n.sink->delivered.empty());
  (void)n.send("account", {}, deposit{1, "b"});
  n.run_actors();
  REQUIRE(n.commit());
  n.run_actors();
  CHECK(n.sink->delivered.size() == 1);
}

TEST_CASE(
    "notifier: given letters under way, when the node crashes or the notifier is killed at any step, then each is delivered at least once, "
    "under one id") {
  for (const bool killed : {false, true}) {
    for (int step = 0, left = 1; left > 0; ++step) {
      CAPTURE(killed, step);
      stepped_node n(test_system(), few_partitions());
      n.settle();
      n.sink->failures_left = 1;
      answers all;
      for (int i = 0; i < 3; ++i) all.push_back(n.send("account", {}, deposit{1, std::to_string(i)}));
      left = 1;
      for (int i = 0; i < step && left > 0; ++i) left = n.step() ? 1 : 0;
      if (killed)
        caf::anon_send_exit(n.shared().notifier(desk).get(), caf::exit_reason::kill);
      else
        n.crash();
      n.settle();
      n.advance(milliseconds(1000));
      const auto delivered = texts(n);
      for (int i = 0; i < 3; ++i) { CHECK((delivered.count(std::to_string(i)) >= 1) == all[static_cast<std::size_t>(i)]->ok()); }
      std::map<std::string, std::string> id_of;
      for (const auto& l : n.sink->delivered) CHECK(id_of.emplace(l.text, l.id).first->second == l.id);
      check_at_rest(n);
    }
  }
}
