// Records appended to the journal and durable: its two threads, one LMDB commit for a batch of 1, 10 and 100 orders with their rows.
// The data is in a directory of its own below the present one, so start it on the disk that is to be measured.
#include <benchmark/benchmark.h>

#include <atomic>
#include <filesystem>
#include <memory>

#include "actors/journal.hpp"
#include "bench/micro/orders.hpp"
#include "storage/deferred/deferred_store.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "storage/packed/packed_store.hpp"

namespace {

using namespace crema;
namespace fs = std::filesystem;

constexpr std::size_t contexts = 5, deferred_entries_max = 262144;

class journal_on_disk {
 public:
  journal_on_disk() { log_->start(); }
  ~journal_on_disk() {
    log_.reset();
    disk_.reset();
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  journal_on_disk(const journal_on_disk&) = delete;
  journal_on_disk& operator=(const journal_on_disk&) = delete;

  /// Appends so many new orders; returns once all are durable.
  void place(std::int64_t orders) {
    std::atomic<std::int64_t> left = orders;
    for (std::int64_t n = 0; n < orders; ++n) {
      log_->append(new_order([&left] {
        if (left.fetch_sub(1) == 1) left.notify_one();
      }));
    }
    for (auto now = left.load(); now > 0; now = left.load()) left.wait(now);
  }

 private:
  actors::append_request new_order(actors::output when_durable) {
    actors::append_request r;
    const auto id = ++last_id_;
    r.record = std::make_shared<storage::journal_record>(bench::record_of_order(id));
    r.derived.rows.push_back({{false, bench::order_context}, id, storage::encode_row({0, 1}, row_)});
    r.outputs.push_back(std::move(when_durable));
    return r;
  }

  const fs::path directory_ = fs::absolute("journal_bench.data");
  std::unique_ptr<storage::store> disk_ =
      storage::make_deferred_store(storage::make_packed_store(storage::open_lmdb(directory_)), deferred_entries_max);
  const actors::runtime_settings settings_;
  const actors::system_clock time_;
  telemetry::metrics metrics_;
  const value row_ = value::of(bench::an_order());
  std::uint64_t last_id_ = 0;
  std::unique_ptr<actors::journal> log_ = std::make_unique<actors::journal>(*disk_, contexts, settings_, time_, metrics_);
};

void append_and_commit(benchmark::State& state) {
  journal_on_disk log;
  while (state.KeepRunning()) log.place(state.range(0));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append_and_commit)->Arg(1)->Arg(10)->Arg(100)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
