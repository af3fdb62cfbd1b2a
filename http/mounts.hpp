// The systems that one server serves: one at the root, or several, each below its prefix, with a few paths above them all.
//
// Thread-safety: any thread; immutable but for the routers' flags.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/representation.hpp"
#include "http/router.hpp"
#include "telemetry/trace.hpp"

namespace crema::http {

/// A system on a server. The door outlives the server.
struct mounted {
  std::string prefix;  ///< "" (then it is the only one) or "/hotel"
  front_door* door = nullptr;
  telemetry::trace_ring* traces = nullptr;  ///< of the same life; nullptr: requests leave no span
};

class mounts {
 public:
  struct mount {
    mount(const server_settings& settings, const mounted& m, route_id first)
        : routes(settings, *m.door, m.prefix), door(*m.door), traces(m.traces), first_route(first) {}
    router routes;
    front_door& door;
    telemetry::trace_ring* traces;
    route_id first_route;  ///< its routes' numbers count from here in templates()
  };

  /// Settings outlive the mounts. Throws std::invalid_argument where there is none, or one of several has no plain prefix.
  mounts(const server_settings& settings, const std::vector<mounted>& all);

  /// Below which one the target lies. nullptr: above them all; route_above() answers.
  const mount* find(std::string_view target) const noexcept;
  /// The list of systems, health and metrics of all of them, the pages on problems. Numbers count from 0 in templates().
  action route_above(const request& r) const;

  const std::vector<std::string>& templates() const noexcept { return templates_; }
  /// "POST /orders": what a request's span is called. Empty for those that leave none: the actuator's.
  std::string_view span_name(method m, route_id route) const noexcept { return span_names_[route][static_cast<std::size_t>(m)]; }
  const keeping& keeping_of(route_id route) const noexcept { return keeping_->of(route); }
  void set_draining() noexcept;
  void set_management_token(const std::string& token);

 private:
  action answer_health(const request& r, const uri& target) const;
  response list_systems(const request& r) const;

  std::deque<mount> all_;
  std::vector<std::string> templates_;
  std::vector<std::array<std::string, method_count>> span_names_;  // by route
  std::optional<keeping_rules> keeping_;
};

}  // namespace crema::http
