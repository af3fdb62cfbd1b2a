// Every path that exists, made from the declaration once at start; immutable afterwards, any thread may read it.
// A route's number indexes templates(), which name it in metrics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "behaviors/core/front_door.hpp"

namespace crema::http {

using route_id = std::uint16_t;

/// The routes that every system has. Their numbers come first, in this order.
enum class fixed_route : route_id {
  unmatched,
  root,
  profile,
  events,
  openapi,
  problems,
  problem,
  is_healthy,
  make_zombie,
  health,
  liveness,
  readiness,
  info,
  prometheus,
  circuit_breakers,
  supervisors,
  traces,
  trace,
  contexts,
  context_switch,
  dead_letters,
  dead_letter,
  dead_letter_replay,
  backup,
  faults,
  fault
};
constexpr route_id id_of(fixed_route r) noexcept { return static_cast<route_id>(r); }
/// Their templates, in their order.
std::vector<std::string> fixed_route_templates();

struct resource_entry {
  collection_ref ref;
  const resource_declaration* declared = nullptr;
  const context_declaration* context = nullptr;  ///< nullptr: a view
  route_id collection_route = 0, item_route = 0, events_route = 0, trace_route = 0, search_route = 0, profile_route = 0;
  std::vector<route_id> finder_routes;       ///< as declared->finders
  std::string collection_allow, item_allow;  ///< values of Allow
  std::string schema;                        ///< JSON Schema of the row

  /// The verb's declaration, or nullptr. `status` only narrows a PATCH.
  const verb_declaration* find(verb v, std::string_view status = {}) const noexcept;
  bool takes(verb v) const noexcept;
};

class route_table {
 public:
  /// `system` outlives the table.
  explicit route_table(const system_declaration& system);

  const resource_entry* find(std::string_view collection) const noexcept;
  const std::vector<resource_entry>& resources() const noexcept { return resources_; }
  const std::vector<std::string>& templates() const noexcept { return templates_; }

 private:
  void add(collection_ref ref, const resource_declaration& declared, const context_declaration* context);
  route_id add_template(std::string path);

  std::vector<resource_entry> resources_;
  std::unordered_map<std::string_view, std::size_t> by_collection_;
  std::vector<std::string> templates_;
};

}  // namespace crema::http
