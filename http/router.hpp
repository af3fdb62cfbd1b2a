// Turns a request into an action. Made from the declaration only: knows no domain word.
//
// Thread-safety: any thread; immutable but for a flag and the management token. The request stays as it is until the action is done, and so does
// the router. Never throws for anything that a client sends.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "http/action.hpp"
#include "http/management_guard.hpp"
#include "http/paging.hpp"
#include "http/problem.hpp"
#include "http/routes.hpp"
#include "http/settings.hpp"
#include "http/uri.hpp"

namespace crema::http {

class router {
 public:
  /// `prefix`: "" or "/cafeteria": stripped from paths, carried by links. Settings and door outlive the router.
  router(const server_settings& settings, front_door& door, std::string prefix = {});

  action route(const request& r) const;
  response answered(const request& r, const ask_plan& plan, const command_answer& answer) const;

  const route_table& table() const noexcept { return table_; }
  const std::string& prefix() const noexcept { return prefix_; }
  bool live() const noexcept { return door_.live(); }
  bool ready() const noexcept { return door_.ready() && !draining_; }
  /// From now on readiness is DOWN.
  void set_draining() noexcept { draining_ = true; }
  /// From now on management asks for this token.
  void set_management_token(const std::string& token) { guard_.set_token(token); }

 private:
  // One request on its way. Shared: a background query outlives the call that planned it.
  struct call {
    const request& r;
    uri target;
    std::size_t depth;  // segments of the own prefix
    std::size_t size() const noexcept { return target.segments.size() - depth; }
    const std::string& operator[](std::size_t i) const noexcept { return target.segments[depth + i]; }
  };
  using call_ptr = std::shared_ptr<const call>;

  // router.cpp
  action route_call(const call_ptr& c) const;
  action route_fixed(const call_ptr& c) const;
  action answer_links(const call& c, fixed_route route, std::string_view path) const;
  action answer_profile(const call& c) const;
  action answer_openapi(const request& r) const;

  // resources.cpp
  action route_resource(const call_ptr& c, const resource_entry& entry) const;
  action route_search(const call_ptr& c, const resource_entry& entry) const;
  action read_collection(const call_ptr& c, const resource_entry& entry) const;
  action read_item(const call& c, const resource_entry& entry, std::uint64_t id) const;
  action read_finder(const call_ptr& c, const resource_entry& entry, std::size_t finder) const;
  action command(const call& c, const resource_entry& entry, route_id route, std::optional<std::uint64_t> id) const;
  response run_list(const call& c, const resource_entry& entry, const paging& p) const;
  struct finder_call {
    call_ptr c;
    const resource_entry* entry;
    const finder_declaration* finder;
    route_id route;
    paging paged;
  };
  action find_page(const finder_call& f) const;
  response finder_answer(const finder_call& f, page found) const;

  // events.cpp
  action read_events(const call& c) const;
  action read_history(const call& c, const resource_entry& entry, std::uint64_t id) const;
  action read_causal_tree(const call_ptr& c, const resource_entry& entry, std::uint64_t id) const;

  // operations.cpp
  action route_actuator(const call& c) const;
  action route_management(const call& c) const;
  action answer_health(const call& c, fixed_route route) const;
  action answer_info(const call& c) const;
  action answer_traces(const call& c) const;
  action switch_context(const call& c) const;
  action settle_dead_letter(const call& c) const;
  action start_backup(const call& c) const;
  action route_faults(const call& c) const;
  action answer_faults(const call& c) const;
  action answer_fault(const call& c) const;
  response add_fault(const request& r) const;
  action answer_drill(const call& c, bool make_zombie) const;

  std::string base(const request& r) const;

  const server_settings& settings_;
  management_guard guard_;
  front_door& door_;
  route_table table_;
  std::string openapi_;
  std::string prefix_;
  std::size_t prefix_segments_;
  std::atomic<bool> draining_ = false;
};

/// The answer if the method is not one of `allow` ("GET, HEAD, OPTIONS"): OPTIONS itself, or 405. Nothing: go on.
std::optional<response> refuse_method(const request& r, std::string_view allow);
inline constexpr std::string_view read_only = "GET, HEAD, OPTIONS";

/// What "OPTIONS *" is answered.
response options_of_server();

/// /problems and the pages below it; `below`: the path's segments after "problems".
action problem_page(const request& r, std::span<const std::string> below);

response json_response(unsigned status, std::string body);

}  // namespace crema::http
