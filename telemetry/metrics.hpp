// The node's metrics, kept by prometheus-cpp and read as Prometheus text.
//
// Handles are looked up once, where a component starts, and then touched without a lock: counter::add, histogram::observe and
// gauge::set are atomic and may be called from any thread. Names and labels are listed in docs/metrics.md.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace crema::telemetry {

using labels = std::vector<std::pair<std::string, std::string>>;

class counter {
 public:
  void add(double n = 1) const noexcept;

 private:
  friend class metrics;
  void* impl_ = nullptr;
};

class gauge {
 public:
  void set(double v) const noexcept;
  void add(double n) const noexcept;

 private:
  friend class metrics;
  void* impl_ = nullptr;
};

class histogram {
 public:
  void observe(double v) const noexcept;

 private:
  friend class metrics;
  void* impl_ = nullptr;
};

class metrics {
 public:
  metrics();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  /// The same name and labels give the same handle. Take a lock: not for a hot path.
  counter make_counter(const std::string& name, const std::string& help, const labels& l = {});
  gauge make_gauge(const std::string& name, const std::string& help, const labels& l = {});
  /// `bounds`: upper bounds of the buckets, ascending.
  histogram make_histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds, const labels& l = {});
  /// `refresh` is called before each reading, to set gauges that are cheaper to read than to keep. Returns an id for remove_refresh.
  int add_refresh(std::function<void()> refresh);
  void remove_refresh(int id);

  std::string text() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Bucket bounds for latencies in seconds, 100 µs … 10 s.
const std::vector<double>& latency_bounds();

}  // namespace crema::telemetry
