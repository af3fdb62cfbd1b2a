// The limits of a causal tree, and messages that waited longer than a search goes on.
#include "storage/causal_tree.hpp"

#include <catch2/catch.hpp>

#include "tests/storage/small_system.hpp"

using namespace small;

namespace {

struct bench {
  std::unique_ptr<store> disk = make_memory_store();
  hand h{*disk};
  type_catalog types = the_system().catalog();

  std::optional<causal_forest> tree(std::uint64_t cup, const tree_limits& limits = {}) const {
    return read_causal_forest(*disk->read(), partitions, types, cups, cup, limits);
  }
  // Cup `from` tells cup `to`, which hears it behind `between` records of its partition.
  void tell(std::uint64_t from, std::uint64_t to, int between, std::vector<value> heard) {
    auto sends = hand::step(cups, from, {made("a", 1)});
    sends.messages.push_back(message_to(to, 5));
    const auto sent = h.write(std::move(sends));
    for (int i = 0; i < between; ++i)
      (void)h.write(hand::step(cups, to + partitions * (static_cast<std::uint64_t>(i) + 1), {made("b", 1)}));
    auto hears = hand::step(cups, to, std::move(heard));
    hears.causation = sent->sequence;
    hears.correlation = sent->subject;
    hears.consumed.push_back(sent->messages[0].ref);
    (void)h.write(std::move(hears));
  }
};

tree_limits search_at_most(std::size_t records) {
  tree_limits l;
  l.search_records_max = records;
  return l;
}

}  // namespace

TEST_CASE("causal tree: given a message that waited behind more records than a search looks at, then its receiver's history tells") {
  bench b;
  b.tell(1, 6, 20, {made("x", 1)});
  const auto found = b.tree(1, search_at_most(5));
  REQUIRE(found);
  REQUIRE(found->roots.size() == 1);
  REQUIRE(found->roots[0].steps.size() == 1);
  CHECK(found->roots[0].steps[0].state == step_state::recorded);
  CHECK(found->roots[0].steps[0].record->events.size() == 1);
}

TEST_CASE("causal tree: given a message whose late consumer left no event, when the search ends before it, then the tree says so") {
  bench b;
  b.tell(1, 6, 20, {});
  const auto found = b.tree(1, search_at_most(5));
  REQUIRE(found);
  CHECK_FALSE(found->complete);
  CHECK(found->roots[0].steps[0].state == step_state::unknown);
  const auto whole = b.tree(1);
  CHECK(whole->complete);
  CHECK(whole->roots[0].steps[0].state == step_state::recorded);
}

TEST_CASE("causal tree: given more records of its own than are climbed from, then the newest are shown and the tree says so") {
  bench b;
  for (int i = 0; i < 8; ++i) (void)b.h.write(hand::step(cups, 1, {filled(1)}));
  tree_limits few;
  few.own_records_max = 3;
  const auto found = b.tree(1, few);
  CHECK_FALSE(found->complete);
  REQUIRE(found->roots.size() == 3);
  CHECK(found->roots[0].record->version == 6);
  CHECK(b.tree(1)->roots.size() == 8);
  CHECK(b.tree(1)->complete);
}

TEST_CASE("causal tree: given an endless chain, then it ends at the limit of steps") {
  bench b;
  auto from = hand::step(cups, 1, {made("a", 1)});
  from.messages.push_back(message_to(1, 1));
  auto last = b.h.write(std::move(from));
  for (int i = 0; i < 50; ++i) {
    auto next = hand::step(cups, 1, {filled(1)});
    next.causation = last->sequence;
    next.consumed.push_back(last->messages[0].ref);
    next.messages.push_back(message_to(1, 1));
    last = b.h.write(std::move(next));
  }
  tree_limits few;
  few.steps_max = 10;
  CHECK_FALSE(b.tree(1, few)->complete);
  const auto whole = b.tree(1);
  CHECK(whole->complete);
  REQUIRE(whole->roots.size() == 1);
  std::size_t depth = 0;
  for (const auto* s = &whole->roots[0]; !s->steps.empty(); s = &s->steps[0]) ++depth;
  CHECK(depth == 51);  // the last message waits
}

TEST_CASE("causal tree: given a gone aggregate, then its tree is still there") {
  bench b;
  b.tell(1, 6, 0, {made("x", 1)});
  (void)b.h.write(hand::step(cups, 6, {broken()}));
  const auto found = b.tree(6);
  REQUIRE(found);
  CHECK(found->roots.size() == 2);
}
