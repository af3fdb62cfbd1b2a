// A system as a whole: its declaration is run by a small interpreter that delivers durable messages late and in any order that keeps
// each sender–receiver pair's, and lets chains fail at any step. It keeps the runtime's promises: what a step taken for an asker causes
// waits for the asker's own record; where none comes, the step is undone at the callee, what it causes is dropped, and neither the step
// nor its undoing is shown or told; what undoes a step arrives before the same asker's next step there; a timer is never early.
//
// Start here:
//   under_seeds(300, [](chance& random) {
//     board b(hotel());
//     trouble(b, random);                                   // lost answers, messages that arrive while a chain is open
//     (void)b.tell(in_book, 1, value::of(place_booking{…}));
//     b.deliver_all(random);
//   });
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "tests/behaviors/given_when_then.hpp"
#include "tests/support/chance.hpp"

namespace crema::testing {

using address = std::pair<std::uint16_t, std::string>;  // context, number or key

/// Runs `run(chance&)` under the seeds 1 … count. A failing case prints its seed; CREMA_SEED runs one (then the answer is false).
template <class Run>
bool under_seeds(std::uint64_t count, Run run) {
  const char* chosen = std::getenv("CREMA_SEED");
  const std::uint64_t first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
  const std::uint64_t last = chosen != nullptr ? first : count;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    INFO("CREMA_SEED=" << seed);
    chance random(seed);
    run(random);
  }
  return chosen == nullptr;
}

class map_rows : public row_store {
 public:
  explicit map_rows(const resource_declaration& resource) : resource_(resource) {}

  value get(std::uint64_t id) override { return rows_.contains(id) ? rows_.at(id) : value{}; }
  void put(std::uint64_t id, value row) override { rows_[id] = std::move(row); }
  void erase(std::uint64_t id) override { rows_.erase(id); }
  std::uint64_t next_id() override { return ++last_; }
  value last(std::string_view finder, const std::vector<scalar>& arguments) override {
    const auto& finders = resource_.finders;
    const auto chosen = std::find_if(finders.begin(), finders.end(), [&](const auto& f) { return f.name == finder; });
    REQUIRE(chosen != finders.end());
    REQUIRE(chosen->fields.size() == arguments.size());
    for (auto at = rows_.rbegin(); at != rows_.rend(); ++at) {
      bool found = true;
      for (std::size_t i = 0; i < arguments.size(); ++i)
        found = found && resource_.row->fields[chosen->fields[i]].get(at->second.data()) == arguments[i];
      if (found) return at->second;
    }
    return {};
  }
  const std::map<std::uint64_t, value>& all() const { return rows_; }

 private:
  const resource_declaration& resource_;
  std::map<std::uint64_t, value> rows_;
  std::uint64_t last_ = 0;
};

struct happened {
  address from;
  std::uint64_t id = 0;
  value event;
};

class board {
 public:
  explicit board(system_declaration system) : system_(std::move(system)), settings_(defaults_of(system_)) {
    for (const auto& view : system_.views) stores_.emplace_back(view.resource);
  }
  board(const board&) = delete;  // the stores refer to the declaration
  board& operator=(const board&) = delete;

  timestamp now = feb_2021;
  /// Called before a chain step is answered: true lets the step fail after it was recorded (its answer is lost).
  std::function<bool(const value& command)> answer_is_lost = [](const value&) { return false; };
  /// Called while a chain waits for a step's answer: others go on meanwhile.
  std::function<void()> meanwhile = [] {};
  std::set<std::uint16_t> stopped;

  void set(const std::string& setting, setting_value is) {
    REQUIRE(settings_.contains(setting));
    settings_[setting] = std::move(is);
  }

  /// A command from outside. Returns the refusal, if any. Whoever waits for a partner takes none.
  std::optional<rejection> tell(std::uint16_t context, std::uint64_t id, const value& command) {
    if (stopped.contains(context)) return is_stopped(system_.contexts[context]);
    if (!is_free(address_of(context, id, command))) return no_answer(system_.contexts[context]);
    return take_on(context, id, command, false);
  }

  /// Null where there is none, or it is gone.
  template <record State>
  const State* state(std::uint16_t context, const std::string& key) const {
    const auto at = entities_.find({context, key});
    return at == entities_.end() || !at->second.exists ? nullptr : static_cast<const State*>(at->second.state.get());
  }
  template <record State>
  const State* state(std::uint16_t context, std::uint64_t id) const {
    return state<State>(context, std::to_string(id));
  }
  /// All that exist in a context, by number or key.
  template <record State>
  std::map<std::string, const State*> collection(std::uint16_t context) const {
    std::map<std::string, const State*> all;
    for (const auto& [at, e] : entities_)
      if (at.first == context && e.exists) all.emplace(at.second, static_cast<const State*>(e.state.get()));
    return all;
  }

