// Notifications: late if they must, never lost, each under one id.
#include <caf/send.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

using verdict = delivery_report::verdict;

constexpr std::uint16_t desk = 3;

std::multiset<std::string> texts(const stepped_node& n) {
  std::multiset<std::string> all;
  for (const auto& l : n.sink->delivered) all.insert(l.text);
  return all;
}

std::vector<std::string> told(const stepped_node& n) {
  std::vector<std::string> all;
  for (const auto& l : n.sink->delivered) all.push_back(l.to);
  return all;
}

// Tells each of the receivers something.
void tell(stepped_node& n, const std::string& name, int from, int to) {
  for (int i = from; i < to; ++i) REQUIRE_FALSE(n.ask("account", {}, deposit{1, "to " + name + std::to_string(i) + ": hello"}).refused);
}

bool is_for(const outgoing_notification& n, std::string_view name) { return n.to.starts_with(name); }

actors::runtime_settings places(std::uint32_t n) {
  auto s = few_partitions();
  s.notify_concurrent_max = n;
  return s;
}

nlohmann::json only_dead_letter(stepped_node& n) {
  const auto all = n.node().dead_letters();
  REQUIRE(all.size() == 1);
  return all[0];
}

void replay(stepped_node& n, const nlohmann::json& letter) {
  bool done = false;
  n.node().settle_dead_letter(letter["id"].get<std::uint64_t>(), true, [&](std::optional<rejection> why) { done = !why; });
  n.settle();
  REQUIRE(done);
}

}  // namespace

TEST_CASE("notifier: given more receivers than places who take nothing for now, then all others are told at once") {
  stepped_node n(test_system(), places(4));
  n.settle();
  n.sink->answers = [](const outgoing_notification& o) {
    return is_for(o, "bad") ? delivery_report{verdict::try_again, "busy"} : delivery_report{verdict::delivered};
  };
  tell(n, "bad", 0, 10);
  tell(n, "good", 0, 5);
  CHECK(told(n) == std::vector<std::string>{"good0", "good1", "good2", "good3", "good4"});
  CHECK(n.node().health()["notifications"]["failingReceivers"] == 10);
  n.advance(milliseconds(300));
  tell(n, "good", 5, 6);
  CHECK(told(n).back() == "good5");
  n.sink->answers = nullptr;
  n.advance(milliseconds(1000));
  CHECK(told(n).size() == 16);
  CHECK(n.node().health()["notifications"]["failingReceivers"] == 0);
  check_at_rest(n);
}

TEST_CASE("notifier: given receivers who refuse for good, then theirs are dead letters after one try, and all others are told") {
  stepped_node n(test_system(), places(2));
  n.settle();
  n.sink->answers = [](const outgoing_notification& o) {
    return is_for(o, "bad") ? delivery_report{verdict::refused, "it answered 422"} : delivery_report{verdict::delivered};
  };
  tell(n, "bad", 0, 4);
  tell(n, "good", 0, 1);
  n.settle();
  CHECK(told(n) == std::vector<std::string>{"good0"});
  CHECK(n.node().dead_letters().size() == 4);
  CHECK(n.node().dead_letters()[0]["error"] == "it answered 422");
  CHECK(n.shared().contexts[desk].dead_letters == 4);
  for (int reading = 0; reading < 2; ++reading) {
    const auto metrics = n.node().metrics();
    CHECK(metrics.find("# TYPE crema_dead_letters_total counter") != std::string::npos);
    CHECK(metrics.find("# TYPE crema_restarts_total counter") != std::string::npos);
    CHECK(metrics.find("crema_dead_letters_total{context=\"desk\"} 4") != std::string::npos);
  }
  for (const auto& [id, tries] : n.sink->tries) CHECK(tries == 1);
  check_at_rest(n);
}

TEST_CASE("notifier: given receivers that hang, then tries that come again take half of the places at the most") {
  stepped_node n(test_system(), places(4));
  n.settle();
  n.sink->answers = [](const outgoing_notification& o) {
    return is_for(o, "bad") ? delivery_report{verdict::try_again, "busy"} : delivery_report{verdict::delivered};
  };
  tell(n, "bad", 0, 8);
  n.sink->hangs = [](const outgoing_notification& o) { return is_for(o, "bad"); };
  n.advance(milliseconds(1000));
  CHECK(n.sink->hanging == 2);
  tell(n, "good", 0, 3);
  CHECK(told(n).size() == 3);
}

