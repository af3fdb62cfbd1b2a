#include "storage/filtered/filtered_store.hpp"

#include <xxhash.h>

#include <atomic>
#include <exception>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "storage/batch_thread.hpp"
#include "storage/filtered/bloom_filter.hpp"
#include "storage/layout.hpp"
#include "storage/wrapping_store.hpp"

namespace crema::storage {

namespace {

std::uint64_t hash_of(std::string_view group) noexcept { return XXH3_64bits(group.data(), group.size()); }

// Adds before it commits: whoever sees the commit finds it in the filter. All at once, as each goes to a place of its own in memory.
class feeding_transaction final : public wrapping_transaction {
 public:
  feeding_transaction(std::unique_ptr<transaction> below, bloom_filter& groups) : wrapping_transaction(std::move(below)), groups_(groups) {}

  void put(table t, std::string_view key, std::string_view value) override {
    if (t == table::index)
      if (const auto group = index_group(key); !group.empty()) added_.push_back(hash_of(group));
    below_->put(t, key, value);
  }
  void commit() override {
    groups_.add(added_);
    below_->commit();
  }

 private:
  bloom_filter& groups_;
  std::vector<std::uint64_t> added_;
};

class filtered_store final : public wrapping_store {
 public:
  filtered_store(std::shared_ptr<store> below, std::size_t bytes, learning how, std::function<void(const std::string&)> told)
      : wrapping_store(std::move(below)), groups_(bytes) {
    if (how == learning::at_opening)
      learn({});
    else
      learns_ = std::jthread([this, told = std::move(told)](const std::stop_token& stop) { learn_beside(stop, told); });
  }

  std::unique_ptr<transaction> write() override { return std::make_unique<feeding_transaction>(below_->write(), groups_); }
  bool may_have(table t, std::string_view prefix) const noexcept override {
    if (t != table::index || !knows_all_.load(std::memory_order_acquire)) return true;
    const auto group = index_group(prefix);
    return group.empty() || groups_.may_have(hash_of(group));
  }

 private:
  void learn_beside(const std::stop_token& stop, const std::function<void(const std::string&)>& told) noexcept {
    schedule_as_batch();
    std::string why;
    try {
      learn(stop);
      below_->trim();
    } catch (const std::exception& e) { why = e.what(); }
    if (told && !stop.stop_requested()) told(why);
  }

  // In pieces, each with a snapshot of its own: a long one would keep the store from using pages again. What comes or goes meanwhile was
  // put by a transaction that added it.
  void learn(const std::stop_token& stop) {
    constexpr int pieces_kept = 500;  // half a million entries, which only this looks at
    std::string from(index_groups_begin());
    for (int pieces = 1; learn_piece(from); ++pieces) {
      if (stop.stop_requested()) return;
      if (pieces % pieces_kept == 0) below_->trim();
    }
    knows_all_.store(true, std::memory_order_release);
  }
  // False: it was the last one.
  bool learn_piece(std::string& from) {
    constexpr int entries = 1000;
    const auto now = below_->read();
    const auto at = now->open(table::index);
    std::uint64_t last = 0;
    bool there = at->seek(from);
    for (int n = 0; there && n < entries; ++n, there = at->next()) {
      const auto key = at->key();
      if (!key.starts_with(index_groups_begin())) return false;
      if (const auto group = index_group(key); !group.empty())
        if (const auto hash = hash_of(group); std::exchange(last, hash) != hash) groups_.add(hash);
      from.assign(key).push_back('\0');
    }
    return there;
  }

  bloom_filter groups_;
  std::atomic<bool> knows_all_{false};
  std::jthread learns_;  // the last: it ends before what it uses
};

}  // namespace

std::unique_ptr<store> make_filtered_store(std::shared_ptr<store> below, std::size_t bytes, learning how,
                                           std::function<void(const std::string&)> told) {
  if (bytes == 0) return std::make_unique<wrapping_store>(std::move(below));
  return std::make_unique<filtered_store>(std::move(below), bytes, how, std::move(told));
}

}  // namespace crema::storage
