#include "behaviors/core/declaration.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace crema {

namespace {

template <class Range>
auto* find_by_type(Range& range, const record_type& type) {
  const auto at = std::find_if(range.begin(), range.end(), [&](const auto& entry) { return entry.type == &type; });
  return at == range.end() ? nullptr : &*at;
}

[[noreturn]] void mistake(const std::string& text) { throw std::logic_error("system declaration: " + text); }

void check_resource(const resource_declaration& r, std::set<std::string>& collections) {
  if (!collections.insert(r.collection).second) mistake("two collections are called '" + r.collection + "'");
  std::set<std::string> finders;
  for (const auto& f : r.finders)
    if (!finders.insert(f.name).second) mistake("'" + r.collection + "' has two finders called '" + f.name + "'");
  for (const auto& f : r.finders)
    for (const auto at : f.fields)
      if (at >= r.row->fields.size())
        mistake("finder '" + f.name + "' of '" + r.collection + "' names a member that is not in the field list");
}

}  // namespace

const field_spec* record_type::find(std::string_view field_name) const noexcept {
  for (const auto& f : fields)
    if (f.name == field_name || std::find(f.aliases.begin(), f.aliases.end(), field_name) != f.aliases.end()) return &f;
  return nullptr;
}

const field_spec* changed_since(const as_read& sent, const void* present) {
  for (const auto at : sent.fields)
    if (const auto& f = sent.row.type().fields[at]; f.get(sent.row.data()) != f.get(present)) return &f;
  return nullptr;
}

const command_handler* context_declaration::handler_of(const record_type& command) const noexcept {
  return find_by_type(commands, command);
}

const event_handler* context_declaration::evolver_of(const record_type& event) const noexcept { return find_by_type(events, event); }

const projection_declaration* view_declaration::projection_of(const record_type& event) const noexcept {
  for (const auto& p : projections)
    if (p.event == &event) return &p;
  return nullptr;
}

const context_declaration* system_declaration::find_context(std::string_view context_name) const noexcept {
  for (const auto& c : contexts)
    if (c.name == context_name) return &c;
  return nullptr;
}

const context_declaration& system_declaration::context_named(std::string_view context_name) const {
  const auto* found = find_context(context_name);
  if (found == nullptr) mistake("there is no context called '" + std::string(context_name) + "' (declare it before what it owns)");
  return *found;
}

const context_declaration* system_declaration::receiver_of(const record_type& command) const noexcept {
  for (const auto& c : contexts)
    if (c.handler_of(command) != nullptr) return &c;
  return nullptr;
}

std::vector<const record_type*> system_declaration::all_types() const {
  std::vector<const record_type*> types{&type_of<notification>()};
  for (const auto& c : contexts) {
    if (c.state != nullptr) types.push_back(c.state);
    for (const auto& h : c.commands) types.push_back(h.type);
    for (const auto& h : c.events) types.push_back(h.type);
  }
  for (const auto& v : views) types.push_back(v.resource.row);
  return types;
}

type_catalog system_declaration::catalog() const {
  type_catalog types;
  for (const auto* t : all_types()) types.emplace(t->name, t);
  return types;
}

void system_declaration::check() const {
  std::set<std::string> names, collections;
  for (const auto& c : contexts) {
    if (!names.insert(c.name).second) mistake("two contexts are called '" + c.name + "'");
    if (c.resource) {
      check_resource(*c.resource, collections);
      for (const auto& v : c.resource->verbs)
        if (c.key_of && v.on != verb::create)
          mistake("'" + c.name + "' is found by a key, so it cannot offer '" + std::string(v.command->name) + "' under a number");
      for (const auto& v : c.resource->verbs)
        if (c.handler_of(*v.command) == nullptr)
          mistake("'" + c.name + "' offers '" + std::string(v.command->name) + "' but does not handle it");
    }
  }
  for (const auto& v : views) check_resource(v.resource, collections);

  std::set<std::string_view> types;
  for (const auto* t : all_types())
    if (!types.insert(t->name).second) mistake("two types are called '" + std::string(t->name) + "'");

  std::set<const record_type*> foldable;
  for (const auto& c : contexts)
    for (const auto& h : c.events) foldable.insert(h.type);
  const auto recorded = [&](const record_type* event, const std::string& by) {
    if (!foldable.contains(event)) mistake("nobody records '" + std::string(event->name) + "', which " + by + " waits for");
  };
  for (const auto& p : policies) recorded(p.event, "a policy");
  for (const auto& n : notifications) recorded(n.event, "a notification");
  for (const auto& v : views)
    for (const auto& p : v.projections) recorded(p.event, "the view '" + v.name + "'");

  for (const auto& p : policies)
    if (receiver_of(*p.command) == nullptr)
      mistake("nobody handles '" + std::string(p.command->name) + "', told whenever '" + std::string(p.event->name) + "'");
}

context_declaration& system_builder::add_context(std::string name) {
  context_declaration c;
  c.name = std::move(name);
  c.index = static_cast<std::uint16_t>(system_.contexts.size());
  c.bulkhead = c.name;
  system_.contexts.push_back(std::move(c));
  return system_.contexts.back();
}

system_declaration system_builder::build() && {
  system_.check();
  for (auto& p : system_.policies) p.receiver = system_.receiver_of(*p.command)->index;
  return std::move(system_);
}

}  // namespace crema
