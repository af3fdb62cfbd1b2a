#include "actors/supervision.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

using namespace crema::actors;

TEST_CASE("restart policy: given an intensity of 3, when a child fails a fourth time within the period, then it is escalated") {
  restart_policy p(3, milliseconds(1000), milliseconds(10), milliseconds(100));
  for (int i = 0; i < 3; ++i) CHECK(p.on_failure(i, 0));
  CHECK_FALSE(p.on_failure(999, 0));
}

TEST_CASE("restart policy: given failures, when the period since the first has passed, then that one no longer counts") {
  restart_policy p(2, milliseconds(1000), milliseconds(10), milliseconds(100));
  CHECK(p.on_failure(0, 0));
  CHECK(p.on_failure(500, 0));
  CHECK(p.on_failure(1000, 0));
  CHECK(p.recent() == 2);
  CHECK_FALSE(p.on_failure(1499, 0));
}

TEST_CASE("restart policy: given an intensity of 0, when a child fails once, then it is escalated") {
  restart_policy p(0, milliseconds(1000), milliseconds(10), milliseconds(100));
  CHECK_FALSE(p.on_failure(0, 0));
}

TEST_CASE("restart policy: given failures in a row, then the back-off doubles up to its cap, and is small again after a quiet period") {
  restart_policy p(100, milliseconds(1000), milliseconds(10), milliseconds(100));
  CHECK(p.on_failure(0, 0) == milliseconds(10));
  CHECK(p.on_failure(0, 0) == milliseconds(20));
  CHECK(p.on_failure(0, 0) == milliseconds(40));
  CHECK(p.on_failure(0, 0) == milliseconds(80));
  CHECK(p.on_failure(0, 0) == milliseconds(100));
  for (int i = 0; i < 60; ++i) CHECK(p.on_failure(0, 0) == milliseconds(100));  // no shift beyond the width
  CHECK(p.on_failure(1000, 0) == milliseconds(10));
}

TEST_CASE("back-off: given any random number, then at most half of it is taken off, and it is never nothing") {
  for (std::uint64_t random = 0; random < 1000; ++random) {
    const auto wait = restart_policy::backoff(4, milliseconds(10), milliseconds(1000), random);
    CHECK(wait >= milliseconds(40));
    CHECK(wait <= milliseconds(80));
    CHECK(restart_policy::backoff(1, milliseconds(0), milliseconds(0), random) >= milliseconds(1));
    CHECK(restart_policy::backoff(1, milliseconds(1), milliseconds(10), random) == milliseconds(1));
  }
  CHECK(restart_policy::backoff(4, milliseconds(10), milliseconds(1000), 40) == milliseconds(40));
  CHECK(restart_policy::backoff(4, milliseconds(10), milliseconds(1000), ~std::uint64_t{0}) <= milliseconds(80));
}

// ---- whom a supervisor ends and starts

namespace {

constexpr auto permanent = lifetime::permanent;
constexpr auto transient = lifetime::transient;
constexpr auto temporary = lifetime::temporary;
using numbers = std::vector<std::size_t>;

restart_policy policy(std::uint32_t intensity) { return {intensity, milliseconds(1000), milliseconds(10), milliseconds(100)}; }

restart_strategy of(strategy how, std::vector<lifetime> children, std::uint32_t intensity = 3) {
  return {how, std::move(children), policy(intensity), policy(~0U)};
}

/// All run but those that are named.
std::vector<bool> all_but(std::size_t count, numbers ended) {
  std::vector<bool> running(count, true);
  for (const auto i : ended) running[i] = false;
  return running;
}

}  // namespace

TEST_CASE("one_for_one: given a child that failed, then it alone is started again") {
  auto s = of(strategy::one_for_one, {permanent, permanent, permanent});
  const auto plan = s.on_end(1, ending::failure, all_but(3, {1}), 0, 0);
  CHECK_FALSE(plan.escalate);
  CHECK(plan.stop.empty());
  CHECK(plan.start == numbers{1});
  CHECK(plan.wait == milliseconds(10));
}

