// Two hundred seeds, each its own order of everything: which actor runs next, when the disk commits, who is killed, what is stopped.
#include <algorithm>
#include <caf/send.hpp>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

/// 200 by default; CREMA_SEEDS says otherwise ("7-7" runs one that failed).
std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* given = std::getenv("CREMA_SEEDS");  // NOLINT(concurrency-mt-unsafe): one thread
  if (given == nullptr) return {1, 200};
  char* end = nullptr;
  const auto from = std::strtoull(given, &end, 10);
  return {from, *end == '-' ? std::strtoull(end + 1, nullptr, 10) : from};
}

class player {
 public:
  player(stepped_node& n, std::uint64_t seed) : n_(n), random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  /// Some actor that can run does, or the disk commits, or a little time passes.
  void step() {
    auto& jobs = n_.coordinator().jobs;
    if (jobs.empty() || below(10) == 0) {
      if (!n_.commit() && jobs.empty()) pass_time();
      return;
    }
    std::swap(jobs.front(), jobs[below(jobs.size())]);
    n_.coordinator().run_once();
  }
  void pass_time() {
    const auto d = milliseconds(1 + below(5));
    n_.clock().advance(d);
    n_.coordinator().advance_time(d);
  }

 private:
  stepped_node& n_;
  std::mt19937_64 random_;
};

void kill_somebody(stepped_node& n, player& p) {
  const auto context = static_cast<std::uint16_t>(p.below(n.system().contexts.size()));
  caf::actor victim;
  switch (p.below(4)) {
    case 0: victim = n.shared().gate(context).get(); break;
    case 1: victim = n.shared().notifier(context).get(); break;
    case 2: victim = n.shared().timer.get(); break;
    default: victim = n.shared().partition({context, static_cast<std::uint16_t>(p.below(2))}).get(); break;
  }
  if (victim) caf::anon_send_exit(victim, caf::exit_reason::kill);
}

void settle_everything(stepped_node& n) {
  n.settle();
  n.advance(milliseconds(8000));
}

// A fault of any kind that a node survives, for a while or a few times.
void inject_something(stepped_node& n, player& p) {
  const auto any_context = [&] { return n.system().contexts[p.below(3)].name; };
  const auto any_link = [&] { return any_context() + "->" + any_context(); };
  nlohmann::json f{{"seed", 1 + p.below(1000)}, {"rate", 0.5}, {"durationMs", 1 + p.below(300)}};
  const auto is = [&](const char* kind, const std::string& target) {
    f["kind"] = kind;
    f["target"] = target;
  };
  switch (p.below(11)) {
    case 0: is("crash", any_context()); break;
    case 1:
      is("slow", any_context());
      f["delayMaxMs"] = 30;
      break;
    case 2:
      is("hang", any_context());
      f["count"] = 2;
      break;
    case 3:
      is("full", any_context());
      f["count"] = 3;
      break;
    case 4: is("drop", any_link()); break;
    case 5:
      is("delay", any_link());
      f["delayMaxMs"] = 100;
      break;
    case 6: is("repeat", any_link()); break;
    case 7: is("reorder", any_link()); break;
    case 8: is("crash", any_context() + (p.below(2) == 0 ? "/partition-1" : "/bulkhead")); break;
    case 9: f = {{"kind", "stall"}, {"target", "desk/projector"}, {"durationMs", 200}}; break;
    default:
      is("throw", any_context());
      f["count"] = 2;
      break;  // fewer than kill a message, also with those that are armed
  }
  const auto added = n.node().add_fault(f);
  if (!added) FAIL(f.dump() << added.why().detail);
}

// What happens meanwhile, after each request.
using trouble = std::function<void(stepped_node&, player&)>;

