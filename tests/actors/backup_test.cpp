// A backup under way is ended by a stop, and what keeps it from being made is told in the kind of refusal that fits.
#include <condition_variable>
#include <future>

#include "storage/memory/memory_store.hpp"
#include "storage/wrapping_store.hpp"
#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;

namespace {

// Its copies last until they are stopped, or fail at once.
class copying_store final : public storage::wrapping_store {
 public:
  explicit copying_store(std::optional<storage::storage_errc> failure)
      : wrapping_store(std::shared_ptr<storage::store>(storage::make_memory_store())), failure_(failure) {}

  void copy_to(const std::filesystem::path&, const std::stop_token& stop) const override {
    if (failure_) throw storage::storage_error(*failure_, "it does not fit; make room.");
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    stopped.wait(lock, stop, [] { return false; });
    throw storage::storage_error(storage::storage_errc::stopped, "it was stopped; begin again.");
  }

 private:
  std::optional<storage::storage_errc> failure_;
};

struct backup {
  explicit backup(std::optional<storage::storage_errc> failure)
      : node(test_system(), few_partitions(), std::make_shared<copying_store>(failure)) {
    node.node().backup("/backups/1", [this](std::optional<rejection> why) { told.set_value(std::move(why)); });
  }
  std::optional<rejection> refusal() {
    auto answer = told.get_future();
    REQUIRE(answer.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    return answer.get();
  }

  std::promise<std::optional<rejection>> told;
  stepped_node node;
};

}  // namespace

TEST_CASE("backup: given one under way, when the node is to stop, then it is refused as stopped, without a wait") {
  for (const bool cancelled : {true, false}) {
    backup b(std::nullopt);
    if (cancelled)
      b.node.node().cancel_backups();
    else
      b.node.stop();
    const auto why = b.refusal();
    REQUIRE(why);
    CHECK(why->kind == rejection_kind::stopped);
  }
}

TEST_CASE("backup: given no room for it, then that is an overload that may pass, and any other failure is the directory's") {
  backup full(storage::storage_errc::full), unsupported(storage::storage_errc::unsupported);
  const auto no_room = full.refusal(), not_empty = unsupported.refusal();
  CHECK(no_room->kind == rejection_kind::overloaded);
  CHECK(no_room->retry_after_ms > 0);
  CHECK(no_room->detail == "it does not fit; make room.");
  CHECK(not_empty->kind == rejection_kind::invalid);
  CHECK(not_empty->field == "directory");
}