  template <record Row>
  std::vector<Row> view(std::size_t index) const {
    std::vector<Row> all;
    for (const auto& [id, row] : stores_[index].all()) all.push_back(*row.template as<Row>());
    return all;
  }
  template <record Row>
  std::optional<Row> row(std::size_t index, std::uint64_t id) const {
    const auto& all = stores_[index].all();
    return all.contains(id) ? std::optional<Row>(*all.at(id).template as<Row>()) : std::nullopt;
  }

  /// Every event of a type that was recorded, whether it counted or was taken back.
  template <record Event>
  std::vector<happened> recorded() const {
    std::vector<happened> all;
    std::copy_if(log_.begin(), log_.end(), std::back_inserter(all), [](const auto& h) { return h.event.template as<Event>() != nullptr; });
    return all;
  }

  /// Delivers one waiting message, or lets one timer go off, where the receiver runs and is free; `random` chooses.
  bool deliver_one(chance& random) {
    std::vector<route> routes;
    for (const auto& [r, queue] : waiting_)
      if (!queue.empty() && is_free(r.to)) routes.push_back(r);
    std::vector<std::size_t> due;
    for (std::size_t i = 0; i < timers_.size(); ++i)
      if (may_go_off(timers_[i])) due.push_back(i);
    if (routes.empty() && due.empty()) return false;
    const auto chosen = static_cast<std::size_t>(random.below(routes.size() + due.size()));
    if (chosen < routes.size())
      deliver_next_of(routes[chosen]);
    else
      go_off(due[chosen - routes.size()]);
    return true;
  }
  void deliver_some(chance& random, std::uint64_t at_most) {
    for (auto n = random.below(at_most + 1); n > 0; --n) deliver_one(random);
  }
  void deliver_all(chance& random) {
    while (deliver_one(random)) {}
  }

  /// Folds the log anew and compares with what the entities hold.
  void check_replay() const {
    std::map<address, std::shared_ptr<void>> again;
    for (const auto& h : log_) {
      const auto& c = system_.contexts[h.from.first];
      auto& folded = again[h.from];
      if (!folded) folded = c.state->make();
      c.evolver_of(h.event.type())->evolve(folded.get(), h.event.data());
    }
    for (const auto& [at, e] : entities_) {
      if (!again.contains(at)) continue;
      const auto& type = *system_.contexts[at.first].state;
      std::string kept, folded;
      encode_fields(type, e.state.get(), kept);
      encode_fields(type, again.at(at).get(), folded);
      CHECK(kept == folded);
    }
  }

  const std::vector<happened>& log() const { return log_; }
  const system_declaration& system() const { return system_; }
  std::vector<std::string> dead_letters;
  std::vector<notification> told;

 private:
  struct entity {
    std::shared_ptr<void> state;
    bool exists = false;
    bool busy = false;  ///< with a chain
  };

  /// Messages of one route keep their order. Undos have routes of their own.
  struct route {
    address from, to;
    bool undo = false;
    friend auto operator<=>(const route&, const route&) = default;
  };
  struct message {
    route on;
    std::uint64_t id = 0;  ///< the receiver's number, where it has no key
    value command;
    bool compensating = false;
    std::uint64_t serial = 0;  ///< when it was set off; of an undo: when its chain began
    int attempts = 0;
  };
  struct timer {
    std::int64_t due_ms = 0;
    message what;
  };

  /// What a record causes beyond its own aggregate: waits where the record is a step taken for an asker.
  struct effects {
    std::vector<message> messages;
    std::vector<timer> timers;
    std::vector<std::pair<value, event_meta>> shown;
    std::vector<notification> told;

    void take(effects&& other) {
      std::move(other.messages.begin(), other.messages.end(), std::back_inserter(messages));
      std::move(other.timers.begin(), other.timers.end(), std::back_inserter(timers));
      std::move(other.shown.begin(), other.shown.end(), std::back_inserter(shown));
      std::move(other.told.begin(), other.told.end(), std::back_inserter(told));
    }
  };

  /// What a command came to. `recorded` is empty where nothing changed.
  struct came_to {
    value answer;
    std::optional<rejection> refused;
    std::optional<effects> recorded;
  };

  static rejection is_stopped(const context_declaration& c) { return {rejection_kind::stopped, c.name + " is stopped", {}, 0}; }
  static rejection no_answer(const context_declaration& c) {
    return {rejection_kind::timed_out, c.name + " did not answer in time", {}, 0};
  }

