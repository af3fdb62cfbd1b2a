// The node's metrics, kept by prometheus-cpp and read as Prometheus text.
//
// Handles are looked up once, where a component starts, and then touched from any thread: counter::add and gauge::set are
// atomic, histogram::observe takes that one histogram's lock for two additions. A handle is valid while its metrics live; a
// default-made one counts nothing. Names and labels are listed in docs/metrics.md.
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
  /// Of the same readings: what it makes carries `always` besides its own labels. For each of several nodes in one process.
  metrics(const metrics& whole, labels always);
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  /// The same name and labels give the same handle. Take a lock: not for a hot path. Throw std::invalid_argument for a name that
  /// Prometheus does not allow, or one that is already of another kind: a bug.
  counter make_counter(const std::string& name, const std::string& help, const labels& l = {});
  gauge make_gauge(const std::string& name, const std::string& help, const labels& l = {});
  /// `bounds`: upper bounds of the buckets, ascending.
  histogram make_histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds, const labels& l = {});
  /// `refresh` is called before each reading, to set gauges that are cheaper to read than to keep. Returns an id for remove_refresh,
  /// after which it is not running and will not run again. It may make handles, not add or remove a refresh.
  int add_refresh(std::function<void()> refresh);
  void remove_refresh(int id);

  std::string text() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
  labels always_;
};

/// Bucket bounds for latencies in seconds, 100 µs … 10 s.
const std::vector<double>& latency_bounds();

}  // namespace crema::telemetry
