#include "actors/circuit_breaker.hpp"

#include <catch2/catch.hpp>

using namespace crema::actors;

namespace {

bulkhead_settings figures() {
  bulkhead_settings s;
  s.window = milliseconds(1000);
  s.window_calls_min = 10;
  s.failure_rate_percent = 50;
  s.slow_call = milliseconds(100);
  s.slow_rate_percent = 80;
  s.open_time = milliseconds(500);
  s.half_open_probes = 3;
  return s;
}

void report(circuit_breaker& b, std::int64_t now, int times, call_result result, std::int64_t took = 1) {
  for (int i = 0; i < times; ++i) {
    REQUIRE(b.admit(now));
    b.report(now, result, took);
  }
}

circuit_breaker opened(const bulkhead_settings& s, std::int64_t now = 0) {
  circuit_breaker b(s);
  for (std::uint32_t i = 0; i < s.window_calls_min; ++i) b.report(now, call_result::failure, 1);
  REQUIRE(b.state() == circuit_state::open);
  return b;
}

}  // namespace

TEST_CASE("circuit breaker: given fewer calls than the rates need, when all of them fail, then it stays closed; the next one opens it") {
  circuit_breaker b(figures());
  report(b, 0, 9, call_result::failure);
  CHECK(b.state() == circuit_state::closed);
  report(b, 0, 1, call_result::failure);
  CHECK(b.state() == circuit_state::open);
  CHECK_FALSE(b.admit(0));
}

TEST_CASE("circuit breaker: given a failure rate, when exactly the percentage failed, then it opens, and one call less leaves it closed") {
  auto s = figures();
  s.window_calls_min = 100;
  circuit_breaker below(s);
  report(below, 0, 51, call_result::success);
  report(below, 0, 49, call_result::failure);
  CHECK(below.state() == circuit_state::closed);
  circuit_breaker at(s);
  report(at, 0, 50, call_result::success);
  report(at, 0, 49, call_result::failure);
  CHECK(at.state() == circuit_state::closed);
  report(at, 0, 1, call_result::failure);
  CHECK(at.state() == circuit_state::open);
}

TEST_CASE("circuit breaker: given failures, when the window's time has passed, then they no longer count") {
  circuit_breaker b(figures());
  report(b, 0, 9, call_result::failure);
  report(b, 999, 1, call_result::success);
  CHECK(b.state() == circuit_state::open);  // 9 of 10: all in the window
  circuit_breaker later(figures());
  report(later, 0, 9, call_result::failure);
  report(later, 1000, 10, call_result::success);
  CHECK(later.state() == circuit_state::closed);
  CHECK(later.window().calls == 10);
  CHECK(later.window().failed == 0);
}

TEST_CASE("circuit breaker: given a burst within the window, when more calls come than it counts, then the oldest leave it") {
  auto s = figures();
  s.failure_rate_percent = 100;
  circuit_breaker b(s);
  report(b, 0, 1, call_result::failure);
  report(b, 0, 10000, call_result::success);
  CHECK(b.window().calls == 10000);
  CHECK(b.window().failed == 0);
}

TEST_CASE("circuit breaker: given slow calls, when their rate is reached, then it opens, and a call is slow from its limit on") {
  circuit_breaker b(figures());
  report(b, 0, 10, call_result::success, 99);
  CHECK(b.window().slow == 0);
  report(b, 0, 39, call_result::success, 100);
  CHECK(b.state() == circuit_state::closed);  // 39 of 49
  report(b, 0, 1, call_result::success, 100);
  CHECK(b.state() == circuit_state::open);  // 40 of 50
}

TEST_CASE("circuit breaker: given a limit of errors in a row, when a success is among them, then they are counted afresh") {
  auto s = figures();
  s.window_calls_min = 1000;
  s.consecutive_errors = 3;
  circuit_breaker b(s);
  report(b, 0, 2, call_result::failure);
  report(b, 0, 1, call_result::success);
  report(b, 0, 2, call_result::failure);
  CHECK(b.state() == circuit_state::closed);
  report(b, 0, 1, call_result::failure);
  CHECK(b.state() == circuit_state::open);
}

TEST_CASE("circuit breaker: given no limit of errors in a row, when few calls fail in a row, then it stays closed") {
  auto s = figures();
  s.window_calls_min = 1000;
  circuit_breaker b(s);
  report(b, 0, 500, call_result::failure);
  CHECK(b.state() == circuit_state::closed);
}

TEST_CASE("circuit breaker: given an open one, when its time is not yet over, then it refuses and tells how long; then it probes") {
  auto b = opened(figures(), 100);
  CHECK(b.open_for_ms(100) == 500);
  CHECK(b.open_for_ms(599) == 1);
  CHECK_FALSE(b.admit(599));
  CHECK(b.admit(600));
  CHECK(b.state() == circuit_state::half_open);
  CHECK(b.open_for_ms(600) == 0);
}

TEST_CASE(
    "circuit breaker: given a half-open one, when as many probes are out as it may have, then it refuses; when all were good, it closes") {
  auto b = opened(figures());
  for (int i = 0; i < 3; ++i) CHECK(b.admit(500));
  CHECK_FALSE(b.admit(500));
  b.report(510, call_result::success, 1);
  b.report(510, call_result::success, 1);
  CHECK(b.state() == circuit_state::half_open);
  b.report(510, call_result::success, 1);
  CHECK(b.state() == circuit_state::closed);
  CHECK(b.window().calls == 0);
  CHECK(b.admit(510));
}

TEST_CASE("circuit breaker: given a half-open one, when a probe fails or is slow, then it opens again for the whole time") {
  for (const bool slow : {false, true}) {
    auto b = opened(figures());
    REQUIRE(b.admit(500));
    b.report(700, slow ? call_result::success : call_result::failure, slow ? 200 : 1);
    CHECK(b.state() == circuit_state::open);
    CHECK_FALSE(b.admit(1199));
    CHECK(b.admit(1200));
  }
}

TEST_CASE("circuit breaker: given neutral results, then a closed one does not count them and a half-open one gives the probe back") {
  circuit_breaker closed(figures());
  report(closed, 0, 100, call_result::neutral);
  CHECK(closed.window().calls == 0);
  auto b = opened(figures());
  for (int i = 0; i < 3; ++i) REQUIRE(b.admit(500));
  CHECK_FALSE(b.admit(500));
  b.report(500, call_result::neutral, 0);
  CHECK(b.state() == circuit_state::half_open);
  CHECK(b.admit(500));
  CHECK_FALSE(b.admit(500));
}

TEST_CASE("circuit breaker: given an open one, when calls from before report, then they change nothing") {
  auto b = opened(figures());
  for (int i = 0; i < 20; ++i) b.report(10, call_result::success, 1);
  CHECK(b.state() == circuit_state::open);
  CHECK(b.window().calls == 0);
}

TEST_CASE("circuit breaker: given a half-open one, when calls from before it opened report late, then they are no probes") {
  auto b = opened(figures());
  REQUIRE(b.admit(500));
  for (int i = 0; i < 5; ++i) b.report(510, call_result::success, 510);
  CHECK(b.state() == circuit_state::half_open);
  b.report(510, call_result::failure, 510);
  CHECK(b.state() == circuit_state::half_open);
  b.report(510, call_result::neutral, 510);
  CHECK(b.admit(510));
  CHECK(b.admit(510));
  CHECK_FALSE(b.admit(510));
}
