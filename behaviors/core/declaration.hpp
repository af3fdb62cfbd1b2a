// A system as a declaration: contexts, who tells whom, views and notifications. Everything that serves a system (actors,
// HTTP, docs, the console) is made from this and knows no domain word of its own.
//
// Start here: behaviors/cafeteria/cafeteria.cpp, which reads like the sticky notes of an event storming.
//
// Built once at start, checked by `check()`, immutable afterwards: any thread may read it.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviors/core/codec.hpp"
#include "behaviors/core/decider.hpp"
#include "behaviors/core/value.hpp"

namespace crema {

/// Where an event comes from, for policies and views.
struct event_meta {
  std::uint64_t id = 0;      ///< number of the aggregate that recorded it
  std::uint64_t offset = 0;  ///< its place in the node's event stream
  timestamp at;
};

// ---- type-erased parts, as the runtime uses them ---------------------------------------------------------------------------

struct command_handler {
  const record_type* type = nullptr;
  result<outcome> (*decide)(const void* state, const void* command, const given&) = nullptr;
};

struct event_handler {
  const record_type* type = nullptr;
  void (*evolve)(void* state, const void* event) = nullptr;
};

/// A search over one collection: equality on all of `fields`, in order; with `up_to` the last one is an upper bound (inclusive).
struct finder_declaration {
  std::string name;                 ///< "findByPhoneNumber"
  std::vector<std::size_t> fields;  ///< positions in the row's field list; the query parameter is the field's name
  bool up_to = false;
  bool plain_array = false;  ///< answer a JSON array of rows with an id, oldest first, not HAL
};

enum class verb : std::uint8_t { create, patch, replace, remove };

/// Which command a verb stands for. `status` narrows a PATCH to a body with that "status".
struct verb_declaration {
  verb on = verb::create;
  std::string status;
  const record_type* command = nullptr;
};

/// A collection as HTTP shows it: of an aggregate or of a view.
struct resource_declaration {
  std::string collection;  ///< "orders"
  std::string singular;    ///< "order"
  const record_type* row = nullptr;
  std::vector<verb_declaration> verbs;  ///< empty: read only
  std::vector<finder_declaration> finders;
};

struct context_declaration {
  std::string name;                              ///< "order"; unique in the system
  std::uint16_t index = 0;                       ///< position in the system: part of keys on disk, FROZEN, append only
  std::optional<resource_declaration> resource;  ///< absent for a context that only carries views (customercenter)
  const record_type* state = nullptr;            ///< null likewise
  std::vector<command_handler> commands;
  std::vector<event_handler> events;
  std::function<std::string(const value& command)> key_of;  ///< set: aggregates are found by this text, not by the sender's number
  std::function<bool(const void* state)> gone;              ///< set: such a state is 404 and leaves the collection
  std::string bulkhead;  ///< the name under which its bulkhead is configured; by default the context's name

