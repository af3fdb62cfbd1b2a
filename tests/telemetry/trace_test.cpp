#include "telemetry/trace.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <thread>

namespace crema::telemetry {
namespace {

span span_of(std::uint8_t trace, std::uint64_t id, std::int64_t start_us = 0) {
  span s;
  s.context.trace_id.fill(trace);
  s.id = id;
  s.start_us = start_us;
  return s;
}

std::vector<std::uint64_t> ids_of(const std::vector<span>& spans) {
  std::vector<std::uint64_t> ids;
  for (const auto& s : spans) ids.push_back(s.id);
  return ids;
}

using ids = std::vector<std::uint64_t>;

TEST_CASE("trace: given a full ring, when more is recorded, then the oldest span of its shard goes") {
  trace_ring ring({48, 0, 0});  // three a shard
  for (std::uint64_t i = 1; i <= 5; ++i) ring.record(span_of(1, i, static_cast<std::int64_t>(i)));
  ring.record(span_of(2, 100, 100));
  CHECK(ids_of(ring.recent(10, {})) == ids{100, 5, 4, 3});
  CHECK(ids_of(ring.recent(2, {})) == ids{100, 5});
  CHECK(ids_of(ring.recent(10, trace_id_text(span_of(1, 0).context))) == ids{3, 4, 5});
  CHECK(ring.recent(10, "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f").empty());
}

TEST_CASE("trace: times are steady when recorded, and wall clock when read") {
  trace_ring ring({16, 0, 1000000});
  ring.record(span_of(1, 1, 5));
  CHECK(ring.recent(1, {})[0].start_us == 1000005);
}

TEST_CASE("trace: a span is wanted if it is sampled, or failed, or was slow") {
  const trace_ring ring({16, 500, 0});
  CHECK(ring.wants(true, false, 0));
  CHECK(ring.wants(false, true, 0));
  CHECK(ring.wants(false, false, 500));
  CHECK_FALSE(ring.wants(false, false, 499));
  CHECK_FALSE(trace_ring({16, 0, 0}).wants(false, false, 1000000));
}

TEST_CASE("trace: a ring of no size keeps nothing") {
  trace_ring ring({0, 0, 0});
  ring.record(span_of(1, 1));
  CHECK(ring.recent(10, {}).empty());
  CHECK(ring.take_new(10).spans.empty());
}

TEST_CASE("trace: what is new is taken once, oldest first, and what the ring lost meanwhile is counted") {
  trace_ring ring({48, 0, 0});
  for (std::uint64_t i = 1; i <= 2; ++i) ring.record(span_of(1, i));
  CHECK(ids_of(ring.take_new(10).spans) == ids{1, 2});
  CHECK(ring.take_new(10).spans.empty());
  for (std::uint64_t i = 3; i <= 7; ++i) ring.record(span_of(1, i));
  auto t = ring.take_new(2);
  CHECK(ids_of(t.spans) == ids{5, 6});
  CHECK(t.lost == 2);
  t = ring.take_new(10);
  CHECK(ids_of(t.spans) == ids{7});
  CHECK(t.lost == 0);
  CHECK(ring.recent(10, {}).size() == 3);  // taking is not removing
}

TEST_CASE("trace: given many threads, then what was taken and what was lost is all that was recorded") {
  trace_ring ring({1600, 0, 0});
  constexpr std::uint64_t each = 20000;
  std::vector<std::thread> writers;
  for (std::uint8_t w = 0; w < 4; ++w)
    writers.emplace_back([&ring, w] {
      for (std::uint64_t i = 0; i < each; ++i) ring.record(span_of(static_cast<std::uint8_t>(i), w * each + i));
    });
  std::set<std::uint64_t> seen;
  std::uint64_t lost = 0;
  const auto take = [&] {
    auto t = ring.take_new(500);
    lost += t.lost;
    for (const auto& s : t.spans) CHECK(seen.insert(s.id).second);
    return !t.spans.empty();
  };
  for (int i = 0; i < 200; ++i) {
    (void)take();
    (void)ring.recent(10, {});
  }
  for (auto& w : writers) w.join();
  while (take()) {}
  CHECK(seen.size() + lost == 4 * each);
}

}  // namespace
}  // namespace crema::telemetry
