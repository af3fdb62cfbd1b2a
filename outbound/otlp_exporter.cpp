#include "outbound/otlp_exporter.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <limits>
#include <random>

#include "telemetry/log.hpp"

namespace crema::outbound {

namespace {

using steady = std::chrono::steady_clock;

bool may_be_tried_again(unsigned status) noexcept {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

// Everything but stop() runs on the client's thread, which keeps it until the last call is over. At most one batch is on its way.
class otlp_exporter::worker : public std::enable_shared_from_this<worker> {
 public:
  worker(client& by, const otlp_settings& s, std::vector<span_source> sources, telemetry::metrics& m)
      : client_(by),
        settings_(s),
        sources_(std::move(sources)),
        random_(s.seed),
        exported_(m.make_counter("crema_spans_exported_total", "Spans that the collector took")),
        dropped_(m.make_counter("crema_spans_dropped_total", "Spans that the collector did not get")),
        failed_posts_(m.make_counter("crema_span_posts_failed_total", "POSTs of spans that the collector did not take")) {
    check_url({"trace.otlp.url", s.url});
    to_.url = s.url;
    to_.trusted = std::make_shared<trust>("trace.otlp.caFile", s.ca_file);
  }

  void start() { wait(settings_.interval); }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    auto ended = all_ended_.get_future();
    client_.call_after(milliseconds(0), [self = shared_from_this()] { self->begin_to_stop(); });
    ended.wait();
    dropped_.add(static_cast<double>(queue_.size() + batch_.size()));
    for (const auto& s : sources_) {
      const auto t = s.ring->take_new(std::numeric_limits<std::size_t>::max());
      dropped_.add(static_cast<double>(t.lost + t.spans.size()));
    }
  }

 private:
  struct queued {
    std::size_t source = 0;
    telemetry::span what;
  };

  // A later wait takes the place of an earlier one.
  void wait(milliseconds d) {
    client_.call_after(d, [self = shared_from_this(), turn = ++turn_] {
      if (turn == self->turn_) self->go_on();
    });
  }

  // What is queued while a batch is tried again waits behind it.
  void go_on() {
    if (on_its_way_ || ended_) return;
    take_new();
    if (!batch_.empty()) return send();
    next_batch();
  }

  void next_batch() {
    tries_ = 0;
    const auto n = std::min(queue_.size(), settings_.batch_spans);
    batch_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(n)));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(n));
    if (!batch_.empty()) return send();
    if (stopping_)
      end();
    else
      wait(settings_.interval);
  }

  void take_new() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const auto room = settings_.queue_spans - std::min(queue_.size(), settings_.queue_spans);
      auto t = sources_[i].ring->take_new(room);
      dropped_.add(static_cast<double>(t.lost));
      for (auto& s : t.spans) queue_.push_back({i, std::move(s)});
    }
  }

  void send() {
    std::vector<system_spans> all;
    for (const auto& s : sources_) all.push_back({s.system, {}});
    for (const auto& q : batch_) all[q.source].spans.push_back(q.what);
    ++tries_;
    on_its_way_ = true;
    auto r = to_;
    r.body = otlp_json(settings_.from, all);
    r.time_limit = r.connect_limit = stopping_ ? left_to_stop() : settings_.timeout;
    client_.send(std::move(r), [self = shared_from_this()](const answer& a) { self->on_answer(a); });
  }

  void on_answer(const answer& a) {
    if (ended_) return;  // it went with its connection
    on_its_way_ = false;
    const bool taken = a.status >= 200 && a.status < 300;
    if (!taken) failed_posts_.add();
    if (!taken && may_be_tried_again(a.status) && tries_ < settings_.tries_max && !stopping_) return try_again(a);
    (taken ? exported_ : dropped_).add(static_cast<double>(batch_.size()));
    if (!taken) say_dropped(a);
    batch_.clear();
    take_new();
    if (queue_.size() >= settings_.batch_spans || stopping_)
      next_batch();
    else
      wait(settings_.interval);
  }

  // Twice as long each time, at random by up to a half less; longer where the collector says so.
  void try_again(const answer& a) {
    const auto doubled = settings_.retry_min * (std::int64_t{1} << std::min(tries_ - 1, 20U));
    const auto longest = std::min<milliseconds>(doubled, settings_.retry_max);
    const auto jittered = longest - milliseconds(std::uniform_int_distribution<std::int64_t>(0, longest.count() / 2)(random_));
    wait(std::min(std::max(jittered, a.retry_after.value_or(milliseconds(0))), settings_.retry_max));
  }

  void say_dropped(const answer& a) const {
    telemetry::log(telemetry::level::warn, "a batch of spans was dropped; see trace.otlp.url",
                   {{"spans", std::to_string(batch_.size())},
                    {"tries", std::to_string(tries_)},
                    {"reason", a.status != 0 ? "the collector answered " + std::to_string(a.status) : a.trouble}});
  }

  void begin_to_stop() {
    stopping_ = true;
    ends_ = steady::now() + settings_.stop_limit;
    client_.call_after(settings_.stop_limit, [self = shared_from_this()] { self->end(); });
    ++turn_;  // nothing waits any longer
    go_on();
  }
  void end() {
    if (std::exchange(ended_, true)) return;
    all_ended_.set_value();
  }
  milliseconds left_to_stop() const { return std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(ends_ - steady::now())); }

  client& client_;
  const otlp_settings settings_;
  request to_;
  const std::vector<span_source> sources_;
  std::minstd_rand random_;
  telemetry::counter exported_, dropped_, failed_posts_;
  std::deque<queued> queue_;
  std::vector<queued> batch_;  // on its way, or to be tried again
  unsigned tries_ = 0;         // of the batch
  bool on_its_way_ = false;
  bool stopping_ = false, ended_ = false;
  steady::time_point ends_;
  std::promise<void> all_ended_;
  std::uint64_t turn_ = 0;
  bool stopped_ = false;  // the caller's
};

otlp_exporter::otlp_exporter(std::shared_ptr<client> by, const otlp_settings& s, std::vector<span_source> sources,
                             telemetry::metrics& metrics)
    : client_(std::move(by)), worker_(std::make_shared<worker>(*client_, s, std::move(sources), metrics)) {
  worker_->start();
}
otlp_exporter::~otlp_exporter() { stop(); }

void otlp_exporter::stop() { worker_->stop(); }

}  // namespace crema::outbound