  const command_handler* handler_of(const record_type& command) const noexcept;
  const event_handler* evolver_of(const record_type& event) const noexcept;
};

/// whenever<Event>().tell<Command>(…)
struct policy_declaration {
  const record_type* event = nullptr;
  const record_type* command = nullptr;
  std::uint16_t receiver = 0;                                       ///< index of the context that handles `command`
  std::function<value(const void* event, const event_meta&)> make;  ///< an empty value: nothing to tell
  std::function<std::optional<std::uint64_t>(const void* event, const event_meta&)>
      to;  ///< by default the sender's number, or the receiver's key
};

/// A message to a person. Delivered at least once, with a stable id.
struct notification {
  static constexpr std::string_view type_name = "notification";
  std::string to;  ///< whom: a phone number, "guest 10"
  std::string text;
  static std::vector<field_spec> fields() { return {field<&notification::to>("to"), field<&notification::text>("text").length(0, 4096)}; }
};

struct notification_declaration {
  const record_type* event = nullptr;
  std::uint16_t context = 0;  ///< whose stop makes it wait
  std::function<std::optional<notification>(const void* event, const event_meta&)> make;
};

/// The rows of one view while it takes in one event. Row ids are positive.
class row_store {
 public:
  virtual ~row_store() = default;
  virtual value get(std::uint64_t id) = 0;  ///< empty if there is none
  virtual void put(std::uint64_t id, value row) = 0;
  virtual void erase(std::uint64_t id) = 0;
  virtual std::uint64_t next_id() = 0;  ///< 1, 2, 3 …
  /// The row with the highest number that the finder would answer; empty if there is none.
  virtual value last(std::string_view finder, const std::vector<scalar>& arguments) = 0;
};

/// The rows of a view as its projection sees them.
template <record Row>
class rows {
 public:
  explicit rows(row_store& store) : store_(&store) {}
  std::optional<Row> get(std::uint64_t id) const {
    const auto found = store_->get(id);
    return found ? std::optional<Row>(*found.template as<Row>()) : std::nullopt;
  }
  void put(std::uint64_t id, Row row) { store_->put(id, value::of(std::move(row))); }
  void append(Row row) { store_->put(store_->next_id(), value::of(std::move(row))); }
  void erase(std::uint64_t id) { store_->erase(id); }
  std::optional<Row> last(std::string_view finder, const std::vector<scalar>& arguments) const {
    const auto found = store_->last(finder, arguments);
    return found ? std::optional<Row>(*found.template as<Row>()) : std::nullopt;
  }
  /// Changes the row, or a new one with its fields' defaults: for rows to which several contexts contribute, in whatever order.
  template <std::invocable<Row&> Change>
  void upsert(std::uint64_t id, Change change) {
    auto row = get(id).value_or(Row{});
    change(row);
    put(id, std::move(row));
  }
  /// Changes the row if it is there. `change` gets a Row&.
  template <std::invocable<Row&> Change>
  void update(std::uint64_t id, Change change) {
    if (auto row = get(id)) {
      change(*row);
      put(id, std::move(*row));
    }
  }

 private:
  row_store* store_;
};

struct projection_declaration {
  const record_type* event = nullptr;
  std::function<void(row_store&, const void* event, const event_meta&)> apply;
};

struct view_declaration {
  std::string name;           ///< "mypage"; unique in the system
  std::uint16_t index = 0;    ///< position in the system: part of keys on disk, FROZEN, append only
  std::uint16_t context = 0;  ///< whose projector builds it
  resource_declaration resource;
  std::vector<projection_declaration> projections;

  const projection_declaration* projection_of(const record_type& event) const noexcept;
};

struct setting_declaration {
  std::string name;  ///< "autoShip", for operators "breakfast.autoShip"; or of a context: "alarm.prefix"
  setting_value default_value;
  std::string meaning;
  std::int64_t min = 0, max = 0;  ///< bounds of an integer, lengths of a text
};

class system_declaration {
 public:
  std::string name;
  std::vector<context_declaration> contexts;
  std::vector<policy_declaration> policies;
  std::vector<notification_declaration> notifications;
  std::vector<view_declaration> views;
  std::vector<setting_declaration> settings;
  std::vector<std::pair<std::string, bool>> event_marks;  ///< members that every object of the event feed carries besides

  const context_declaration* find_context(std::string_view context_name) const noexcept;
  /// Throws std::logic_error where there is none: a mistake in the declaration.
  const context_declaration& context_named(std::string_view context_name) const;
  /// The context that handles the command, or nullptr.
  const context_declaration* receiver_of(const record_type& command) const noexcept;
  /// Commands, events, states and rows by their persisted names.
  type_catalog catalog() const;
  /// Every record type that can reach the disk, each once.
  std::vector<const record_type*> all_types() const;
  /// Throws std::logic_error naming the mistake: a command nobody handles, an event nobody can fold, two contexts of one name …
  void check() const;
};

// ---- the vocabulary in which a system is written ---------------------------------------------------------------------------

class system_builder;

namespace detail {
template <record Row, class T, class Facts>
requires std::derived_from<Row, Facts> std::size_t position_of(T Facts::*member) {
  // Compared by the address that the getter reads: field lists hold no member pointers.
  Row probe{};
  std::size_t at = 0;
  for (const auto& spec : Row::fields()) {
    if (spec.reads(&probe, &(probe.*member))) return at;
    ++at;
  }
  return at;  // check() reports it
}
}  // namespace detail

/// Adds finders and names to a collection.
template <record Row, class Self>
class resource_builder {
 public:
  /// Equality on the given members; the query parameters carry the fields' names.
  template <class... Member>
  Self& finder(std::string finder_name, Member... members) {
    return add({std::move(finder_name), {detail::position_of<Row>(members)...}, false, false});
  }
  /// As `finder`, answered as a plain JSON array of rows with their ids.
  template <class... Member>
  Self& plain_finder(std::string finder_name, Member... members) {
    return add({std::move(finder_name), {detail::position_of<Row>(members)...}, false, true});
  }
  /// Rows whose member is at most the parameter.
  template <class Member>
  Self& finder_up_to(std::string finder_name, Member member) {
    return add({std::move(finder_name), {detail::position_of<Row>(member)}, true, false});
  }

