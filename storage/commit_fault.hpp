// What is to become of a commit on purpose: said to a store that can be made to fail (storage/faulty), by whoever injects faults.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "storage/store.hpp"

namespace crema::storage {

struct commit_fault {
  std::optional<storage_errc> failure;
  bool torn = false;  ///< the process is to die in the middle of it
  std::chrono::milliseconds delay{0};
};
/// Asked before each commit, on the writer's thread.
using commit_adviser = std::function<commit_fault()>;

}  // namespace crema::storage
