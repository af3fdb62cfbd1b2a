// A node as it runs: its own threads, LMDB on a disk, many callers at once. What the thread sanitizer looks at.
#include <algorithm>
#include <array>
#include <atomic>
#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/node.hpp"
#include "actors/node_parts.hpp"
#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/sale.hpp"
#include "storage/deferred/deferred_store.hpp"
#include "storage/filtered/filtered_store.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "storage/maintenance.hpp"
#include "storage/packed/packed_store.hpp"
#include "tests/storage/temporary_directory.hpp"

using namespace crema;
using namespace crema::cafeteria;

namespace {

constexpr std::chrono::seconds patience{60};

class silent_sink final : public notification_sink {
 public:
  void deliver(outgoing_notification, std::function<void(delivery_report)> done) override { done({delivery_report::verdict::delivered}); }
};

// As main.cpp composes it; few entries are deferred, so that they are moved all the time.
std::unique_ptr<storage::store> open_store(const std::filesystem::path& directory) {
  return storage::make_filtered_store(
      storage::make_deferred_store(storage::make_packed_store(storage::open_lmdb(directory, {1ULL << 30U, 0, 512})), 200), 65536,
      storage::learning::beside);
}

struct running_node {
  explicit running_node(const std::filesystem::path& directory, bool faults = false) : disk(open_store(directory)) {
    actors::node_parts parts;
    parts.system = &system;
    parts.store = disk.get();
    parts.time = &time;
    parts.metrics = &metrics;
    parts.traces = &traces;
    parts.sink = std::make_shared<silent_sink>();
    actors::runtime_settings settings;
    settings.awake_max = 400;  // aggregates sleep and wake all the time
    settings.faults_enabled = faults;
    if (faults) settings.poison_attempts = 1000;
    node = std::make_unique<actors::node>(parts, settings);
    node->start();
    until([this] { return node->ready(); });
  }

  template <class Condition>
  static void until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) FAIL("waited too long");
      std::this_thread::yield();
    }
  }

  template <record Command>
  command_answer ask(std::string_view context, std::optional<std::uint64_t> id, Command c) {
    command_request r;
    r.context = system.context_named(context).index;
    r.id = id;
    r.command = value::of(std::move(c));
    r.time_limit = patience;
    const auto answered = std::make_shared<std::promise<command_answer>>();
    node->ask(std::move(r), [answered](command_answer a) { answered->set_value(std::move(a)); });
    return answered->get_future().get();
  }

  /// Orders of one phone number, as the finder sees them.
  std::size_t ordered_by(std::string_view phone) const {
    const auto& orders = system.context_named("order");
    page_request all;
    all.limit = 1000;
    const auto found = node->find({false, orders.index}, orders.resource->finders.at(0), {phone}, all);
    return found->rows.size();
  }

  std::int64_t counted() const {
    page_request all;
    all.limit = 1000;
    std::int64_t sum = 0;
    const auto sales = node->list({false, system.context_named("sale").index}, all);
    for (const auto& row : sales->rows) sum += row.row.as<sale>()->sum_amt;
    return sum;
  }
  bool all_settled() const {
    const auto& contexts = node->inside().shared->contexts;
    return std::all_of(contexts.begin(), contexts.end(), [](const auto& c) { return c.outbox.load() == 0; });
  }

  system_declaration system = crema::cafeteria::cafeteria();
  std::unique_ptr<storage::store> disk;
  actors::system_clock time;
  telemetry::metrics metrics;
  telemetry::trace_ring traces{telemetry::trace_settings{}};
  std::unique_ptr<actors::node> node;
};

}  // namespace