 private:
  Self& add(finder_declaration f) {
    auto& self = static_cast<Self&>(*this);
    self.resource().finders.push_back(std::move(f));
    return self;
  }
};

template <record State>
class context_builder : public resource_builder<State, context_builder<State>> {
 public:
  context_builder(system_declaration& system, std::size_t at) : system_(&system), at_(at) {}

  /// Commands that decide(const State&, const Command&, const given&) takes.
  template <record... Command>
  context_builder& handles() {
    (self().commands.push_back({&type_of<Command>(),
                                [](const void* s, const void* c, const given& g) -> result<outcome> {
                                  return decide(*static_cast<const State*>(s), *static_cast<const Command*>(c), g);
                                }}),
     ...);
    return *this;
  }
  /// Events that evolve(State&, const Event&) folds.
  template <record... Event>
  context_builder& records() {
    (self().events.push_back(
         {&type_of<Event>(), [](void* s, const void* e) { evolve(*static_cast<State*>(s), *static_cast<const Event*>(e)); }}),
     ...);
    return *this;
  }
  template <record Command>
  context_builder& on_create() {
    return on(verb::create, {}, type_of<Command>());
  }
  template <record Command>
  context_builder& on_status(std::string status) {
    return on(verb::patch, std::move(status), type_of<Command>());
  }
  template <record Command>
  context_builder& on_patch() {
    return on(verb::patch, {}, type_of<Command>());
  }
  template <record Command>
  context_builder& on_replace() {
    return on(verb::replace, {}, type_of<Command>());
  }
  template <record Command>
  context_builder& on_remove() {
    return on(verb::remove, {}, type_of<Command>());
  }

  /// Aggregates are found by a text made of the command (a sale: phone and month), not by the sender's number.
  template <record... Command, class Key>
  context_builder& keyed_by(Key key) {
    self().key_of = [key](const value& c) {
      std::string text;
      (void)((c.as<Command>() != nullptr ? (text = key(*c.as<Command>()), true) : false) || ...);
      return text;
    };
    return *this;
  }
  /// Such a state is no longer part of the collection (404).
  template <std::predicate<const State&> Predicate>
  context_builder& gone_when(Predicate p) {
    self().gone = [p](const void* s) { return p(*static_cast<const State*>(s)); };
    return *this;
  }
  context_builder& guarded_by(std::string bulkhead) {
    self().bulkhead = std::move(bulkhead);
    return *this;
  }

  resource_declaration& resource() { return *self().resource; }

 private:
  context_declaration& self() { return system_->contexts[at_]; }
  context_builder& on(verb v, std::string status, const record_type& command) {
    resource().verbs.push_back({v, std::move(status), &command});
    return *this;
  }
  system_declaration* system_;
  std::size_t at_;
};

template <record Row>
class view_builder : public resource_builder<Row, view_builder<Row>> {
 public:
  view_builder(system_declaration& system, std::size_t at) : system_(&system), at_(at) {}

