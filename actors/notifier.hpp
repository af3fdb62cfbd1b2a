// Delivers the notifications of one context at least once, each under one id for ever, so many at a time. A dead receiver delays his
// own notifications: nobody else's, and never an order.
//
// A failed try is followed by others, with a back-off by receiver (actors/failing_receivers.hpp); what waits for its next try holds no
// place, and such tries take half of the places at the most. What was tried too often, is too old, or was refused for good goes to the
// dead letters.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>
#include "actors/base_actor.hpp"

#include "actors/failing_receivers.hpp"
#include "actors/inbox.hpp"
#include "actors/services.hpp"
#include "behaviors/core/notification_sink.hpp"

namespace crema::actors {

class notifier : public base_actor {
 public:
  notifier(caf::actor_config& cfg, services& node, const context_declaration& context, std::uint64_t epoch,
           std::shared_ptr<notification_sink> sink);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.notifier"; }

 private:
  class return_address;
  struct letter {
    failing_receivers::letter what;
    stored_message_ptr message;  ///< null: to be read from disk
    bool again = false;          ///< its receiver has failed before
    trace_context span;          ///< of the present try …
    std::int64_t began_us = 0;   ///< … and since when
    const std::string& to() const { return message->payload.as<notification>()->to; }
  };

  void pass_barrier();
  void read_on();
  void take(const stored_message_ptr& m);
  void go_on();
  void send_ready();
  bool send_again();
  bool send_next();
  void wait_for_disk();
  void wake_for_retries();
  stored_message_ptr read_again(const storage::outbox_ref& ref);
  void post(letter l);
  void on_done(std::uint64_t number, const delivery_report& report);
  void on_failed(letter l, const delivery_report& report);
  std::optional<std::string> given_up(failing_receivers::letter& l) const;
  void let_go(const std::string& receiver);
  void bury(const letter& l, const std::string& reason);
  void settle();
  void show_figures();

  services& node_;
  const context_declaration& context_;
  const fence guard_;
  std::shared_ptr<notification_sink> sink_;
  std::shared_ptr<return_address> home_;  // of the tries' outcomes
  inbox inbox_;
  std::deque<stored_message_ptr> kept_;
  std::deque<letter> waiting_;
  failing_receivers failing_;
  std::unordered_map<std::uint64_t, letter> in_flight_;
  std::size_t again_in_flight_ = 0;
  std::vector<storage::outbox_ref> delivered_;  // not yet consumed in the journal
  std::set<storage::outbox_ref> in_hand_;       // in flight, waiting for a receiver to recover, or not consumed on disk yet
  std::uint64_t numbers_ = 0;
  std::optional<std::int64_t> wakes_at_ms_;
  bool waits_for_disk_ = false, settling_ = false;
  telemetry::counter delivered_counter_, failed_counter_, dead_counter_;
};

}  // namespace crema::actors
