// Journal records and the durable messages they carry: the full truth from which state rows, indexes, views, outbox, timers and
// idempotency keys can be derived again. Byte format: docs/formats/journal.md.
//
// Start here. A record is one step of one aggregate: the events, the messages these cause, and what the step consumed. Pure data.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/codec.hpp"
#include "behaviors/core/front_door.hpp"
#include "behaviors/core/value.hpp"

namespace crema::storage {

/// An aggregate: by number, or by key until its number is known (id 0).
struct address {
  std::uint16_t context = 0;
  std::uint64_t id = 0;
  std::string key;
  friend bool operator==(const address&, const address&) = default;
};

/// Where a durable message waits: one lane a receiving partition, read in order.
struct lane {
  std::uint16_t context = 0;
  std::uint16_t partition = 0;
  friend auto operator<=>(const lane&, const lane&) = default;
};
/// The lane of a context's notifications; no partition has this number.
inline constexpr std::uint16_t notification_partition = 0xFFFE;
/// Stands for a context's views where their writer is fenced; nothing waits in it.
inline constexpr std::uint16_t view_partition = 0xFFFD;

/// A message's name for ever: the record that put it, and its place in it.
struct message_id {
  std::uint64_t sequence = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const message_id&, const message_id&) = default;
};

struct outbox_ref {
  lane where;
  message_id id;
  friend auto operator<=>(const outbox_ref&, const outbox_ref&) = default;
};

/// A command or notification that must arrive.
struct stored_message {
  outbox_ref ref;  ///< set when the record is appended
  address to;
  address from;
  std::uint64_t causation = 0;  ///< sequence of the record whose event made it; 0 before that is appended
  address correlation;          ///< the aggregate with which the conversation began
  trace_context trace;
  bool compensating = false;  ///< part of undoing a failed chain: views skip its effects
  std::int64_t due_ms = 0;    ///< > 0: a timer, not deliverable before this wall-clock time
  message_id first_id;        ///< of a notification sent again from the dead letters: the one it had before; else 0
  value payload;

  /// Under which a notification is known outside, whatever record has put it.
  const message_id& known_as() const noexcept { return first_id.sequence != 0 ? first_id : ref.id; }
};

/// A step taken for an asker that has not yet recorded its own: undone unless a record confirms it. Its messages wait in it.
struct hold {
  address subject;  ///< whose step it is
  address correlation;
  trace_context trace;
  value undo;  ///< command to the same aggregate; empty: nothing needs undoing
  std::vector<stored_message> messages;
};

/// How a message that died had come. FROZEN: numbers are on disk.
enum class letter_kind : std::uint8_t {
  message = 0,  ///< durable: may be sent again
  request = 1,  ///< of a caller, who may have asked again: may be sent again under its key
  ask = 2,      ///< of another aggregate's chain, which has failed since: given up
};

struct dead_letter {
  stored_message message;
  std::string error;
  std::uint32_t attempts = 0;
  timestamp at;
  letter_kind was = letter_kind::message;
  // request
  bool creates = false;
  std::optional<std::uint64_t> expected_version = std::nullopt;
  std::optional<idempotency_key> idempotency = std::nullopt;
};

struct journal_record {
  std::uint64_t sequence = 0;  ///< node-wide, growing; event i of the record has offset sequence + i
  std::uint16_t partition = 0;
  timestamp at;
  address subject;
  std::uint64_t previous = 0;  ///< sequence of the subject's record before this one, 0 for its first
  std::uint64_t version = 0;   ///< of the aggregate after it; a record without events leaves it as it was
  std::vector<value> events;
  std::vector<stored_message> messages;
  std::vector<outbox_ref> consumed;                        ///< messages and holds that are settled by this record
  std::vector<outbox_ref> confirmed;                       ///< holds of partners that this record makes final
  std::vector<std::pair<std::int64_t, message_id>> fired;  ///< timers (due, id) that this record turned into messages
  std::optional<hold> held;                                ///< set: this step itself waits for its asker's record
  std::optional<idempotency_key> idempotency;
  std::optional<dead_letter> died;
  std::vector<std::uint64_t> revived;  ///< dead letters taken away
  std::uint64_t causation = 0;         ///< sequence of the record that made the handled message; 0 for a caller's request
  address correlation;
  trace_context trace;
  bool compensating = false;

  /// Sequence numbers the record takes up.
  std::uint64_t width() const noexcept { return events.empty() ? 1 : events.size(); }
  /// The place in the outbox of this step's own hold.
  outbox_ref hold_ref() const noexcept { return {{subject.context, partition}, {sequence, 0}}; }
};

/// The body of a record: everything but sequence, partition and checksums, which its surroundings say.
std::string encode_body(const journal_record& r);
/// Throws decode_error. Sets the refs of the messages.
journal_record decode_body(std::uint64_t sequence, std::uint16_t partition, std::string_view body, const type_catalog& types);

void encode_message(const stored_message& m, std::string& out);
stored_message decode_message(wire::reader& in, const type_catalog& types);

std::string encode_hold(const hold& h);
hold decode_hold(std::string_view bytes, const type_catalog& types);

std::string encode_dead_letter(const dead_letter& d);
dead_letter decode_dead_letter(std::string_view bytes, const type_catalog& types);

/// Which lane a message goes to. Stable for ever: it is part of keys on disk.
std::uint16_t partition_of(const address& a, std::uint16_t partitions) noexcept;

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) noexcept;

}  // namespace crema::storage
