// One aggregate, awake. Decides on one message at a time, records, then tells the others. When the aggregate falls asleep, the actor
// rests until it becomes another one: to start and end an actor costs more than all that an order needs of it.
//
// Spawned by its partition supervisor, which alone sends to it (partners' replies apart). Loads its state row on its first
// message. While a decision waits for partners, later messages wait here, in order, up to mailbox_max.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "actors/base_actor.hpp"
#include "actors/message.hpp"
#include "actors/services.hpp"

namespace crema::actors {

/// What an entity shows of itself without being asked. Written by it, read by its supervisor: one that has finished all that it was
/// sent may be put to sleep without a word.
struct entity_gauge {
  std::atomic<std::uint64_t> last_appended{0};  ///< sequence of its last record, of whichever aggregate
  std::atomic<std::uint64_t> finished{0};       ///< deliveries taken, while none is under way or waits; set last
};
/// supervisor → resting entity, with its first delivery: from now on it is this aggregate.
struct become_aggregate {
  std::uint64_t id = 0;
  std::string key;
};
/// supervisor → resting entity: there are enough of you.
struct retire {};
/// entity → supervisor: its handler failed on this delivery; it is gone.
struct stumbled {
  std::uint64_t id = 0, incarnation = 0;
  delivery_ptr with;
  std::string error;
  bool counts = true;  ///< as one of its attempts; not where a partner was out of reach
};
/// entity → supervisor, from its last moment, however it ended. The number is that of the aggregate that it was last.
struct gone {
  std::uint64_t id = 0, incarnation = 0;
};

class entity : public base_actor {
 public:
  struct identity {
    std::uint64_t id = 0;
    std::string key;
    std::uint64_t incarnation = 0;  ///< of the actor, whatever it is
    fence guard;
    std::shared_ptr<entity_gauge> gauge;
  };
  entity(caf::actor_config& cfg, services& node, identity who, caf::actor supervisor);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.entity"; }

 private:
  using tickets = std::vector<std::shared_ptr<hold_ticket>>;

  // What a partner was asked, for its span.
  struct question {
    std::array<std::uint8_t, 8> span_id{};
    std::string_view what;
    std::uint16_t context = 0;
    std::uint64_t id = 0;  // 0: not known yet
    std::int64_t began_us = 0;
  };
  // A decision that waits for its partners.
  struct chain {
    delivery_ptr cause;
    outcome asked;
    std::vector<value> replies;          // of all rounds
    tickets held;                        // the partners' steps so far
    std::vector<std::uint64_t> waiting;  // ask numbers of this round, in order; 0: answered
    std::vector<question> questions;     // of this round, in the same order
    std::vector<value> round;            // this round's replies, in order of the asks
    std::size_t open = 0;
  };

  // Only while something keeps the entity from going on.
  struct obstacle {
    delivery_ptr slowed;
    std::uint64_t hung_by = 0;        // the fault because of which the slowed delivery waits
    std::list<delivery_ptr> backlog;  // behind that or a chain, in order
  };

  // entity.cpp: one message at a time
  void become(become_aggregate& next);
  void show_progress();
  void load();
  void take(delivery_ptr d);
  void take_next();
  void begin(delivery_ptr d);
  bool struck(delivery_ptr& d);
  void go_on_with_slowed();
  std::optional<rejection> precondition(const delivery& d) const;
  void decide_and_act(delivery_ptr d, std::unique_ptr<chain> so_far);
  void stumble(delivery_ptr d, const std::string& error, bool counts = true);
  void record_wait(const delivery& d);
  void record_handled(const delivery& d, bool failed, std::string_view note = {});
  void record_answered(const delivery& asker, const question& q, bool failed, std::string_view note = {});

  // entity_chain.cpp
  void send_asks(delivery_ptr d, outcome o, std::unique_ptr<chain> under_way);
  void on_reply(const ask_reply& r);
  void fail_chain(chain& c, const rejection& why);

  // entity_record.cpp
  bool record(const delivery_ptr& d, const outcome& o, const tickets& held);  // false: refused, an outbox is full
  std::optional<rejection> no_room(const delivery& d, const std::vector<storage::stored_message>& messages) const;
  void record_refused_chain(const delivery_ptr& d, const outcome& asked, rejection why);
  void answer_unchanged(const delivery_ptr& d, const outcome& o);
  void settle_message(const delivery_ptr& d);
  void refuse(const delivery_ptr& d, rejection why);
  void rest_on_own_records(delivery& d) const noexcept;
  bool append(append_request request, const delivery_ptr& d, std::shared_ptr<const storage::journal_record>& written);
  std::shared_ptr<storage::journal_record> make_record(const delivery& d) const;
  std::vector<storage::stored_message> messages_of(const delivery& d, const outcome& o, timestamp at) const;
  void add_rows(append_request& request, const value& next, std::uint64_t next_version) const;
  void release_answer(append_request& request, const delivery_ptr& d);
  value folded(const outcome& o) const;

  const context_declaration& declaration() const noexcept { return node_.system.contexts[who_.guard.where.context]; }
  obstacle& hold_up() {
    if (!held_up_) held_up_ = std::make_unique<obstacle>();
    return *held_up_;
  }
  std::size_t backlog() const noexcept { return held_up_ ? held_up_->backlog.size() : 0; }
  std::uint64_t last_appended() const noexcept { return who_.gauge->last_appended.load(std::memory_order_relaxed); }
  bool exists() const noexcept { return version_ > 0 && !gone_; }
  storage::address self() const { return {who_.guard.where.context, who_.id, who_.key}; }

  // Bytes count here: there is one of these for each awake aggregate.
  services& node_;
  identity who_;
  const caf::actor supervisor_;
  value state_;
  std::uint64_t version_ = 0;
  std::uint64_t last_sequence_ = 0;  // of its last record with events
  std::uint64_t taken_ = 0;          // deliveries, of all aggregates that it was
  std::unique_ptr<chain> chain_;
  std::unique_ptr<obstacle> held_up_;
  std::int64_t began_us_ = 0;  // the present handling, whose span is …
  trace_context own_span_;     // … this
  bool gone_ = false;
  bool loaded_ = false;
  bool busy_ = false;  // a chain or a slowed delivery is under way
  bool ending_ = false;
};

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::become_aggregate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::retire)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::stumbled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::gone)