void accounts_in_trouble(bool faults, const trouble& meanwhile) {
  for (auto [seed, last] = seeds(); seed <= last; ++seed) {
    INFO("CREMA_SEEDS=" << seed);
    auto s = few_partitions();
    s.faults_enabled = faults;
    if (faults) s.poison_attempts = 50;  // a message that dies is not told, and the accounts here count on each
    s.seed = seed;
    s.batch_items_max = seed % 3 == 0 ? 1 : 4096;
    s.idle = milliseconds(seed % 2 == 0 ? 20 : 30000);
    s.restart_intensity = 1000;
    s.backoff_max = milliseconds(50);
    stepped_node n(test_system(), s);
    n.settle();
    player p(n, seed);
    fault now_and_then("note:sour", 3), in_the_middle("replied:sour", 2), partner("book:sour", 2);
    struct request {
      std::shared_ptr<stepped_node::pending> answer;
      std::string tag;
      std::int64_t amt;
    };
    std::vector<request> all;
    for (int round = 0; round < 60; ++round) {
      const auto id = all.size() < 4 ? std::optional<std::uint64_t>() : std::optional<std::uint64_t>(1 + p.below(4));
      const auto tag = p.below(8) == 0 ? std::string("sour") : "n" + std::to_string(all.size());
      const auto amt = static_cast<std::int64_t>(1 + p.below(100));
      switch (p.below(5)) {
        case 0: all.push_back({n.send("account", id, deposit{amt, tag}), tag, amt}); break;
        case 1: all.push_back({n.send("account", id, deposit{amt, "ask" + tag}), "ask" + tag, amt}); break;
        default: all.push_back({n.send("account", id, transfer{amt, tag, p.below(2) == 0 ? "one" : "two"}), tag, amt}); break;
      }
      for (auto steps = p.below(30); steps > 0; --steps) p.step();
      meanwhile(n, p);
      if (p.below(3) == 0) p.pass_time();
    }
    n.node().remove_faults({});
    settle_everything(n);
    for (const auto& r : all) CHECK(r.answer->answers == 1);
    std::int64_t expected = 0, there = 0, asked = 0, booked_by_accounts = 0, held = 0;
    for (const auto& r : all) {
      if (!r.answer->ok()) continue;
      expected += r.amt;
      if (r.tag.rfind("ask", 0) == 0) asked += r.amt;
    }
    for (const auto& [id, a] : all_rows<account>(n, "account")) {
      there += a.balance;
      booked_by_accounts += a.booked;
      const auto told = n.row<shadow>("shadow", id);
      REQUIRE(told.has_value());
      CHECK(told->sum == a.balance);
      CHECK(told->tags == a.tags);  // in order, also where a message had to be tried again
    }
    for (const auto& [id, l] : all_rows<ledger>(n, "ledger")) held += l.sum;
    CHECK(there == expected);
    CHECK(held == booked_by_accounts + asked);
    check_at_rest(n);
  }
}

void kills_stops_and_crashes(stepped_node& n, player& p) {
  if (p.below(12) == 0) kill_somebody(n, p);
  if (p.below(30) == 0) {
    const auto context = n.system().contexts[p.below(4)].name;
    n.node().switch_context(context, false, [](std::optional<rejection>) {});
    for (auto steps = p.below(60); steps > 0; --steps) p.step();
    n.node().switch_context(context, true, [](std::optional<rejection>) {});
  }
  if (p.below(40) == 0) n.crash();
}

}  // namespace

TEST_CASE(
    "random schedule: given a mixed workload of accounts with faults, kills, stops and crashes, then every answer holds and the books "
    "balance, for 200 seeds") {
  accounts_in_trouble(false, kills_stops_and_crashes);
}

TEST_CASE(
    "random schedule: given injected faults of every kind on top of that, then every answer holds and the books balance, for 200 seeds") {
  accounts_in_trouble(true, [](stepped_node& n, player& p) {
    if (p.below(4) == 0) inject_something(n, p);
    kills_stops_and_crashes(n, p);
  });
}

TEST_CASE("random schedule: given orders, cancels and baristas at once, then order, payment, drink and sale agree, for 200 seeds") {
  using namespace cafeteria;
  for (auto [seed, last] = seeds(); seed <= last; ++seed) {
    INFO("CREMA_SEEDS=" << seed);
    auto s = few_partitions();
    s.seed = seed;
    s.batch_items_max = seed % 3 == 0 ? 1 : 4096;
    s.restart_intensity = 1000;
    s.contexts["payment"].bulkhead.concurrent_max = 3;
    s.contexts["payment"].bulkhead.queued_max = 3;
    stepped_node n(crema::cafeteria::cafeteria(), s);
    n.settle();
    player p(n, seed);
    answers placed, others;
    for (int round = 0; round < 40; ++round) {
      const auto id = 1 + p.below(10);
      switch (p.below(4)) {
        case 0: others.push_back(n.send("order", id, cancel_order{})); break;
        case 1: others.push_back(n.send("drink", id, receipt_drink{})); break;
        default: placed.push_back(n.send("order", {}, place_order{p.below(2) == 0 ? "010" : "011", "coffee", 1, 10})); break;
      }
      for (auto steps = p.below(40); steps > 0; --steps) p.step();
      if (p.below(15) == 0) kill_somebody(n, p);
      if (p.below(40) == 0) n.crash();
    }
    settle_everything(n);
    for (const auto& a : placed) CHECK(a->answers == 1);
    for (const auto& a : others) CHECK(a->answers == 1);
    CHECK(all_rows<order>(n, "order").size() == static_cast<std::size_t>(count_ok(placed)));
    check_cafeteria(n);
    check_at_rest(n);
  }
}
