// The gate in front of a context for other contexts' asks: a bulkhead (so many in flight, so many waiting), a call time-out, and a
// circuit breaker. Every ask that passes ends in exactly one of reply, refusal, time-out.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include "actors/base_actor.hpp"

#include "actors/circuit_breaker.hpp"
#include "actors/services.hpp"

namespace crema::actors {

class bulkhead : public base_actor {
 public:
  bulkhead(caf::actor_config& cfg, services& node, const context_declaration& context);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.bulkhead"; }

 private:
  struct call {
    caf::actor asker;
    std::uint64_t ask = 0;  // the asker's own number
    std::int64_t began_ms = 0, deadline_ms = 0;
  };

  void take(delivery_ptr d);
  void pass(delivery_ptr d, std::int64_t now);
  void on_reply(ask_reply& r);
  void settle(std::uint64_t number, call c, call_result result);
  void pass_waiting();
  void sweep();
  void arm();
  void refuse(delivery& d, const std::string& why, std::int64_t retry_after_ms);
  void publish();

  services& node_;
  const context_declaration& context_;
  const bulkhead_settings settings_;
  circuit_breaker breaker_;
  circuit_state seen_ = circuit_state::closed;
  std::unordered_map<std::uint64_t, call> calls_;
  std::set<std::pair<std::int64_t, std::uint64_t>> deadlines_;
  std::deque<delivery_ptr> waiting_;
  std::uint64_t numbers_ = 0;
  std::optional<std::int64_t> armed_for_ms_;
  bulkhead_status& status_;
  telemetry::counter passed_counter_, refused_counter_, timed_out_counter_, failed_counter_;
};

}  // namespace crema::actors
