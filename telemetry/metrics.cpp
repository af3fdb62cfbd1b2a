#include "telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <sstream>
#include <utility>

namespace crema::telemetry {

namespace {

prometheus::Labels to_labels(const labels& own, const labels& always) {
  prometheus::Labels all(own.begin(), own.end());
  all.insert(always.begin(), always.end());
  return all;
}

template <class T>
using families = std::map<std::string, prometheus::Family<T>*, std::less<>>;

}  // namespace

void counter::add(double n) const noexcept {
  if (impl_ != nullptr) static_cast<prometheus::Counter*>(impl_)->Increment(n);
}

void gauge::set(double v) const noexcept {
  if (impl_ != nullptr) static_cast<prometheus::Gauge*>(impl_)->Set(v);
}

void gauge::add(double n) const noexcept {
  if (impl_ != nullptr) static_cast<prometheus::Gauge*>(impl_)->Increment(n);
}

void histogram::observe(double v) const noexcept {
  if (impl_ != nullptr) static_cast<prometheus::Histogram*>(impl_)->Observe(v);
}

// Two locks, so that a refresh may look up a handle: `refreshes_lock` is held while refreshes run, `families_lock` never is.
struct metrics::impl {
  prometheus::Registry registry;

  std::mutex families_lock;
  families<prometheus::Counter> counters;
  families<prometheus::Gauge> gauges;
  families<prometheus::Histogram> histograms;

  std::mutex refreshes_lock;
  std::map<int, std::function<void()>> refreshes;
  int next_refresh = 1;

  // The first help text of a name stays: Prometheus allows one, and a second family of the same name would be invalid text.
  template <class T, class Builder>
  prometheus::Family<T>& family(families<T>& known, Builder builder, const std::string& name, const std::string& help) {
    auto& at = known[name];
    if (at == nullptr) at = &builder.Name(name).Help(help).Register(registry);
    return *at;
  }
};

metrics::metrics() : impl_(std::make_shared<impl>()) {}
metrics::metrics(const metrics& whole, labels always) : impl_(whole.impl_), always_(std::move(always)) {}
metrics::~metrics() = default;

counter metrics::make_counter(const std::string& name, const std::string& help, const labels& l) {
  const std::lock_guard lock(impl_->families_lock);
  counter handle;
  handle.impl_ = &impl_->family(impl_->counters, prometheus::BuildCounter(), name, help).Add(to_labels(l, always_));
  return handle;
}

gauge metrics::make_gauge(const std::string& name, const std::string& help, const labels& l) {
  const std::lock_guard lock(impl_->families_lock);
  gauge handle;
  handle.impl_ = &impl_->family(impl_->gauges, prometheus::BuildGauge(), name, help).Add(to_labels(l, always_));
  return handle;
}

histogram metrics::make_histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds, const labels& l) {
  const std::lock_guard lock(impl_->families_lock);
  histogram handle;
  handle.impl_ = &impl_->family(impl_->histograms, prometheus::BuildHistogram(), name, help).Add(to_labels(l, always_), bounds);
  return handle;
}

int metrics::add_refresh(std::function<void()> refresh) {
  const std::lock_guard lock(impl_->refreshes_lock);
  impl_->refreshes.emplace(impl_->next_refresh, std::move(refresh));
  return impl_->next_refresh++;
}

void metrics::remove_refresh(int id) {
  const std::lock_guard lock(impl_->refreshes_lock);
  impl_->refreshes.erase(id);
}

std::string metrics::text() const {
  {
    const std::lock_guard lock(impl_->refreshes_lock);
    for (const auto& [id, refresh] : impl_->refreshes) refresh();
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, impl_->registry.Collect());
  return std::move(out).str();
}

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  return bounds;
}

}  // namespace crema::telemetry
