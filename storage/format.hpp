// What a data directory says of itself: format version, system, partitions and the field lists it was written with.
#pragma once

#include <cstdint>

#include "behaviors/core/declaration.hpp"
#include "storage/store.hpp"

namespace crema::storage {

inline constexpr std::uint64_t format_version = 7;

/// Makes a new directory ready, or checks that an existing one was written by this system in this format with these partitions,
/// and that no field list has lost, moved or changed a field (which would misread what is on disk). New fields and types are
/// noted down. Throws storage_error (format) with one sentence that says what differs and what to do.
void prepare(store& s, const system_declaration& system, std::uint16_t partitions);

/// As `prepare` for an existing directory, without changing it.
void check_format(const snapshot& s, const system_declaration& system);

/// Partitions of an existing directory; throws storage_error (format) where there is no crema data.
std::uint16_t partitions_of(const store& s);

}  // namespace crema::storage
