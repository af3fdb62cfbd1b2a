// What caused what, read from the journal: every conversation in which an aggregate took part, as trees of steps.
//
// Start here. A step is one aggregate's record with what led to it. Links are those of the journal itself: a message is consumed by its
// receiver's record, an asker's record confirms the holds of its partners, a hold that was not confirmed is consumed by its undo. From
// each of the aggregate's own records the tree climbs to where the conversation began, then goes down again from there.
//
// A link forward (who consumed this?) is looked for in the journal of the receiving partition, behind the sender's record; a link
// backward is a look-up. So the age of the aggregate does not matter. What bounds the work is `tree_limits`; a tree that met one says
// so. Belongs to the thread of its snapshot; seconds at the very most, so not for an io thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

enum class step_cause : std::uint8_t {
  request,       ///< somebody outside; the journal does not keep the command
  ask,           ///< a partner's chain; the journal does not keep the command
  message,       ///< a policy's command
  timer,         ///< a command that the aggregate set for itself
  undo,          ///< the asker did not confirm the step
  notification,  ///< to a person
  replay,        ///< a dead letter that was sent again
};
std::string_view name_of(step_cause c) noexcept;

enum class step_state : std::uint8_t {
  recorded,
  waiting,  ///< on its way: not handled, delivered or due yet
  dead,     ///< a dead letter that waits for people
  dropped,  ///< a dead letter that people gave up
  unknown,  ///< handled, but its record was not found within the limits
};
std::string_view name_of(step_state s) noexcept;

struct causal_step {
  step_cause cause = step_cause::request;
  step_state state = step_state::recorded;
  address subject;
  std::string_view message;                      ///< type name of the command; empty where the journal does not say
  std::optional<timestamp> queued;               ///< when it was sent: its cause's record, or the timer's end
  std::int64_t due_ms = 0;                       ///< wall clock; > 0: of a timer
  bool undone = false;                           ///< provisional, and taken back
  std::shared_ptr<const journal_record> record;  ///< null where nothing is recorded or found
  std::vector<causal_step> steps;                ///< what it caused: asks first, then messages in their order
};

struct tree_limits {
  std::size_t own_records_max = 100;       ///< the newest of the aggregate that are climbed from
  std::size_t steps_max = 2000;            ///< of all trees
  std::size_t search_records_max = 50000;  ///< looked at for one link
  std::size_t records_max = 500000;        ///< looked at in all
};

struct causal_forest {
  std::vector<causal_step> roots;  ///< one a conversation, oldest first
  bool complete = true;            ///< false: a limit was met, something is missing
};

/// Nothing where the aggregate never recorded anything. Throws decode_error or storage_error for damaged data.
std::optional<causal_forest> read_causal_forest(const snapshot& s, std::uint16_t partitions, const type_catalog& types,
                                                std::uint16_t context, std::uint64_t id, const tree_limits& limits = {});

}  // namespace crema::storage
