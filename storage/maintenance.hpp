// Offline work on a data directory: is everything on disk what the journal says (verify), views made anew, and a journal replayed
// into an empty directory up to a point (restore).
//
// Called by main.cpp (`crema verify`, `crema restore`) on its own thread, with no node running on the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "storage/store.hpp"

namespace crema::storage {

/// Told now and then what is being done, and how many of its steps are done.
using progress_handler = std::function<void(const std::string& what, std::uint64_t done)>;
inline constexpr std::uint64_t progress_every = 100000;  ///< records between two calls
/// One line on standard error each time.
void progress_to_stderr(const std::string& what, std::uint64_t done);

struct verify_report {
  std::uint64_t records = 0, events = 0, aggregates = 0, rows = 0, view_rows = 0, index_entries = 0, outbox_entries = 0, timers = 0,
                idempotency_keys = 0, dead_letters = 0;
  std::uint64_t last_offset = 0;          ///< of the last event or bookkeeping record, 0 for an empty journal
  std::uint64_t view_records_behind = 0;  ///< records that the views had not taken in yet: they do so at the next start
  std::chrono::milliseconds elapsed{0};
  std::vector<std::string> faults;  ///< one sentence each, with the place; at most faults_max
  std::uint64_t faults_total = 0;

  static constexpr std::size_t faults_max = 100;
};

/// Compares everything that is derived with what the journal derives. Never modifies; damage is a fault in the report, and only what
/// keeps the store from being read at all is thrown (storage_error). Memory: one partition's aggregates, and the rows of all views.
verify_report verify(const store& s, const system_declaration& system, const progress_handler& progress = progress_to_stderr);

/// Makes all views anew from the journal, then verifies.
verify_report rebuild_and_verify(store& s, const system_declaration& system, const progress_handler& progress = progress_to_stderr);

/// For who is about to go on from there: where the store has doubts that it is whole (store::doubt), all of it is verified, and accepted
/// where nothing is at fault. Throws storage_error (corrupt) otherwise.
void check_whole(store& s, const system_declaration& system, const progress_handler& progress = progress_to_stderr);

std::string to_text(const verify_report& report);
std::string to_json(const verify_report& report);

struct restore_report {
  std::uint64_t records = 0;
  std::uint64_t last_offset = 0;  ///< of the last event kept
};

/// Replays the journal of `from` into the empty store `to`: all of it, or up to the record that holds offset `to_sequence`, or up to
/// the first record later than `to_time`. A chain that the cut leaves half-finished is settled at the next start. What follows is another
/// history than what followed in `from`: `new_history` is its id, random.
/// Throws storage_error: format (`to` is not empty, `from` is of another system), corrupt (a record of `from` is damaged), and what a
/// write throws.
restore_report restore(const store& from, store& to, const system_declaration& system, std::uint64_t new_history,
                       std::optional<std::uint64_t> to_sequence, std::optional<timestamp> to_time,
                       const progress_handler& progress = progress_to_stderr);

}  // namespace crema::storage
