#include "http/routes.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/schemas.hpp"

namespace crema::http {

namespace {

// In the order of fixed_route.
constexpr std::string_view fixed_templates[] = {"unmatched",
                                                "/",
                                                "/profile",
                                                "/events",
                                                "/openapi.json",
                                                "/problems",
                                                "/problems/{slug}",
                                                "/isHealthy",
                                                "/makeZombie",
                                                "/actuator/health",
                                                "/actuator/health/liveness",
                                                "/actuator/health/readiness",
                                                "/actuator/info",
                                                "/actuator/prometheus",
                                                "/actuator/circuitbreakers",
                                                "/actuator/supervisors",
                                                "/actuator/traces",
                                                "/actuator/traces/{id}",
                                                "/actuator/contexts",
                                                "/actuator/contexts/{name}/{action}",
                                                "/actuator/deadletters",
                                                "/actuator/deadletters/{id}",
                                                "/actuator/deadletters/{id}/replay",
                                                "/actuator/backup",
                                                "/actuator/faults",
                                                "/actuator/faults/{id}"};
static_assert(std::size(fixed_templates) == id_of(fixed_route::fault) + 1);

std::string item_allow(const resource_entry& e) {
  std::string allow = "GET, HEAD, OPTIONS";
  if (e.takes(verb::patch)) allow += ", PATCH";
  if (e.takes(verb::replace)) allow += ", PUT";
  if (e.takes(verb::remove)) allow += ", DELETE";
  return allow;
}

}  // namespace

const verb_declaration* resource_entry::find(verb v, std::string_view status) const noexcept {
  for (const auto& candidate : declared->verbs)
    if (candidate.on == v && candidate.status == status) return &candidate;
  return nullptr;
}

bool resource_entry::takes(verb v) const noexcept {
  return std::any_of(declared->verbs.begin(), declared->verbs.end(), [v](const auto& d) { return d.on == v; });
}

std::vector<std::string> fixed_route_templates() { return {std::begin(fixed_templates), std::end(fixed_templates)}; }

route_table::route_table(const system_declaration& system) : templates_(fixed_route_templates()) {
  for (const auto& c : system.contexts)
    if (c.resource) add({false, c.index}, *c.resource, &c);
  for (const auto& v : system.views) add({true, v.index}, v.resource, nullptr);
  for (std::size_t i = 0; i < resources_.size(); ++i) by_collection_.emplace(resources_[i].declared->collection, i);
}

const resource_entry* route_table::find(std::string_view collection) const noexcept {
  const auto at = by_collection_.find(collection);
  return at == by_collection_.end() ? nullptr : &resources_[at->second];
}

route_id route_table::add_template(std::string path) {
  templates_.push_back(std::move(path));
  return static_cast<route_id>(templates_.size() - 1);
}

void route_table::add(collection_ref ref, const resource_declaration& declared, const context_declaration* context) {
  resource_entry e;
  e.ref = ref;
  e.declared = &declared;
  e.context = context;
  const std::string base = "/" + declared.collection;
  e.collection_route = add_template(base);
  e.item_route = add_template(base + "/{id}");
  if (context != nullptr) {
    e.events_route = add_template(base + "/{id}/events");
    e.trace_route = add_template(base + "/{id}/trace");
  }
  e.search_route = add_template(base + "/search");
  for (const auto& f : declared.finders) e.finder_routes.push_back(add_template(base + "/search/" + f.name));
  e.profile_route = add_template("/profile" + base);
  e.collection_allow = e.takes(verb::create) ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS";
  e.item_allow = item_allow(e);
  e.schema = row_schema(declared).dump();
  resources_.push_back(std::move(e));
}

}  // namespace crema::http
