#include "http/otlp_exporter.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <limits>
#include <thread>

#include "http/ids.hpp"
#include "http/otlp_json.hpp"
#include "http/post.hpp"
#include "telemetry/log.hpp"

namespace crema::http {

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

bool may_be_tried_again(unsigned status) noexcept {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

// Everything but stop() runs on its thread. At most one batch is on its way.
class otlp_exporter::worker {
 public:
  worker(const otlp_settings& s, std::vector<span_source> sources, telemetry::metrics& m)
      : settings_(s),
        to_(parse_post_target({"trace.otlp.url", s.url}, {"trace.otlp.caFile", s.ca_file})),
        sources_(std::move(sources)),
        random_(s.seed),
        exported_(m.make_counter("crema_spans_exported_total", "Spans that the collector took")),
        dropped_(m.make_counter("crema_spans_dropped_total", "Spans that the collector did not get")),
        failed_posts_(m.make_counter("crema_span_posts_failed_total", "POSTs of spans that the collector did not take")),
        work_(io_.get_executor()) {
    wait(settings_.interval);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~worker() { stop(); }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { begin_to_stop(); });
    thread_.join();
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

  void wait(milliseconds d) {
    timer_.expires_after(d);
    timer_.async_wait([this](const boost::system::error_code& e) {
      if (!e) go_on();
    });
  }

  // What is queued while a batch is tried again waits behind it.
  void go_on() {
    if (on_its_way_) return;
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
    post(io_, to_, make_post(to_, otlp_json(all)), stopping_ ? left_to_stop() : settings_.timeout,
         [this](const post_answer& a) { on_answer(a); });
  }

  void on_answer(const post_answer& a) {
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
  void try_again(const post_answer& a) {
    const auto doubled = settings_.retry_min * (std::int64_t{1} << std::min(tries_ - 1, 20U));
    const auto longest = std::min<milliseconds>(doubled, settings_.retry_max);
    const auto half = static_cast<std::uint64_t>(longest.count() / 2 + 1);
    const auto jittered = longest - milliseconds(static_cast<std::int64_t>(next_random(random_) % half));
    wait(std::min<milliseconds>(std::max<milliseconds>(jittered, a.retry_after), settings_.retry_max));
  }

  void say_dropped(const post_answer& a) const {
    telemetry::log(telemetry::level::warn, "a batch of spans was dropped; see trace.otlp.url",
                   {{"spans", std::to_string(batch_.size())},
                    {"tries", std::to_string(tries_)},
                    {"reason", a.status != 0 ? "the collector answered " + std::to_string(a.status) : a.trouble}});
  }

  void begin_to_stop() {
    stopping_ = true;
    ends_ = steady::now() + settings_.stop_limit;
    end_timer_.expires_at(ends_);
    end_timer_.async_wait([this](const boost::system::error_code&) { end(); });
    timer_.cancel();
    go_on();
  }
  void end() {
    ended_ = true;
    io_.stop();
  }
  milliseconds left_to_stop() const { return std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(ends_ - steady::now())); }

  const otlp_settings settings_;
  const post_target to_;
  const std::vector<span_source> sources_;
  std::uint64_t random_;
  telemetry::counter exported_, dropped_, failed_posts_;
  std::deque<queued> queue_;
  std::vector<queued> batch_;  // on its way, or to be tried again
  unsigned tries_ = 0;         // of the batch
  bool on_its_way_ = false;
  bool stopping_ = false, ended_ = false;
  steady::time_point ends_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer timer_{io_}, end_timer_{io_};
  std::thread thread_;
};

otlp_exporter::otlp_exporter(const otlp_settings& s, std::vector<span_source> sources, telemetry::metrics& metrics)
    : worker_(std::make_unique<worker>(s, std::move(sources), metrics)) {}
otlp_exporter::~otlp_exporter() = default;

void otlp_exporter::stop() { worker_->stop(); }

}  // namespace crema::http
