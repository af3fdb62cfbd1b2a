// Rules of one aggregate at a time: given these events, when this command, then those events (or that refusal).
// Rows of one view likewise: given these events, then those rows.
//
// Start here:  CHECK(refused_as_conflict(history<order>::of(was_ordered).when(two_coffees)));
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "behaviors/core/json.hpp"

namespace crema::testing {

inline constexpr timestamp feb_2021{1614227304716};  // 2021-02-25T04:28:24.716Z
inline constexpr std::uint64_t eleven = 11;

/// What the system's settings are where nobody sets them.
inline system_settings defaults_of(const system_declaration& system) {
  system_settings all;
  for (const auto& s : system.settings) all.emplace(s.name, s.default_value);
  return all;
}

/// An aggregate with a past, number 11. `when` decides as the runtime does; `take` folds what came of it.
template <class State>
struct history {
  State state{};
  bool exists = false;
  timestamp now = feb_2021;
  std::vector<value> replies{};
  system_settings settings{};

  template <class... Event>
  static history of(const Event&... events) {
    history h;
    (h.take(events), ...);
    return h;
  }
  template <class Event>
  void take(const Event& e) {
    evolve(state, e);
    exists = true;
    if constexpr (requires { gone(state); }) exists = !gone(state);
  }
  template <class Event>
  history then(const Event& e) const {
    auto h = *this;
    h.take(e);
    return h;
  }
  /// A partner that was asked has answered.
  template <class Reply>
  history with(Reply reply) const {
    auto h = *this;
    h.replies.push_back(value::of(std::move(reply)));
    return h;
  }
  history under(const system_settings& all) const {
    auto h = *this;
    h.settings = all;
    return h;
  }
  history where(const std::string& setting, setting_value is) const {
    auto h = *this;
    h.settings[setting] = std::move(is);
    return h;
  }
  history at(timestamp t) const {
    auto h = *this;
    h.now = t;
    return h;
  }
  template <class Command>
  result<outcome> when(const Command& c) const {
    given g;
    g.now = now;
    g.id = eleven;
    g.exists = exists;
    g.settings = &settings;
    g.replies = replies;
    return decide(state, c, g);
  }
};

/// The one event that was recorded, with nothing besides.
template <class Event>
Event only(const result<outcome>& r) {
  REQUIRE(r.ok());
  REQUIRE(r->asks.empty());
  REQUIRE(r->timers.empty());
  REQUIRE(r->events.size() == 1);
  const auto* e = r->events.front().as<Event>();
  REQUIRE(e != nullptr);
  return *e;
}

/// The one partner that is asked; nothing is recorded yet.
inline ask_request asked(const result<outcome>& r) {
  REQUIRE(r.ok());
  REQUIRE(r->events.empty());
  REQUIRE(r->timers.empty());
  REQUIRE(r->asks.size() == 1);
  return r->asks.front();
}

template <class Command>
Command as(const value& v) {
  const auto* c = v.as<Command>();
  REQUIRE(c != nullptr);
  return *c;
}

inline bool nothing_came_of(const result<outcome>& r) {
  return r.ok() && r->events.empty() && r->asks.empty() && r->timers.empty() && r->if_refused.empty();
}

/// Nothing changes, and the asker gets this.
template <class Event>
Event only_answer(const result<outcome>& r) {
  REQUIRE(nothing_came_of(r));
  return as<Event>(r->answer);
}

inline bool conflicts(const result<outcome>& r) {
  return !r.ok() && r.why().kind == rejection_kind::conflict && r.why().detail.size() > 20;
}

inline bool not_found(const result<outcome>& r) {
  return !r.ok() && r.why().kind == rejection_kind::not_found && r.why().detail.size() > 20;
}

template <class T>
bool invalid(const result<T>& r, std::string_view field) {
  return !r.ok() && r.why().kind == rejection_kind::invalid && r.why().field == field && r.why().detail.size() > 20;
}

/// Both have the same type and the same value in every field.
inline bool same(const value& a, const value& b) {
  if (!a || !b || &a.type() != &b.type()) return false;
  return std::all_of(a.type().fields.begin(), a.type().fields.end(), [&](const auto& f) { return f.get(a.data()) == f.get(b.data()); });
}
template <record A>
bool same(const A& a, const A& b) {
  return same(value::of(a), value::of(b));
}
/// A state or an event that carries the same facts as another, field by field and by name.
template <record A, record B>
bool same_facts(const A& a, const B& b) {
  const auto &one = type_of<A>().fields, &other = type_of<B>().fields;
  return one.size() == other.size() && std::equal(one.begin(), one.end(), other.begin(),
                                                  [&](const auto& f, const auto& g) { return f.name == g.name && f.get(&a) == g.get(&b); });
}

/// As HTTP answers it, without braces.
template <record T>
std::string answered(const T& object) {
  std::string text;
  append_json_fields(text, type_of<T>(), &object);
  return text;
}

/// What the policies of a system tell when an event of aggregate number `id` counts: command and, where the policy names one, its
/// aggregate.
struct told {
  value command;
  std::uint16_t receiver = 0;
  std::optional<std::uint64_t> to;
  std::string key;  ///< by which the receiver is found, where it is found by one
};

template <record Event>
std::vector<told> told_by(const system_declaration& system, const Event& e, std::uint64_t id = eleven) {
  std::vector<told> all;
  const event_meta meta{id, 1, feb_2021};
  for (const auto& p : system.policies) {
    if (p.event != &type_of<Event>()) continue;
    auto command = p.make(&e, meta);
    if (!command) continue;
    REQUIRE(&command.type() == p.command);
    const auto& receiver = system.contexts.at(p.receiver);
    all.push_back({command, p.receiver, p.to ? p.to(&e, meta) : std::nullopt, receiver.key_of ? receiver.key_of(command) : std::string()});
  }
  return all;
}

/// The names of the commands told, in the order of the declaration.
template <record Event>
std::vector<std::string> names_told_by(const system_declaration& system, const Event& e) {
  std::vector<std::string> names;
  for (const auto& t : told_by(system, e)) names.emplace_back(t.command.type().name);
  return names;
}

/// A view by its declaration, fed one event at a time.
template <record Row>
class shown : private row_store {
 public:
  shown(const system_declaration& system, std::string_view name) {
    for (const auto& v : system.views)
      if (v.name == name) view_ = v;
    REQUIRE(view_.resource.row == &type_of<Row>());
  }

  template <record Event>
  shown& take(const Event& e, std::uint64_t id = eleven) {
    const auto* p = view_.projection_of(type_of<Event>());
    REQUIRE(p != nullptr);
    p->apply(*this, &e, {id, ++offset_, feb_2021});
    return *this;
  }
  std::size_t size() const { return rows_.size(); }
  /// The row as it is; a fresh one fails the case.
  Row row(std::uint64_t id = eleven) const {
    REQUIRE(rows_.contains(id));
    return as<Row>(rows_.at(id));
  }

 private:
  value get(std::uint64_t id) override { return rows_.contains(id) ? rows_.at(id) : value{}; }
  void put(std::uint64_t id, value row) override { rows_[id] = std::move(row); }
  void erase(std::uint64_t id) override { rows_.erase(id); }
  std::uint64_t next_id() override { return rows_.empty() ? 1 : rows_.rbegin()->first + 1; }
  value last(std::string_view, const std::vector<scalar>&) override { return {}; }

  view_declaration view_;
  std::map<std::uint64_t, value> rows_;
  std::uint64_t offset_ = 0;
};

}  // namespace crema::testing
