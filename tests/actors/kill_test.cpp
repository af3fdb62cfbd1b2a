// Any actor is killed at any moment: whoever asked gets one answer, and the books balance.
#include <caf/send.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

struct victim {
  std::string name;
  std::function<caf::actor(stepped_node&)> find;
};

std::vector<victim> victims_of(const system_declaration& s) {
  std::vector<victim> all;
  for (const auto& c : s.contexts) {
    const auto i = c.index;
    all.push_back({c.name + " gate", [i](stepped_node& n) { return n.shared().gate(i).get(); }});
    all.push_back({c.name + " notifier", [i](stepped_node& n) { return n.shared().notifier(i).get(); }});
    for (std::uint16_t p = 0; p < 2; ++p)
      all.push_back({c.name + " partition " + std::to_string(p), [i, p](stepped_node& n) { return n.shared().partition({i, p}).get(); }});
  }
  all.push_back({"timers", [](stepped_node& n) { return n.shared().timer.get(); }});
  return all;
}

void rest(stepped_node& n) {
  n.settle();
  n.advance(milliseconds(1300));
}

/// False: the story was over before that step.
bool cut(const scenario& story, const victim& who, int step, bool with_disk) {
  stepped_node n(story.system(), few_partitions());
  story.prepare(n);
  const auto target = who.find(n);
  if (!target) return false;  // this context has none
  const auto all = story.begin(n);
  for (int i = 0; i < step; ++i)
    if (!n.step()) return false;
  caf::anon_send_exit(target, caf::exit_reason::kill);
  if (!with_disk) n.advance_without_disk(milliseconds(20));  // it is back before anything of its predecessor is on disk
  rest(n);
  CAPTURE(story.name, who.name, step, with_disk);
  for (const auto& p : all) CHECK(p->answers == 1);
  story.check(n, all);
  check_at_rest(n);
  return true;
}

/// False: the exchange was over before that step.
bool cut_and_ask_again(const victim& who, int step, std::uint64_t seed) {
  chance random(seed);
  stepped_node n(rewards::rewards(), lanes_one_by_one());
  const auto first = begin_exchange(n);
  for (int taken = 0; taken < step; ++taken)
    if (!n.step()) return false;
  if (const auto target = who.find(n)) caf::anon_send_exit(target, caf::exit_reason::kill);
  // Asked again as soon as the first answer is there, while what the first one began is still under way.
  for (auto& jobs = n.coordinator().jobs; !first->done();) {
    if (jobs.empty() && !n.commit()) n.pass_time(milliseconds(1));
    if (jobs.empty()) continue;
    std::swap(jobs.front(), jobs[random.below(jobs.size())]);
    n.coordinator().run_once();
  }
  const auto again = n.send("wallet", 1, rewards::exchange_wallet{});
  settle_in_any_order(n, random);
  rest(n);
  CAPTURE(who.name, step, seed);
  CHECK(again->answers == 1);
  check_exchange(n);
  return true;
}

void cut_everywhere(const scenario& story) {
  const auto system = story.system();
  for (const auto& who : victims_of(system))
    for (const bool with_disk : {true, false})
      for (int step = 0; cut(story, who, step, with_disk); ++step) {}
}

}  // namespace

TEST_CASE("kill: given orders being placed, when any actor is killed at any step, then each has one answer and the books balance") {
  cut_everywhere(place_orders());
}

TEST_CASE("kill: given orders being canceled, when any actor is killed at any step, then each has one answer and the books balance") {
  cut_everywhere(cancel_orders());
}

TEST_CASE(
    "kill: given accounts that are asked, told and reminded, when any actor is killed at any step, then each has one answer and the books "
    "balance") {
  cut_everywhere(account_mix());
}

TEST_CASE(
    "kill: given a step that is not on disk yet, when its partition comes back before the disk does, then the next step builds on it") {
  stepped_node n(test_system(), few_partitions());
  n.settle();
  REQUIRE_FALSE(n.ask("account", {}, deposit{100, "open"}).refused);
  const auto first = n.send("account", 1, deposit{10, "a"});
  const auto booking = n.send("account", 1, transfer{7, "t", "new"});
  n.run_actors();
  for (std::uint16_t c = 0; c < 3; ++c)
    for (std::uint16_t p = 0; p < 2; ++p) caf::anon_send_exit(n.shared().partition({c, p}).get(), caf::exit_reason::kill);
  n.advance_without_disk(milliseconds(30));
  const auto second = n.send("account", 1, deposit{5, "b"});
  const auto again = n.send("account", 1, transfer{8, "u", "new"});
  n.advance_without_disk(milliseconds(30));
  rest(n);
  for (const auto& p : {first, booking, second, again}) {
    REQUIRE(p->answers == 1);
    CHECK(p->ok());
  }
  CHECK(n.row<account>("account", 1)->tags == "open,a,t,b,u,");
  CHECK(n.row<account>("account", 1)->balance == 130);
  CHECK(all_rows<ledger>(n, "ledger").size() == 1);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE(
    "kill: given a wallet being exchanged, when a gate or a partition is killed at any step and the caller asks again at once, then only "
    "an "
    "exchanged wallet has a gift") {
  for (const auto& who : victims_of(rewards::rewards())) {
    if (who.name.starts_with("wallet") || who.name.starts_with("gift"))
      for (std::uint64_t seed = 1; seed <= 10; ++seed)
        for (int step = 0; cut_and_ask_again(who, step, seed); ++step) {}
  }
}
