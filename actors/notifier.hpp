// Delivers the notifications of one context at least once, each under a stable id, with a back-off between tries and so many at a
// time. A dead receiver delays notifications, never an order.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>
#include "actors/base_actor.hpp"

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
  struct letter {
    stored_message_ptr message;
    std::uint32_t tries = 0;
    std::int64_t began_us = 0;  ///< of the present try
  };

  void pass_barrier();
  bool in_hand(const storage::outbox_ref& ref) const;
  void read_on();
  void take(const stored_message_ptr& m);
  void send_waiting();
  void wait_for_disk();
  void post(letter l);
  void on_done(std::uint64_t number, bool delivered);
  void settle();

  services& node_;
  const context_declaration& context_;
  const fence guard_;
  std::shared_ptr<notification_sink> sink_;
  inbox inbox_;
  std::deque<stored_message_ptr> kept_;
  std::deque<letter> waiting_;
  std::unordered_map<std::uint64_t, letter> in_flight_;
  std::vector<storage::outbox_ref> delivered_;  // not yet consumed in the journal
  std::vector<storage::outbox_ref> settling_;   // consumed by a record that is not yet on disk
  std::uint64_t numbers_ = 0;
  bool waits_for_disk_ = false;
  telemetry::counter delivered_counter_, failed_counter_;
};

/// Writes notifications to the log: `To. 01033132570` and the text.
class log_sink final : public notification_sink {
 public:
  void deliver(const std::string& id, const notification& n, std::function<void(bool)> done) override;
};

}  // namespace crema::actors
