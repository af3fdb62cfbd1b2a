// What travels between the actors of one node. Nothing in here is ever silently lost: a delivery that its receiver dropped comes
// back to its supervisor, an ask that nobody answered answers "failed", a partner's step that no record confirmed undoes itself.
// The destructors see to that, so killing any actor at any moment is safe.
#pragma once

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/front_door.hpp"
#include "storage/record.hpp"

namespace crema::actors {

struct services;

enum class delivery_kind : std::uint8_t {
  request,  ///< from the front door: answered through on_answer
  ask,      ///< from another aggregate's chain: answered to reply_to
  message,  ///< durable: consumed by the receiver's record
  undo,     ///< durable: takes back a step that an asker did not confirm
};

struct delivery {
  delivery() = default;
  delivery(delivery&&) = default;
  delivery& operator=(delivery&&) = default;
  ~delivery();  ///< unless settled, goes back to the receiver's supervisor

  services* node = nullptr;
  delivery_kind kind = delivery_kind::message;
  bool settled = false;
  std::uint8_t returns = 0;    ///< how often it came back unhandled
  std::uint32_t attempts = 0;  ///< how often its handler failed
  std::uint64_t epoch = 0;     ///< in which its partition took it on; 0: not yet
  storage::address to, from;
  value payload;  ///< undo: empty where there is nothing but the hold to settle
  std::uint64_t causation = 0;
  storage::address correlation;
  trace_context trace;
  bool compensating = false;
  std::int64_t deadline_ms = 0;  ///< steady; 0: none
  std::int64_t sent_us = 0;      ///< steady
  std::uint64_t rests_on = 0;    ///< the last record that whatever is answered to it rests on: no answer leaves before that is durable
  bool may_come_twice = false;   ///< it came over a link that repeats: its receiver looks whether it was here before

  // request
  bool creates = false;
  std::optional<std::uint64_t> expected_version;
  as_read read_only;
  std::optional<idempotency_key> idempotency;
  answer_handler on_answer;
  std::uint64_t replays = 0;  ///< the dead letter that its record takes away; 0: none
  // ask
  std::uint64_t ask = 0;
  caf::actor reply_to;
  value undo_command;
  // message, undo
  storage::outbox_ref ref;
};
using delivery_ptr = std::shared_ptr<delivery>;
/// Of what it carries, for spans and logs.
std::string_view name_of(const delivery& d) noexcept;
/// Durable: whatever befalls its handler, it comes again until it is settled.
inline bool must_arrive(const delivery& d) noexcept { return d.kind == delivery_kind::message || d.kind == delivery_kind::undo; }
/// The rules' own "no" is an answer like another; these say that something is out of order.
constexpr bool is_trouble(rejection_kind k) noexcept {
  return k == rejection_kind::failed || k == rejection_kind::timed_out || k == rejection_kind::stopped || k == rejection_kind::overloaded;
}

using stored_message_ptr = std::shared_ptr<const storage::stored_message>;

/// A partner's step that waits for its asker's record. Confirmed, its messages become the asker's to send; destroyed without,
/// it is undone.
class hold_ticket {
 public:
  /// `step` was appended, and holds.
  hold_ticket(services& node, std::shared_ptr<const storage::journal_record> step) : node_(&node), step_(std::move(step)) {}
  hold_ticket(const hold_ticket&) = delete;
  hold_ticket& operator=(const hold_ticket&) = delete;
  ~hold_ticket();

  storage::outbox_ref ref() const noexcept { return step_->hold_ref(); }
  const std::vector<storage::stored_message>& messages() const noexcept { return step_->held->messages; }
  /// The asker's record is appended.
  void confirm();

 private:
  services* node_;
  std::shared_ptr<const storage::journal_record> step_;
  bool confirmed_ = false;
};

struct ask_reply {
  std::uint64_t ask = 0;
  std::optional<rejection> refused;
  value answer;
  std::uint64_t rests_on = 0;           ///< as a delivery's
  std::shared_ptr<hold_ticket> ticket;  ///< null where the partner recorded nothing
};
using ask_reply_ptr = std::shared_ptr<ask_reply>;

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::delivery_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::ask_reply_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::stored_message_ptr)
