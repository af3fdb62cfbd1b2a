// A storm: ten thousand aggregates of one context fail at once, again and again. Who works with another context must not notice.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

constexpr int arrivals = 10'000, arrivals_per_ms = 10;
constexpr int steps_per_ms = 1000;  // of the one worker that this node has: what is left over waits for the next millisecond

struct figures {
  std::int64_t p99_ms = 0, worst_ms = 0;
  std::uint64_t restarts = 0, dead_letters = 0;
};

void work_for_a_millisecond(stepped_node& n) {
  for (int done = 0; done < steps_per_ms && n.step(); ++done) {}
  n.clock().advance(milliseconds(1));
  n.coordinator().advance_time(milliseconds(1));
}

/// What the shadows' callers see, one a millisecond, while orders of as many accounts come in.
figures beside_accounts(bool that_fail) {
  auto s = few_partitions();
  s.faults_enabled = true;
  s.awake_max = 2 * arrivals;
  stepped_node n(test_system(), s);
  n.settle();
  if (that_fail) REQUIRE(n.node().add_fault({{"target", "account"}, {"kind", "throw"}}));
  n.settle();

  struct probe {
    std::shared_ptr<stepped_node::pending> answer;
    int sent_at = 0, answered_at = -1;
  };
  std::vector<probe> probes;
  answers all;
  const auto look = [&](int now) {
    for (auto& p : probes)
      if (p.answered_at < 0 && p.answer->done()) p.answered_at = now;
  };
  const int storm_ms = arrivals / arrivals_per_ms;
  for (int now = 0; now < storm_ms; ++now) {
    for (int i = 0; i < arrivals_per_ms; ++i) all.push_back(n.send("account", {}, deposit{1, "s"}));
    probes.push_back({n.send("shadow", {}, note{1, "p"}), now});
    work_for_a_millisecond(n);
    look(now + 1);
  }
  n.settle();
  look(storm_ms);
  n.advance(milliseconds(3000));
  figures f;
  std::vector<std::int64_t> taken;
  for (const auto& p : probes) {
    CHECK(p.answer->ok());
    taken.push_back(p.answered_at - p.sent_at);
  }
  for (const auto& p : all) CHECK((p->answers == 1 && p->ok() != that_fail));
  std::sort(taken.begin(), taken.end());
  f.p99_ms = taken[taken.size() * 99 / 100];
  f.worst_ms = taken.back();
  f.restarts = n.shared().contexts[0].restarts;
  f.dead_letters = n.shared().contexts[0].dead_letters;
  CHECK(n.shared().board.all().at("account").restarts == 0);  // entities fail, their supervisors do not
  CHECK(n.shared().contexts[2].restarts == 0);
  CHECK(n.failed_with.empty());
  return f;
}

}  // namespace

TEST_CASE("storm: given 10,000 failing entities in one context, then another context's callers wait as long as beside healthy ones") {
  const auto calm = beside_accounts(false);
  const auto storm = beside_accounts(true);
  CAPTURE(calm.p99_ms, calm.worst_ms, storm.p99_ms, storm.worst_ms);
  CHECK(calm.restarts == 0);
  CHECK(storm.restarts == 10'000U * 5U);
  CHECK(storm.dead_letters == 10'000);
  CHECK(storm.p99_ms <= calm.p99_ms + 1);
  CHECK(storm.worst_ms <= calm.worst_ms + 2);
}