TEST_CASE("notifier: given a try too many, then it is a dead letter; replayed, it arrives under the id that it had") {
  auto s = places(2);
  s.notify_tries_max = 3;
  stepped_node n(test_system(), s);
  n.settle();
  n.sink->failures_left = 3;
  tell(n, "bad", 0, 1);
  n.advance(milliseconds(190 + 390));
  CHECK(n.sink->delivered.empty());
  n.advance(milliseconds(500));
  const auto letter = only_dead_letter(n);
  CHECK(letter["attempts"] == 3);
  CHECK(letter["message"] == "notification");
  CHECK(letter["error"] == "tried 3 times (notify.triesMax); at last: not now");
  check_at_rest(n);
  n.crash();
  n.settle();
  replay(n, letter);
  REQUIRE(n.sink->delivered.size() == 1);
  CHECK(n.sink->tries == std::map<std::string, int>{{n.sink->delivered[0].id, 4}});
  CHECK(n.node().dead_letters().empty());
  check_at_rest(n);
}

TEST_CASE("notifier: given one that is too old, then it is a dead letter, also where restarts came in between") {
  auto s = places(2);
  s.notify_age_max = milliseconds(5000);
  stepped_node n(test_system(), s);
  n.settle();
  n.sink->failures_left = for_ever;
  tell(n, "bad", 0, 1);
  n.advance(milliseconds(3000));
  CHECK(n.node().dead_letters().empty());
  n.crash();
  n.settle();
  n.advance(milliseconds(1000));
  CHECK(n.node().dead_letters().empty());
  n.advance(milliseconds(1100));
  CHECK(only_dead_letter(n)["error"] == "older than notify.ageMaxMs; at last: not now");
  check_at_rest(n);
}

TEST_CASE("notifier: given a receiver that says how long to wait, then it is not tried before") {
  stepped_node n(test_system(), places(2));
  n.settle();
  n.sink->answers = [](const outgoing_notification&) { return delivery_report{verdict::try_again, "busy", milliseconds(7000)}; };
  tell(n, "bad", 0, 1);
  n.sink->answers = nullptr;
  n.advance(milliseconds(6900));
  CHECK(n.sink->delivered.empty());
  n.advance(milliseconds(200));
  CHECK(n.sink->delivered.size() == 1);
}

TEST_CASE("notifier: an id names the system and the history: other data, other ids; a restart keeps them") {
  auto s = places(2);
  const auto ids = [](stepped_node& n) {
    n.settle();
    n.sink->failures_left = 1;
    tell(n, "bert", 0, 1);
    n.crash();
    n.settle();
    REQUIRE(n.sink->delivered.size() == 1);
    CHECK(n.sink->tries == std::map<std::string, int>{{n.sink->delivered[0].id, 2}});
    return n.sink->delivered[0].id;
  };
  stepped_node one(test_system(), s);
  const auto id = ids(one);
  CHECK(id.starts_with("testsystem-" + std::string(one.node().history()) + "-"));
  s.seed = 1;
  stepped_node other(test_system(), s);
  CHECK(ids(other) != id);
}

TEST_CASE("limits: given a full outbox, then only what would add to it is refused, and health says so") {
  auto s = places(2);
  s.outbox_max = 4;
  stepped_node n(test_system(), s);
  n.settle();
  n.sink->failures_left = for_ever;
  tell(n, "bad", 0, 4);
  CHECK(n.node().health()["outbox"]["status"] == "DOWN");
  CHECK(n.node().health()["outbox"]["full"] == nlohmann::json{"desk"});
  const auto refused = n.ask("account", {}, deposit{1, "to bad9: hello"});
  REQUIRE(refused.refused);
  CHECK(refused.refused->kind == rejection_kind::overloaded);
  CHECK(refused.refused->detail.find("'desk' (runtime.outboxMax)") != std::string::npos);
  CHECK_FALSE(n.ask("account", 1, transfer{1, "t", "l"}).refused);
  n.sink->failures_left = 0;
  n.advance(milliseconds(300));
  CHECK(n.node().health()["outbox"]["status"] == "UP");
  CHECK_FALSE(n.ask("account", {}, deposit{1, "to good: hello"}).refused);
  check_at_rest(n);
}

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