  std::uint64_t id_of(const address& a) {
    if (!system_.contexts[a.first].key_of) return std::stoull(a.second);
    return keyed_.try_emplace(a, keyed_.size() + 1).first->second;
  }
  address address_of(std::uint16_t context, std::uint64_t id, const value& command) const {
    const auto& c = system_.contexts[context];
    return {context, c.key_of ? c.key_of(command) : std::to_string(id)};
  }
  bool is_free(const address& a) const {
    const auto at = entities_.find(a);
    return !stopped.contains(a.first) && (at == entities_.end() || !at->second.busy);
  }

  void deliver_next_of(const route& r) {
    constexpr int attempts_max = 100;
    auto next = waiting_[r].front();
    waiting_[r].pop_front();
    const auto refused = take_on(r.to.first, next.id, next.command, next.compensating);
    if (!refused) return;
    const bool again = refused->kind == rejection_kind::stopped || refused->kind == rejection_kind::timed_out;
    if (again && ++next.attempts < attempts_max)
      waiting_[r].push_front(std::move(next));
    else
      dead_letters.push_back(refused->detail);
  }

  // A timer takes longer than any request: the chains that were open when it was set have ended, and their undos have arrived.
  bool may_go_off(const timer& t) const {
    if (!is_free(t.what.on.to) || (!open_.empty() && *open_.begin() < t.what.serial)) return false;
    return std::none_of(waiting_.begin(), waiting_.end(), [&](const auto& lane) {
      return lane.first.undo && lane.first.to == t.what.on.to && !lane.second.empty() && lane.second.front().serial < t.what.serial;
    });
  }
  void go_off(std::size_t at) {
    const auto t = timers_[at];
    timers_.erase(timers_.begin() + static_cast<std::ptrdiff_t>(at));
    now.ms = std::max(now.ms, t.due_ms);
    if (const auto refused = take_on(t.what.on.to.first, t.what.id, t.what.command, t.what.compensating))
      dead_letters.push_back(refused->detail);
  }

  // A command that nobody's chain waits for: what it causes goes out at once.
  std::optional<rejection> take_on(std::uint16_t context, std::uint64_t id, const value& command, bool compensating) {
    auto result = carry_out(context, id, command, compensating);
    if (result.recorded) release(std::move(*result.recorded));
    return std::move(result.refused);
  }

  // Decides, asking partners on the way, and records. The partners' steps are confirmed by that record, or undone.
  came_to carry_out(std::uint16_t context, std::uint64_t id, const value& command, bool compensating) {
    const auto& c = system_.contexts[context];
    const auto self = address_of(context, id, command);
    auto& e = entities_[self];
    if (!e.state) e.state = c.state->make();

    std::vector<value> replies;
    effects held;
    std::vector<message> undos;
    const auto began = ++serial_;
    const auto undo_all = [&] {
      for (auto& undo : undos) post(std::move(undo));
    };
    for (;;) {
      given g;
      g.now = now;
      g.id = id_of(self);
      g.exists = e.exists;
      g.settings = &settings_;
      g.replies = replies;
      const auto* handler = c.handler_of(command.type());
      REQUIRE(handler != nullptr);
      auto decided = handler->decide(e.state.get(), command.data(), g);
      if (!decided.ok()) {
        undo_all();
        return {{}, std::move(decided.why()), {}};
      }
      if (decided->asks.empty()) {
        if (decided->events.empty()) {
          undo_all();
          return {decided->answer, {}, {}};
        }
        held.take(record(self, g.id, decided->events, compensating));
        for (const auto& t : decided->timers)
          held.timers.push_back({now.ms + t.after.count(), {{self, self, false}, g.id, t.command, compensating, ++serial_, 0}});
        return {decided->answer ? decided->answer : decided->events.front(), {}, std::move(held)};
      }
      for (const auto& asked : decided->asks) {
        const auto open = open_.insert(began);
        auto step = ask_partner(self, g.id, asked, compensating, e);
        open_.erase(open);
        if (step.recorded) {
          held.take(std::move(*step.recorded));
          if (asked.undo) {
            const auto to = asked.to.value_or(g.id);
            const auto receiver = system_.receiver_of(asked.command.type())->index;
            undos.push_back({{self, address_of(receiver, to, asked.command), true}, to, asked.undo, true, began, 0});
          }
        }
        if (step.refused) {
          undo_all();
          // History all the same, for nobody's answer.
          if (!decided->if_refused.empty()) release(record(self, g.id, decided->if_refused, compensating));
          return {{}, std::move(step.refused), {}};
        }
        replies.push_back(std::move(step.answer));
      }
    }
  }

