// What goes wrong in a run: a list drawn from its seed, which can also be given and made shorter. Pure.
//
// Some kinds are done to the node from outside (killed actors, the disk, the clock); the injected ones are put on its own fault board.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/chance.hpp"

namespace crema::sim {

enum class fault_kind : std::uint8_t {
  crash,        ///< kill -9 of the node
  kill_entity,  ///< an actor of that kind, when it is about to run
  kill_partition,
  kill_gate,
  kill_projector,
  kill_notifier,
  kill_timers,
  kill_context,  ///< a context's supervisor
  kill_root,
  commit_lost,    ///< a commit fails and is not on the disk
  commit_kept,    ///< a commit fails, but is on the disk
  disk_full,      ///< every write fails for a while, also after a restart
  disk_slow,      ///< no commit for a while
  clock_forward,  ///< the wall clock jumps
  clock_back,
  stop_context,  ///< for a while
  sink_fails,    ///< notifications are not taken for a while
  inject_crash,  ///< an entity ends in the middle of a message
  inject_throw,
  inject_slow,
  inject_hang,
  inject_drop,  ///< on the link between two contexts
  inject_delay,
  inject_repeat,
  inject_reorder,
  inject_full,   ///< a mailbox
  inject_stall,  ///< a projector
};

struct fault {
  fault_kind kind{};
  std::uint64_t step = 0;  ///< of the schedule, at which it strikes
  std::uint64_t pick = 0;  ///< whom or how long, whatever the kind makes of it
  friend bool operator==(const fault&, const fault&) = default;
};
using fault_list = std::vector<fault>;

/// "crash@120:7,kill-entity@300:1"; "none" for an empty list.
std::string to_text(const fault_list& faults);
/// Throws std::invalid_argument with a sentence that names what cannot be read.
fault_list parse_faults(std::string_view text);
std::string_view name_of(fault_kind kind) noexcept;
/// Whether it is put on the node's fault board, under this name; empty: it is done from outside.
std::string_view board_name_of(fault_kind kind) noexcept;
const std::vector<fault_kind>& all_fault_kinds();
/// In the order of their steps. A run has a taste: only some kinds, few or many.
fault_list draw_faults(testing::chance& random, std::uint64_t steps);

}  // namespace crema::sim
