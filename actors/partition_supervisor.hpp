// Wakes, feeds and restarts the aggregates of one partition of one context. Owns no business data: losing it loses nothing.
//
// Every message to an aggregate comes through here, so that there is one writer for each. A failed aggregate restarts from its
// durable state with a back-off and gets the message again; a message that fails too often goes to the dead letters.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>
#include "actors/base_actor.hpp"

#include "actors/entity.hpp"
#include "actors/inbox.hpp"
#include "actors/services.hpp"

namespace crema::actors {

class partition_supervisor : public base_actor {
 public:
  partition_supervisor(caf::actor_config& cfg, services& node, const context_declaration& context, fence guard);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.partition"; }

 private:
  enum class slot_state : std::uint8_t { awake, restarting };
  // An actor that is some aggregate, or rests.
  struct worker {
    caf::actor handle;
    std::uint64_t incarnation = 0;
    std::shared_ptr<entity_gauge> gauge;
    std::uint64_t sent = 0;        // deliveries, in its whole life
    bool knows_aggregate = false;  // which it has become; it is told with the first delivery
  };
  // Bytes count here: there is one for each awake aggregate, and with its links in the list it fills 128.
  struct slot {
    std::uint64_t id = 0;
    worker by;
    slot_state state = slot_state::awake;
    std::uint32_t failures = 0;
    std::string key;
    std::int64_t used_ms = 0;
    std::unique_ptr<std::list<delivery_ptr>> waiting;  // while it is not awake

    std::list<delivery_ptr>& waiting_list() {
      if (!waiting) waiting = std::make_unique<std::list<delivery_ptr>>();
      return *waiting;
    }
  };
  using place = std::list<slot>::iterator;

  void open();
  void read_on();
  void forward_from_disk(delivery_ptr d);
  void cannot_read(const std::string& why);
  void go_live();
  bool let_callers_in();
  void let_in(std::initializer_list<delivery_kind> kinds);
  void take(delivery_ptr d);
  void take_parked();
  bool came_before(const delivery& d);
  void forward(delivery_ptr d);
  std::uint64_t resolve(const storage::address& to);
  place wake(std::uint64_t id, const std::string& key);
  void start(slot& s);
  void touch(place p);
  void to_the_back(place p) { by_use_.splice(by_use_.end(), by_use_, p); }
  void forget(place p);
  void count_awake(std::int64_t more);
  void on_stumbled(stumbled& m);
  void on_gone(const gone& m);
  void restart_later(place p);
  void bury(delivery& d, const std::string& error);
  void give_up(delivery_ptr d, const std::string& error);
  void set_aside(delivery_ptr d, const std::string& error);
  void give(slot& s, delivery_ptr d);
  bool too_many_awake() const;
  bool is_idle(const slot& s) const;
  void put_to_sleep(place p);
  void sweep();
  void make_room();

  services& node_;
  const context_declaration& context_;
  const fence guard_;
  inbox inbox_;
  std::deque<delivery_ptr> kept_;                   // until the reading from disk is done
  std::list<slot> by_use_;                          // least recently used first
  std::unordered_map<std::uint64_t, place> slots_;  // by number
  std::unordered_map<std::string, std::uint64_t> ids_by_key_;
  std::map<storage::outbox_ref, delivery_ptr> aside_;  // what undoes and failed too often: each until its next try
  std::vector<worker> resting_;                        // entities of no aggregate, to become the next ones
  std::uint64_t incarnations_ = 0;
  recently_heard heard_asks_, heard_messages_;
  bool counted_closed_ = true;
  bool callers_let_in_ = false;  // requests, asks and undos wait until the first barrier
};

}  // namespace crema::actors
