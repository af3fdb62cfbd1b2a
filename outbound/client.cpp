#include "outbound/client.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace crema::outbound {

namespace {

using steady = std::chrono::steady_clock;

CURLM* make_multi() {
  prepare_library();
  return curl_multi_init();
}

struct exchange {
  exchange(request r, client::answer_taker d) : what(std::move(r)), done(std::move(d)) {}
  transfer what;
  client::answer_taker done;
};

}  // namespace

class client::loop {
 public:
  loop() : thread_([this] { run(); }) {}
  ~loop() {
    stopping_ = true;
    curl_multi_wakeup(multi_);
    thread_.join();
    for (auto& [easy, e] : under_way_) curl_multi_remove_handle(multi_, easy);
    for (auto& [easy, e] : under_way_) e->done({});
    for (auto& [r, done] : handed_over_) done({});
    under_way_.clear();
    curl_multi_cleanup(multi_);
  }
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  void send(request r, answer_taker done) {
    if (exchanges_.fetch_add(1) >= exchanges_max) {
      --exchanges_;
      return done({0, "too much is on its way already"});
    }
    {
      const std::lock_guard lock(mutex_);
      handed_over_.emplace_back(std::move(r), [this, tell = std::move(done)](const answer& a) {
        --exchanges_;
        tell(a);
      });
    }
    curl_multi_wakeup(multi_);
  }

  void call_after(milliseconds delay, std::function<void()> what) {
    {
      const std::lock_guard lock(mutex_);
      timers_.emplace(steady::now() + delay, std::move(what));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void run() {
    while (!stopping_) {
      begin_handed_over();
      call_due();
      int running = 0;
      curl_multi_perform(multi_, &running);
      take_finished();
      curl_multi_poll(multi_, nullptr, 0, wait_ms(), nullptr);
    }
  }

  void begin_handed_over() {
    std::vector<std::pair<request, answer_taker>> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(handed_over_);
    }
    for (auto& [r, done] : taken) {
      auto e = std::make_unique<exchange>(std::move(r), std::move(done));
      auto* const easy = e->what.handle();
      under_way_.emplace(easy, std::move(e));
      curl_multi_add_handle(multi_, easy);
    }
  }

  void call_due() {
    for (;;) {
      std::function<void()> what;
      {
        const std::lock_guard lock(mutex_);
        if (timers_.empty() || timers_.begin()->first > steady::now()) return;
        what = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
      }
      what();
    }
  }

  void take_finished() {
    int left = 0;
    while (const auto* m = curl_multi_info_read(multi_, &left)) {
      if (m->msg != CURLMSG_DONE) continue;
      auto* const easy = m->easy_handle;
      const auto result = m->data.result;
      curl_multi_remove_handle(multi_, easy);
      const auto at = under_way_.find(easy);
      if (at->second->what.is_redirected(result)) {
        curl_multi_add_handle(multi_, easy);
        continue;
      }
      const auto e = std::move(at->second);
      under_way_.erase(at);
      e->done(e->what.finish(result));
    }
  }

  int wait_ms() {
    constexpr milliseconds longest{60000};
    const std::lock_guard lock(mutex_);
    if (!handed_over_.empty()) return 0;
    if (timers_.empty()) return static_cast<int>(longest.count());
    const auto left = std::chrono::ceil<milliseconds>(timers_.begin()->first - steady::now());
    return static_cast<int>(std::clamp(left, milliseconds(0), longest).count());
  }

  CURLM* const multi_ = make_multi();
  std::map<CURL*, std::unique_ptr<exchange>> under_way_;
  std::mutex mutex_;  // guards the two below
  std::vector<std::pair<request, answer_taker>> handed_over_;
  std::multimap<steady::time_point, std::function<void()>> timers_;
  std::atomic<std::size_t> exchanges_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // last: it uses all of the above
};

client::client() : loop_(std::make_unique<loop>()) {}
client::~client() = default;

void client::send(request r, answer_taker done) { loop_->send(std::move(r), std::move(done)); }
void client::call_after(milliseconds delay, std::function<void()> what) { loop_->call_after(delay, std::move(what)); }

}  // namespace crema::outbound
