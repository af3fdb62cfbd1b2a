// Durable timers: when one is due, its message moves from the timers to its receiver's lane, in one record, and is dispatched.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include "actors/base_actor.hpp"

#include "actors/services.hpp"

namespace crema::actors {

class timer_service : public base_actor {
 public:
  timer_service(caf::actor_config& cfg, services& node);
  caf::behavior make_behavior() override;
  const char* name() const override { return "crema.timers"; }

 private:
  void load();
  void add(stored_message_ptr m);
  void fire_due();
  void arm();

  services& node_;
  std::map<std::pair<std::int64_t, storage::message_id>, stored_message_ptr> due_;
  bool loaded_ = false;
  std::uint64_t read_up_to_ = 0;   // what was set up to here came from disk
  std::int64_t armed_for_ms_ = 0;  // wall clock; 0: not armed
};

}  // namespace crema::actors
