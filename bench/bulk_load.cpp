// Fills a data directory with complete orders: order, payment, sale, drink, their rows in three views, and a notification each.
//
//   bulk_load DIRECTORY ORDERS [ORDERS_A_PHONE]     DIRECTORY is what `crema serve --data` takes; orders that are there count.
//                                                   Progress on stderr.
//
// How: a real node in this process, asked through its front door, with no HTTP before it. What it writes is then what a node writes, by
// construction, down to checksums, outbox and checkpoints; records made up here would have to be kept like it by hand. Many orders are
// under way at once, and a commit waits a little for more of them, so that one takes in thousands of records.
// Phone numbers lie far from each other, as customers' do: phone_of is also known to requests.lua.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "actors/node.hpp"
#include "actors/node_parts.hpp"
#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "storage/deferred/deferred_store.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "storage/packed/packed_store.hpp"

namespace {

using namespace crema;
using namespace std::chrono_literals;

constexpr std::uint64_t under_way_max = 8000;
constexpr std::size_t deferred_entries_max = 262144;  // as data.deferredEntriesMax by default

class silent_sink final : public notification_sink {
 public:
  void deliver(outgoing_notification, std::function<void(delivery_report)> done) override { done({delivery_report::verdict::delivered}); }
};

std::string phone_of(std::uint64_t customer) {
  constexpr std::uint64_t step = 61803399, numbers = 100000000;  // no common factor: numbers repeat only after all were there
  char text[16];
  std::snprintf(text, sizeof text, "010%08llu", static_cast<unsigned long long>(customer * step % numbers));
  return text;
}

command_request order_of(const std::string& phone, std::uint16_t context) {
  command_request r;
  r.context = context;
  r.command = value::of(cafeteria::place_order{phone, "coffee", 2, 1000});
  r.trace.sampled = false;
  r.time_limit = 60s;
  return r;
}

actors::runtime_settings settings_for_bulk() {
  actors::runtime_settings s;
  s.batch_wait = 2ms;
  s.batch_items_max = 100000;
  s.awake_max = 4 * under_way_max;
  s.in_flight_max = 2 * under_way_max;
  s.ask_time_limit = 60s;
  s.notify_concurrent_max = 1000;
  for (const char* asked : {"payment", "sale"}) {
    auto& gate = s.contexts[asked].bulkhead;
    gate.concurrent_max = 2 * under_way_max;
    gate.call_timeout = 60s;
  }
  return s;
}

class loader {
 public:
  explicit loader(const std::string& directory)
      : disk_(storage::make_deferred_store(storage::make_packed_store(storage::open_lmdb(directory)), deferred_entries_max)),
        node_(parts(), settings_for_bulk()) {
    node_.start();
  }
  ~loader() { node_.stop(); }
  loader(const loader&) = delete;
  loader& operator=(const loader&) = delete;

  /// Places orders until there are `count`, and waits until each has all its parts. False: one was refused; why is on stderr.
  bool load(std::uint64_t count, std::uint64_t orders_a_phone) {
    const auto context = system_.context_named("order").index;
    wait_until([this] { return node_.ready(); });
    first_ = rows({false, context});
    for (std::uint64_t n = first_; n < count && place(phone_of(n / orders_a_phone), context); ++n)
      if (n % 1000 == 0) show(n, count);
    wait_until([this] { return under_way_ == 0; });
    if (!refused_.empty()) {
      std::fprintf(stderr, "\nbulk_load: an order was refused: %s\n", refused_.c_str());
      return false;
    }
    wait_until([&] { return complete(count); });  // drinks, views and notifications come after the answer
    show(count, count);
    std::fputc('\n', stderr);
    return true;
  }

 private:
  actors::node_parts parts() {
    actors::node_parts p;
    p.system = &system_;
    p.store = disk_.get();
    p.time = &time_;
    p.metrics = &metrics_;
    p.traces = &traces_;
    p.sink = std::make_shared<silent_sink>();
    p.on_failure = [](const std::string& why) {
      std::fprintf(stderr, "\nbulk_load: the node stops: %s\n", why.c_str());
      std::_Exit(1);
    };
    return p;
  }

  // Waits for a place among those under way. False: an earlier one was refused.
  bool place(const std::string& phone, std::uint16_t context) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return under_way_ < under_way_max; });
      if (!refused_.empty()) return false;
      ++under_way_;
    }
    node_.ask(order_of(phone, context), [this](const command_answer& a) {
      const std::lock_guard lock(mutex_);
      if (a.refused) refused_ = a.refused->detail;
      --under_way_;
      changed_.notify_one();
    });
    return true;
  }

  // For what the node tells nobody: looked at again and again.
  template <class Condition>
  void wait_until(Condition condition) {
    std::unique_lock lock(mutex_);
    while (!condition()) changed_.wait_for(lock, 20ms);
  }

  std::uint64_t rows(collection_ref of) const {
    page_request one;
    one.limit = 1;
    return node_.list(of, one)->total;
  }

  bool complete(std::uint64_t count) {
    for (std::size_t view = 0; view < system_.views.size(); ++view)
      if (rows({true, static_cast<std::uint16_t>(view)}) < count) return false;
    const auto& contexts = node_.inside().shared->contexts;
    return std::all_of(contexts.begin(), contexts.end(), [](const auto& c) { return c.outbox.load() == 0; });
  }

  void show(std::uint64_t n, std::uint64_t count) {
    const auto now = std::chrono::steady_clock::now();
    if (n < count && now - shown_ < 1s) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    std::fprintf(stderr, "\r%llu of %llu orders, %.0f s, %.0f a second   ", static_cast<unsigned long long>(n),
                 static_cast<unsigned long long>(count), seconds, static_cast<double>(n - std::min(n, first_)) / std::max(seconds, 0.001));
  }

  const system_declaration system_ = cafeteria::cafeteria();
  std::unique_ptr<storage::store> disk_;
  actors::system_clock time_;
  telemetry::metrics metrics_;
  telemetry::trace_ring traces_{telemetry::trace_settings{}};
  actors::node node_;

  std::mutex mutex_;  // guards the three below
  std::condition_variable changed_;
  std::uint64_t under_way_ = 0;
  std::string refused_;

  std::uint64_t first_ = 0;  // orders that were there before
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = begun_;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size() && n > 0 ? std::optional(n) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto orders = argc > 2 ? number(argv[2]) : std::nullopt;
  const auto orders_a_phone = argc > 3 ? number(argv[3]) : 1;
  if (!orders || !orders_a_phone || argc > 4) {
    std::fputs("usage: bulk_load DIRECTORY ORDERS [ORDERS_A_PHONE]\n", stderr);
    return 2;
  }
  return loader(argv[1]).load(*orders, *orders_a_phone) ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "bulk_load: %s\n", e.what());
  return 1;
}
