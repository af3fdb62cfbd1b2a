// What a node does for itself now and then: forgets idempotency keys whose time is over, a few at a time, looks whether the disk has
// room for more, and gives memory back when nothing has happened for a while. Runs under the root; losing it loses nothing.
#pragma once

#include <cstdint>
#include <string>
#include "actors/base_actor.hpp"

#include "actors/services.hpp"

namespace crema::actors {

class housekeeper : public base_actor {
 public:
  housekeeper(caf::actor_config& cfg, services& node);
  caf::behavior make_behavior() override;
  const char* name() const override { return "crema.housekeeper"; }

 private:
  void forget_keys();
  void look_for_room();
  void trim_when_idle();

  services& node_;
  std::string looked_up_to_;  // key of the last entry looked at
  std::uint64_t seen_ = 0;    // where the log ended at the last look
  bool forgetting_ = false;   // a commit that forgets some is on its way
  bool trimmed_ = false;
  storage::shortage short_of_ = storage::shortage::none;
};

}  // namespace crema::actors
