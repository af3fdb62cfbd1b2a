// LMDB's and the system's error numbers as storage errors.
#pragma once

#include "storage/store.hpp"

namespace crema::storage {

storage_errc errc_of(int rc) noexcept;

/// Throws a storage_error with what to do about it, unless rc is 0. `doing` completes "Cannot …".
void check(int rc, const char* doing);

}  // namespace crema::storage