TEST_CASE("threads: given many callers, readers, and supervisors that are killed, then every answer holds and the books balance") {
  constexpr int callers = 4, orders_each = 100;
  tests::temporary_directory directory;
  std::atomic<std::int64_t> standing{0}, missed{0};
  std::array<std::size_t, callers> ordered{};
  {
    running_node n(directory.path);
    std::atomic<bool> done{false};
    std::thread reader([&] {
      while (!done) {
        (void)n.node->list({false, 0}, {});
        (void)n.ordered_by("01");
        (void)n.node->events({});
        (void)n.node->supervisors();
        (void)n.node->metrics();
      }
    });
    std::thread killer([&] {
      auto& shared = *n.node->inside().shared;
      for (std::uint16_t p = 0; !done; p = static_cast<std::uint16_t>((p + 1) % 16)) {
        const auto restarts = shared.contexts[1].restarts.load();
        if (const auto victim = shared.partition({1, p}).get()) caf::anon_send_exit(victim, caf::exit_reason::kill);
        running_node::until([&] { return done || shared.contexts[1].restarts.load() > restarts; });
        if (shared.contexts[1].restarts.load() > 5) break;  // within the intensity: the context is to stay
      }
    });
    std::vector<std::thread> threads;
    threads.reserve(callers);
    for (int t = 0; t < callers; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < orders_each; ++i) {
          const auto a = n.ask("order", {}, place_order{"0" + std::to_string(t), "coffee", 1, 10});
          if (a.refused) continue;  // its payment was killed: then nothing of it stands
          const auto known = ++ordered[static_cast<std::size_t>(t)];
          if (n.ordered_by("0" + std::to_string(t)) < known) ++missed;  // a finder sees what the answer before it wrote
          if (i % 3 == 0) {
            if (!n.ask("order", a.resource.id, cancel_order{}).refused) continue;
          }
          standing += 10;
        }
      });
    for (auto& t : threads) t.join();
    done = true;
    reader.join();
    killer.join();
    // In the end every cancel is settled, and what a killed chain had counted is taken back. A caller is told "no" a moment before
    // the undo is on its way, so an empty outbox alone does not say that this is the end.
    running_node::until([&] { return n.all_settled() && n.counted() == standing; });
    CHECK(n.counted() == standing);
    CHECK(missed == 0);
    n.node->stop();
  }
  const auto disk = open_store(directory.path);
  const auto report = storage::verify(*disk, crema::cafeteria::cafeteria());
  for (const auto& fault : report.faults) FAIL_CHECK(fault);
}

TEST_CASE("threads: given many callers while faults come and go on links and handlers, then every answer holds and the books balance") {
  constexpr int callers = 4, orders_each = 100;
  tests::temporary_directory directory;
  std::atomic<std::int64_t> standing{0};
  std::atomic<int> not_taken{0};
  {
    running_node n(directory.path, true);
    std::atomic<bool> done{false};
    std::thread vandal([&] {
      for (int round = 0; !done; ++round) {
        const std::pair<const char*, const char*> some[] = {
            {"payment->drink", "drop"}, {"order->payment", "repeat"}, {"payment->sale", "delay"}, {"payment->drink", "reorder"},
            {"payment", "crash"},       {"drink", "throw"},           {"sale", "slow"},           {"customercenter/projector", "stall"}};
        const auto& [target, kind] = some[round % 8];
        nlohmann::json f{{"target", target}, {"kind", kind}};
        if (std::string(kind) != "stall") f["rate"] = 0.2;
        if (round % 8 == 2 || round % 8 == 6) f["delayMaxMs"] = 3;
        const auto added = n.node->add_fault(f);
        if (!added) ++not_taken;
        while (!done && added && n.node->faults().back().at("fired") == 0) std::this_thread::yield();
        if (round % 3 == 2) (void)n.node->remove_faults({});
      }
    });
    std::vector<std::thread> threads;
    threads.reserve(callers);
    for (int t = 0; t < callers; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < orders_each; ++i) {
          const auto a = n.ask("order", {}, place_order{"0" + std::to_string(t), "coffee", 1, 10});
          if (a.refused) continue;
          if (i % 3 == 0 && !n.ask("order", a.resource.id, cancel_order{}).refused) continue;
          standing += 10;
        }
      });
    for (auto& t : threads) t.join();
    done = true;
    vandal.join();
    CHECK(not_taken == 0);
    (void)n.node->remove_faults({});
    running_node::until([&] { return n.all_settled() && n.counted() == standing; });
    CHECK(n.counted() == standing);
    n.node->stop();
  }
  const auto disk = open_store(directory.path);
  const auto report = storage::verify(*disk, crema::cafeteria::cafeteria());
  for (const auto& fault : report.faults) FAIL_CHECK(fault);
}