  /// Events that apply(rows<Row>&, const Event&, const event_meta&) takes in.
  template <record... Event>
  view_builder& takes() {
    (on<Event>([](rows<Row>& all, const Event& e, const event_meta& m) { apply(all, e, m); }), ...);
    return *this;
  }
  /// As above, by any function.
  template <record Event, class Apply>
  view_builder& on(Apply apply) {
    self().projections.push_back({&type_of<Event>(), [apply](row_store& store, const void* e, const event_meta& m) {
                                    rows<Row> all(store);
                                    apply(all, *static_cast<const Event*>(e), m);
                                  }});
    return *this;
  }
  resource_declaration& resource() { return self().resource; }

 private:
  view_declaration& self() { return system_->views[at_]; }
  system_declaration* system_;
  std::size_t at_;
};

template <record Event>
class policy_builder {
 public:
  explicit policy_builder(system_declaration& system) : system_(&system) {}

  /// make(const Event&) or make(const Event&, const event_meta&) → Command or std::optional<Command>
  template <record Command, class Make>
  policy_builder& tell(Make make) {
    return tell<Command>(std::move(make), nullptr);
  }

  /// As above, to the aggregate that `to(const Event&)` names.
  template <record Command, class Make, class To>
  policy_builder& tell(Make make, To to) {
    policy_declaration p;
    p.event = &type_of<Event>();
    p.command = &type_of<Command>();
    p.make = [make](const void* e, const event_meta& m) { return wrap<Command>(call(make, *static_cast<const Event*>(e), m)); };
    if constexpr (!std::is_same_v<To, std::nullptr_t>)
      p.to = [to](const void* e, const event_meta&) { return std::optional<std::uint64_t>(to(*static_cast<const Event*>(e))); };
    system_->policies.push_back(std::move(p));  // the receiver is resolved by system_builder::build
    return *this;
  }
  /// make(const Event&[, const event_meta&]) → notification or std::optional<notification>; it waits while `context` is stopped.
  template <class Make>
  policy_builder& notify(std::string_view context, Make make) {
    notification_declaration n;
    n.event = &type_of<Event>();
    n.context = system_->context_named(context).index;
    n.make = [make](const void* e, const event_meta& m) {
      return std::optional<notification>(call(make, *static_cast<const Event*>(e), m));
    };
    system_->notifications.push_back(std::move(n));
    return *this;
  }

 private:
  template <class F>
  static auto call(const F& f, const Event& e, const event_meta& m) {
    if constexpr (std::invocable<const F&, const Event&, const event_meta&>)
      return f(e, m);
    else
      return f(e);
  }
  template <record Command>
  static value wrap(std::optional<Command> c) {
    return c ? value::of(std::move(*c)) : value{};
  }

  system_declaration* system_;
};

/// Collects a system. Contexts and views are numbered in the order of their declaration, which is FROZEN: append only.
class system_builder {
 public:
  explicit system_builder(std::string name) { system_.name = std::move(name); }

  template <record State>
  context_builder<State> context(std::string name, std::string singular, std::string collection) {
    auto& c = add_context(std::move(name));
    c.state = &type_of<State>();
    c.resource = resource_declaration{std::move(collection), std::move(singular), c.state, {}, {}};
    return {system_, system_.contexts.size() - 1};
  }
  /// A context that owns views and notifications only.
  void context(std::string name) { add_context(std::move(name)); }

  template <record Row>
  view_builder<Row> view(std::string_view context, std::string singular, std::string collection) {
    view_declaration v;
    v.name = singular;
    v.index = static_cast<std::uint16_t>(system_.views.size());
    v.context = system_.context_named(context).index;
    v.resource = resource_declaration{std::move(collection), std::move(singular), &type_of<Row>(), {}, {}};
    system_.views.push_back(std::move(v));
    return {system_, system_.views.size() - 1};
  }
  template <record Event>
  policy_builder<Event> whenever() {
    return policy_builder<Event>(system_);
  }

  void setting(setting_declaration s) { system_.settings.push_back(std::move(s)); }
  /// Every object of the event feed carries this member, for readers that look for it.
  void every_event_says(std::string member, bool is) { system_.event_marks.emplace_back(std::move(member), is); }

  /// Resolves receivers and checks the whole. Throws std::logic_error naming the mistake.
  system_declaration build() &&;

 private:
  context_declaration& add_context(std::string name);
  system_declaration system_;
};

}  // namespace crema
