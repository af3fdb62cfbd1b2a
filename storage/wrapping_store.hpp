// What a store in front of another one leaves to it, and what a transaction does: all that who derives from them does not say otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "storage/store.hpp"

namespace crema::storage {

class wrapping_store : public store {
 public:
  explicit wrapping_store(std::shared_ptr<store> below) : below_(std::move(below)) {}

  std::unique_ptr<snapshot> read() const override { return below_->read(); }
  std::unique_ptr<transaction> write() override { return below_->write(); }
  bool may_have(table t, std::string_view prefix) const noexcept override { return below_->may_have(t, prefix); }
  void copy_to(const std::filesystem::path& directory, const std::stop_token& stop) const override { below_->copy_to(directory, stop); }
  store_usage usage() const override { return below_->usage(); }
  shortage short_of() const noexcept override { return below_->short_of(); }
  void make_room() noexcept override { below_->make_room(); }
  std::string doubt() const override { return below_->doubt(); }
  void accept() override { below_->accept(); }
  void trim() noexcept override { below_->trim(); }

 protected:
  const std::shared_ptr<store> below_;
};

class wrapping_transaction : public transaction {
 public:
  explicit wrapping_transaction(std::unique_ptr<transaction> below) : below_(std::move(below)) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override { return below_->get(t, key); }
  std::unique_ptr<cursor> open(table t) const override { return below_->open(t); }
  std::uint64_t count(table t) const override { return below_->count(t); }
  void put(table t, std::string_view key, std::string_view value) override { below_->put(t, key, value); }
  bool erase(table t, std::string_view key) override { return below_->erase(t, key); }
  void commit() override { below_->commit(); }

 protected:
  const std::unique_ptr<transaction> below_;
};

}  // namespace crema::storage