  // A step that was recorded and refused all the same is one whose answer was lost.
  came_to ask_partner(const address& self, std::uint64_t id, const ask_request& asked, bool compensating, entity& asker) {
    const auto* partner = system_.receiver_of(asked.command.type());
    REQUIRE(partner != nullptr);
    const auto to = asked.to.value_or(id);
    const auto there = address_of(partner->index, to, asked.command);
    asker.busy = true;
    meanwhile();
    came_to step;
    if (stopped.contains(partner->index)) {
      step.refused = is_stopped(*partner);
    } else if (!is_free(there)) {
      step.refused = no_answer(*partner);
    } else {
      while (!waiting_[{self, there, true}].empty()) deliver_next_of({self, there, true});
      step = carry_out(partner->index, to, asked.command, compensating);
      if (!step.refused) {
        meanwhile();
        if (answer_is_lost(asked.command)) step.refused = no_answer(*partner);
      }
    }
    asker.busy = false;
    return step;
  }

  effects record(const address& self, std::uint64_t id, const std::vector<value>& events, bool compensating) {
    const auto& c = system_.contexts[self.first];
    auto& e = entities_[self];
    effects caused;
    for (const auto& event : events) {
      const auto* evolver = c.evolver_of(event.type());
      REQUIRE(evolver != nullptr);
      evolver->evolve(e.state.get(), event.data());
      e.exists = !(c.gone && c.gone(e.state.get()));
      log_.push_back({self, id, event});
      const event_meta meta{id, log_.size(), now};
      for (const auto& p : system_.policies) {
        if (p.event != &event.type()) continue;
        auto command = p.make(event.data(), meta);
        if (!command) continue;
        const auto to = p.to ? p.to(event.data(), meta).value_or(id) : id;
        auto there = address_of(p.receiver, to, command);
        caused.messages.push_back({{self, std::move(there), false}, to, std::move(command), compensating, ++serial_, 0});
      }
      if (compensating) continue;  // nobody sees or is told of a step that never counted
      caused.shown.emplace_back(event, meta);
      for (const auto& n : system_.notifications)
        if (n.event == &event.type())
          if (auto text = n.make(event.data(), meta)) caused.told.push_back(std::move(*text));
    }
    return caused;
  }

  void release(effects caused) {
    for (auto& m : caused.messages) post(std::move(m));
    std::move(caused.timers.begin(), caused.timers.end(), std::back_inserter(timers_));
    std::sort(caused.shown.begin(), caused.shown.end(), [](const auto& a, const auto& b) { return a.second.offset < b.second.offset; });
    for (const auto& [event, meta] : caused.shown)
      for (std::size_t v = 0; v < stores_.size(); ++v)
        if (const auto* p = system_.views[v].projection_of(event.type())) p->apply(stores_[v], event.data(), meta);
    std::move(caused.told.begin(), caused.told.end(), std::back_inserter(told));
  }

  void post(message m) { waiting_[m.on].push_back(std::move(m)); }

  system_declaration system_;
  system_settings settings_;
  std::map<address, entity> entities_;
  std::map<address, std::uint64_t> keyed_;
  std::map<route, std::deque<message>> waiting_;
  std::vector<timer> timers_;
  std::uint64_t serial_ = 0;
  std::multiset<std::uint64_t> open_;  // chains, by when they began
  std::deque<map_rows> stores_;
  std::vector<happened> log_;
};

/// Answers get lost; while a chain is open, messages arrive and `others` (a command from outside, say) happens.
inline void trouble(
    board& b, chance& random, std::function<void()> others = [] {}) {
  const auto lost_one_in = 2 + random.below(12);
  b.answer_is_lost = [&random, lost_one_in](const value&) { return random.one_in(lost_one_in); };
  b.meanwhile = [&b, &random, others = std::move(others), open = std::make_shared<int>(0)] {
    constexpr int open_max = 3;
    if (*open >= open_max) return;
    ++*open;
    if (random.one_in(3)) b.deliver_one(random);
    if (random.one_in(4)) others();
    --*open;
  };
}

/// Stops one context, or starts them all.
inline void stop_or_start(board& b, chance& random) {
  if (random.one_in(3))
    b.stopped = {static_cast<std::uint16_t>(random.below(b.system().contexts.size()))};
  else
    b.stopped.clear();
}

/// Everything runs and everything arrives.
inline void drain(board& b, chance& random) {
  b.stopped.clear();
  b.deliver_all(random);
  CHECK(b.dead_letters.empty());
  b.check_replay();
}

}  // namespace crema::testing
