// What a store in front of another one leaves to it.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "storage/store.hpp"

namespace crema::storage {

class wrapping_store : public store {
 public:
  explicit wrapping_store(std::shared_ptr<store> below) : below_(std::move(below)) {}

  bool may_have(table t, std::string_view prefix) const noexcept override { return below_->may_have(t, prefix); }
  void copy_to(const std::filesystem::path& directory) const override { below_->copy_to(directory); }
  store_usage usage() const override { return below_->usage(); }
  bool has_room() const noexcept override { return below_->has_room(); }
  void make_room() noexcept override { below_->make_room(); }
  void trim() noexcept override { below_->trim(); }

 protected:
  const std::shared_ptr<store> below_;
};

}  // namespace crema::storage
