// What a data directory says of itself: format version, system, partitions, history and the field lists it was written with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "behaviors/core/declaration.hpp"
#include "storage/store.hpp"

namespace crema::storage {

inline constexpr std::uint64_t format_version = 7;

/// What takes several commits to make. Noted by the first of them and forgotten by the last, so that half of it is never taken for whole.
enum class making : std::uint8_t { restored, views };
std::optional<making> being_made(const snapshot& s);
void begin_making(store& s, making what);
void end_making(store& s);

/// Makes a new directory ready, or checks that an existing one was written by this system in this format with these partitions,
/// and that no field list has lost, moved or changed a field (which would misread what is on disk). New fields and types are
/// noted down. Throws storage_error (format) with one sentence that says what differs and what to do.
/// Throws storage_error too where what is there is being made (format), or lacks what everything begins with (corrupt).
void prepare(store& s, const system_declaration& system, std::uint16_t partitions, std::uint64_t new_history);
/// The same for an empty store that is about to be restored, with begin_making.
void prepare_to_restore(store& s, const system_declaration& system, std::uint16_t partitions, std::uint64_t new_history);

/// As `prepare` for an existing directory, without changing it. Views may be being made.
void check_format(const snapshot& s, const system_declaration& system);

/// Partitions of an existing directory; throws storage_error (format) where there is no crema data.
std::uint16_t partitions_of(const store& s);

/// The id of an existing directory's history, 16 hexadecimal digits: made with the directory, and anew by every restore, so that offsets
/// of two histories can be told apart. Throws storage_error (format) where there is none.
std::string history_of(const store& s);

}  // namespace crema::storage
