#include "actors/supervision.hpp"

#include <catch2/catch.hpp>

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