TEST_CASE("one_for_all: given a child that failed, then the others end in reverse order, and all are started in order") {
  auto s = of(strategy::one_for_all, {permanent, permanent, permanent, permanent});
  const auto plan = s.on_end(1, ending::failure, all_but(4, {1}), 0, 0);
  CHECK(plan.stop == numbers{3, 2, 0});
  CHECK(plan.start == numbers{0, 1, 2, 3});
}

TEST_CASE("rest_for_one: given a child that failed, then those behind it end in reverse order, and it and they are started in order") {
  auto s = of(strategy::rest_for_one, {permanent, permanent, permanent, permanent});
  const auto plan = s.on_end(1, ending::failure, all_but(4, {1}), 0, 0);
  CHECK(plan.stop == numbers{3, 2});
  CHECK(plan.start == numbers{1, 2, 3});
  CHECK(s.on_end(3, ending::failure, all_but(4, {3}), 0, 0).stop.empty());
}

TEST_CASE("lifetime: a permanent child is always started again, a transient one after a failure, a temporary one never") {
  for (const auto how : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    auto s = of(how, {permanent, transient, temporary});
    CHECK(s.on_end(0, ending::normal, all_but(3, {0}), 0, 0).start.at(0) == 0);
    CHECK(s.on_end(1, ending::failure, all_but(3, {1}), 0, 0).start.size() >= 1);
    for (const auto& [child, why] : {std::pair{1U, ending::normal}, std::pair{2U, ending::normal}, std::pair{2U, ending::failure}}) {
      const auto plan = s.on_end(child, why, all_but(3, {child}), 0, 0);
      CHECK(plan.stop.empty());  // nobody else is concerned
      CHECK(plan.start.empty());
      CHECK_FALSE(plan.escalate);
    }
    CHECK(s.failures_ms().size() == 2);  // what is not restarted does not count
  }
}

TEST_CASE("lifetime: a temporary child that ends with others is not started with them, nor is one that had ended for good") {
  auto s = of(strategy::one_for_all, {permanent, temporary, transient, permanent});
  const auto plan = s.on_end(0, ending::failure, all_but(4, {0, 2}), 0, 0);
  CHECK(plan.stop == numbers{3, 1});
  CHECK(plan.start == numbers{0, 3});
}

TEST_CASE("intensity: given one failure more than it allows, then all end in reverse order and the failure goes up") {
  for (const auto how : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    auto s = of(how, {permanent, permanent, permanent}, 2);
    CHECK_FALSE(s.on_end(1, ending::failure, all_but(3, {1}), 0, 0).escalate);
    CHECK_FALSE(s.on_end(2, ending::failure, all_but(3, {2}), 1, 0).escalate);  // another child's failure is one of the supervisor's
    const auto plan = s.on_end(1, ending::failure, all_but(3, {1}), 2, 0);
    CHECK(plan.escalate);
    CHECK(plan.stop == numbers{2, 0});
    CHECK(plan.start.empty());
    CHECK_FALSE(of(how, {permanent}, 1).on_end(0, ending::failure, all_but(1, {0}), 0, 0).escalate);
  }
}

TEST_CASE("intensity: given failures further apart than the period, then none goes up, and the wait is short again") {
  auto s = of(strategy::one_for_all, {permanent, permanent}, 1);
  for (int i = 0; i < 20; ++i) {
    const auto plan = s.on_end(0, ending::failure, all_but(2, {0}), i * 1000, 0);
    CHECK_FALSE(plan.escalate);
    CHECK(plan.wait == milliseconds(10));
  }
}

TEST_CASE("an isolated failure restarts its child alone, with a growing wait, and counts for nobody's intensity") {
  auto s = of(strategy::one_for_all, {permanent, permanent}, 1);
  milliseconds before{0};
  for (int i = 0; i < 4; ++i) {
    const auto plan = s.on_end(0, ending::isolated, all_but(2, {0}), i, 0);
    CHECK_FALSE(plan.escalate);
    CHECK(plan.stop.empty());
    CHECK(plan.start == numbers{0});
    CHECK(plan.wait > before);
    before = plan.wait;
  }
  CHECK(s.failures_ms().empty());
  CHECK_FALSE(s.on_end(1, ending::failure, all_but(2, {1}), 5, 0).escalate);
}
