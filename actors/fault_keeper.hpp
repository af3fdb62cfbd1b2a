// Carries what comes by a link with a fault, and ends faults whose time has passed. A child of the root, where faults are enabled.
//
// Problem: messages between two contexts are to be lost, late, doubled and out of order, while the order of each sender and receiver
// holds and nothing durable is lost. Solution: while a link has a fault, all that goes by links comes here. What is held up holds up
// those of the same sender and receiver behind it; what was dropped is sent again a little later, as it still is in the outbox, and
// asks that were dropped run into their deadline. Killing this actor loses nothing: its deliveries come back.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "actors/base_actor.hpp"
#include "actors/services.hpp"

namespace crema::actors {

/// A delivery on the detour; while `watch` lives, others take the detour as well.
struct detoured {
  delivery_ptr what;
  std::shared_ptr<void> watch;
};
/// A fault was added or removed.
struct faults_changed {};

class fault_keeper : public base_actor {
 public:
  fault_keeper(caf::actor_config& cfg, services& node);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.faults"; }

 private:
  // Sender and receiver: within such a pair the order holds.
  using pair_key = std::tuple<std::uint16_t, std::uint64_t, std::string, std::uint16_t, std::uint64_t, std::string>;
  using link = std::pair<std::uint16_t, std::uint16_t>;
  struct line {
    detoured first;           // held up
    std::uint64_t fault = 0;  // by which
    std::int64_t due_ms = 0;
    bool dropped = false;  // when it is due it is sent again, and may be dropped again
    std::deque<detoured> behind;
  };
  using lines = std::map<pair_key, line>;

  static pair_key key_of(const delivery& d);
  static link link_of(const delivery& d) { return {d.from.context, d.to.context}; }
  void take(detoured d);
  bool held_up(detoured& d, line& at);
  void go_on(lines::iterator at);
  void pass(detoured d);
  void pass_twice(detoured d);
  void look();
  void tick();

  services& node_;
  lines lines_;
  std::map<link, pair_key> to_be_overtaken_;
  std::multimap<std::int64_t, detoured> lost_;  // asks, by their deadline
  bool ticking_ = false;
};

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::detoured)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::faults_changed)
