// What a pure decision gets and gives.
//
//   result<outcome> decide(const order&, const place_order&, const given&);   // never reads a clock, never throws for a business "no"
//   void evolve(order&, const ordered&);                                      // total: every recorded event can be folded
//
// A decision that needs a synchronous partner returns the ask; the runtime performs it and decides again with the reply in
// `given`, so the whole chain stays a pure function:
//
//   if (!g.reply<payment_approved>()) return ask(approve_payment{…}).undone_by(void_payment{});
//   return record_event(ordered{…});
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "behaviors/core/result.hpp"
#include "behaviors/core/value.hpp"

namespace crema {

/// The settings that a system declares for itself (name without the system's prefix → value). Immutable while a node runs.
using setting_value = std::variant<bool, std::int64_t, std::string>;
using system_settings = std::map<std::string, setting_value, std::less<>>;

/// The circumstances of one decision: everything that is not in the state or the command.
struct given {
  timestamp now;
  std::uint64_t id = 0;  ///< the aggregate's number
  bool exists = false;   ///< has recorded at least one event and is not gone
  const system_settings* settings = nullptr;
  std::span<const value> replies;  ///< what the partners asked so far answered, in the order of the asks

  template <record Event>
  const Event* reply() const noexcept {
    for (const auto& r : replies)
      if (const auto* found = r.as<Event>()) return found;
    return nullptr;
  }
  /// A declared setting. Throws std::out_of_range / std::bad_variant_access where the declaration lacks it: a bug.
  template <class T>
  const T& setting(std::string_view name) const {
    const auto found = settings->find(name);
    if (found == settings->end()) throw std::out_of_range("there is no setting called '" + std::string(name) + "'");
    return std::get<T>(found->second);
  }
};

/// A synchronous question to the context that handles `command`.
struct ask_request {
  value command;
  value undo;                       ///< what takes a success back if the chain fails; sent to the same aggregate
  std::optional<std::uint64_t> to;  ///< aggregate number; by default the asker's own, or the key that the callee declares
};

/// A command to this same aggregate at a later time. Durable.
struct timer_request {
  std::chrono::milliseconds after{};
  value command;
};

/// What a decision came to. Either it asks (then nothing is recorded yet), or it records and replies.
struct outcome {
  std::vector<value> events;
  std::vector<ask_request> asks;
  std::vector<value> if_refused;  ///< events to record, all the same, when an ask fails (the caller still gets the failure)
  std::vector<timer_request> timers;
  value answer;  ///< what an asker gets; by default the first event

  template <record Event>
  outcome also(Event e) && {
    events.push_back(value::of(std::move(e)));
    return std::move(*this);
  }
  template <record Command>
  outcome undone_by(Command c) && {
    asks.back().undo = value::of(std::move(c));
    return std::move(*this);
  }
  outcome at(std::uint64_t id) && {
    asks.back().to = id;
    return std::move(*this);
  }
  template <record Event>
  outcome recording_if_refused(Event e) && {
    if_refused.push_back(value::of(std::move(e)));
    return std::move(*this);
  }
  template <record Command>
  outcome then_after(std::chrono::milliseconds delay, Command c) && {
    timers.push_back({delay, value::of(std::move(c))});
    return std::move(*this);
  }
  template <record Reply>
  outcome answering(Reply r) && {
    answer = value::of(std::move(r));
    return std::move(*this);
  }
};

/// Records one event (or more, by .also).
template <record Event>
outcome record_event(Event e) {
  return outcome{}.also(std::move(e));
}

/// Nothing changes, and that is a success (a command that came twice).
inline outcome nothing() { return {}; }

/// Asks the context that handles Command.
template <record Command>
outcome ask(Command c) {
  outcome o;
  o.asks.push_back({value::of(std::move(c)), {}, {}});
  return o;
}

}  // namespace crema
