// A store in which chosen values cannot be read any more, as where a bit of them was flipped on the disk: wraps any other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "storage/wrapping_store.hpp"

namespace crema::testing {

class damaged_store final : public storage::wrapping_store {
 public:
  using storage::wrapping_store::wrapping_store;

  void damage(storage::table t, std::string_view key) { spoilt_->emplace(t, key); }
  void mend() { spoilt_->clear(); }

  std::unique_ptr<storage::snapshot> read() const override { return std::make_unique<reads>(below_->read(), spoilt_); }

 private:
  using places = std::set<std::pair<storage::table, std::string>>;

  static void require_sound(const places& spoilt, storage::table t, std::string_view key) {
    if (spoilt.contains({t, std::string(key)}))
      throw storage::storage_error(storage::storage_errc::corrupt, "a value in '" + std::string(name_of(t)) + "' is damaged; mend it");
  }

  class steps final : public storage::cursor {
   public:
    steps(std::unique_ptr<storage::cursor> below, storage::table t, std::shared_ptr<const places> spoilt)
        : below_(std::move(below)), table_(t), spoilt_(std::move(spoilt)) {}
    bool seek(std::string_view key) override { return below_->seek(key); }
    bool next() override { return below_->next(); }
    bool prev() override { return below_->prev(); }
    bool seek_before(std::string_view key) override { return below_->seek_before(key); }
    std::string_view key() const override { return below_->key(); }
    std::string_view value() const override {
      require_sound(*spoilt_, table_, below_->key());
      return below_->value();
    }

   private:
    const std::unique_ptr<storage::cursor> below_;
    const storage::table table_;
    const std::shared_ptr<const places> spoilt_;
  };

  class reads final : public storage::snapshot {
   public:
    reads(std::unique_ptr<storage::snapshot> below, std::shared_ptr<const places> spoilt)
        : below_(std::move(below)), spoilt_(std::move(spoilt)) {}
    std::optional<std::string_view> get(storage::table t, std::string_view key) const override {
      require_sound(*spoilt_, t, key);
      return below_->get(t, key);
    }
    std::unique_ptr<storage::cursor> open(storage::table t) const override { return std::make_unique<steps>(below_->open(t), t, spoilt_); }
    std::uint64_t count(storage::table t) const override { return below_->count(t); }

   private:
    const std::unique_ptr<storage::snapshot> below_;
    const std::shared_ptr<const places> spoilt_;
  };

  const std::shared_ptr<places> spoilt_ = std::make_shared<places>();
};

}  // namespace crema::testing
