#include "telemetry/metrics.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

namespace crema::telemetry {
namespace {

using Catch::Contains;

TEST_CASE("metrics: counters, gauges and histograms are answered as Prometheus text") {
  metrics m;
  m.make_counter("crema_test_total", "Things.", {{"kind", "a"}}).add(3);
  m.make_gauge("crema_test_depth", "Depth.").set(7.5);
  m.make_histogram("crema_test_seconds", "Time.", {0.1, 1}).observe(0.5);

  const auto text = m.text();
  CHECK_THAT(text, Contains("# TYPE crema_test_total counter"));
  CHECK_THAT(text, Contains("crema_test_total{kind=\"a\"} 3"));
  CHECK_THAT(text, Contains("crema_test_depth 7.5"));
  CHECK_THAT(text, Contains("crema_test_seconds_bucket{le=\"0.1\"} 0"));
  CHECK_THAT(text, Contains("crema_test_seconds_bucket{le=\"1\"} 1"));
  CHECK_THAT(text, Contains("crema_test_seconds_count 1"));
}

TEST_CASE("metrics: the same name and labels give the same series, another help text notwithstanding") {
  metrics m;
  m.make_counter("crema_same_total", "One.", {{"x", "1"}}).add();
  m.make_counter("crema_same_total", "Another.", {{"x", "1"}}).add();
  m.make_counter("crema_same_total", "One.", {{"x", "2"}}).add();
  const auto text = m.text();
  CHECK_THAT(text, Contains("crema_same_total{x=\"1\"} 2"));
  CHECK_THAT(text, Contains("crema_same_total{x=\"2\"} 1"));
  CHECK_THAT(text, !Contains("Another."));
}

TEST_CASE("metrics: a name that Prometheus does not allow, or of another kind, is a bug") {
  metrics m;
  CHECK_THROWS_AS(m.make_counter("not a name", ""), std::invalid_argument);
  m.make_counter("crema_kind", "");
  CHECK_THROWS_AS(m.make_gauge("crema_kind", ""), std::invalid_argument);
}

TEST_CASE("metrics: a refresh runs before each reading, may make handles, and not after its removal") {
  metrics m;
  int runs = 0;
  const int id = m.add_refresh([&] { m.make_gauge("crema_runs", "Runs.").set(++runs); });
  CHECK_THAT(m.text(), Contains("crema_runs 1"));
  CHECK_THAT(m.text(), Contains("crema_runs 2"));
  m.remove_refresh(id);
  CHECK_THAT(m.text(), Contains("crema_runs 2"));
}

TEST_CASE("metrics: a default-made handle counts nothing") {
  counter{}.add();
  gauge{}.set(1);
  histogram{}.observe(1);
}

TEST_CASE("metrics: handles are counted on from many threads while another reads") {
  metrics m;
  const auto c = m.make_counter("crema_many_total", "");
  const auto h = m.make_histogram("crema_many_seconds", "", latency_bounds());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        c.add();
        h.observe(0.001);
      }
    });
  for (int i = 0; i < 10; ++i) CHECK_FALSE(m.text().empty());
  for (auto& t : threads) t.join();
  CHECK_THAT(m.text(), Contains("crema_many_total 4000"));
  CHECK_THAT(m.text(), Contains("crema_many_seconds_count 4000"));
}

}  // namespace
}  // namespace crema::telemetry
