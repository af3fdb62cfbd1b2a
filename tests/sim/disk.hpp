// The disk of a simulated node: what was committed survives every life of it, what was not is gone. Composed as main.cpp does it,
// with a store in memory that fails on demand in LMDB's place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "storage/deferred/deferred_store.hpp"
#include "storage/faulty/faulty_store.hpp"
#include "storage/filtered/filtered_store.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/packed/packed_store.hpp"
#include "tests/sim/canary.hpp"

namespace crema::sim {

class simulated_disk {
 public:
  simulated_disk(std::uint64_t seed, std::size_t deferred_entries_max, std::optional<canary> broken)
      : plan_(std::make_shared<storage::fault_plan>(seed, [](std::chrono::milliseconds) {})),
        deferred_entries_max_(deferred_entries_max),
        platter_(storage::make_memory_store()) {
    denies_ = broken == canary::deny_what_is_there;
    if (broken) platter_ = sick_ = make_sick_disk(std::move(platter_), *broken);
  }
  /// As a process finds it when it starts.
  std::shared_ptr<storage::store> mount() const {
    auto composed = storage::make_filtered_store(
        storage::make_deferred_store(storage::make_packed_store(storage::make_faulty_store(platter_, plan_)), deferred_entries_max_),
        filter_bytes, storage::learning::at_opening);
    return denies_ ? make_denying_store(std::move(composed)) : std::move(composed);
  }
  /// The process is dead.
  void crash() {
    if (sick_) sick_->crash();
  }
  storage::fault_plan& plan() { return *plan_; }

 private:
  static constexpr std::size_t filter_bytes = 4096;

  std::shared_ptr<storage::fault_plan> plan_;
  std::size_t deferred_entries_max_;
  bool denies_ = false;
  std::shared_ptr<sick_disk> sick_;
  std::shared_ptr<storage::store> platter_;
};

}  // namespace crema::sim
