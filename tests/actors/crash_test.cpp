// The process is killed between any two steps and any two commits: what was acknowledged is there, nothing is there by halves.
#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

bool crash_at(const scenario& story, int step, std::size_t batch_items_max, bool twice) {
  auto settings = few_partitions();
  settings.batch_items_max = batch_items_max;
  stepped_node n(story.system(), settings);
  story.prepare(n);
  const auto all = story.begin(n);
  for (int i = 0; i < step; ++i)
    if (!n.step()) return false;
  CAPTURE(story.name, step, batch_items_max, twice);
  std::vector<bool> acknowledged;
  for (const auto& p : all) acknowledged.push_back(p->ok());
  n.crash();
  if (twice) {  // in the middle of the recovery
    for (int i = 0; i < step; ++i) (void)n.step();
    n.crash();
  }
  n.settle();
  CHECK(n.node().ready());
  n.advance(milliseconds(1300));
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i]->answers <= 1);
    CHECK(all[i]->ok() == acknowledged[i]);
  }
  story.check(n, all);
  check_at_rest(n);
  return true;
}

void crash_everywhere(const scenario& story) {
  for (const bool twice : {false, true})
    for (const std::size_t items : {std::size_t{1}, std::size_t{4096}})
      for (int step = 0; crash_at(story, step, items, twice); ++step) {}
}

}  // namespace

TEST_CASE(
    "crash: given orders being placed, when the node dies at any step, then what was acknowledged is there and the rest is whole or not "
    "there") {
  crash_everywhere(place_orders());
}

TEST_CASE(
    "crash: given orders being canceled, when the node dies at any step, then what was acknowledged is there and the saga is finished") {
  crash_everywhere(cancel_orders());
}

TEST_CASE(
    "crash: given accounts that are asked, told and reminded, when the node dies at any step, then what was acknowledged is there once") {
  crash_everywhere(account_mix());
}

namespace {

/// False: the exchange was over before that step.
bool crash_and_ask_again(int step, std::uint64_t seed) {
  chance random(seed);
  stepped_node n(rewards::rewards(), lanes_one_by_one());
  (void)begin_exchange(n);
  for (int taken = 0; taken < step; ++taken)
    if (!n.step()) return false;
  n.crash();
  n.run_actors();
  const auto again = n.send("wallet", 1, rewards::exchange_wallet{});
  settle_in_any_order(n, random);
  n.advance(milliseconds(100));
  CAPTURE(step, seed);
  CHECK(again->answers == 1);
  check_exchange(n);
  CHECK(n.row<rewards::wallet>("wallet", 1)->status == rewards::wallet_status::exchanged);
  return true;
}

}  // namespace

TEST_CASE(
    "crash: given a wallet being exchanged, when the node dies at any step and the caller asks again at once, then an exchanged wallet has "
    "its gift") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    for (int step = 0; crash_and_ask_again(step, seed); ++step) {}
}
