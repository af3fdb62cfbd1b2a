#include "http/router.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/commands.hpp"
#include "http/forwarded.hpp"
#include "http/hal.hpp"
#include "http/negotiate.hpp"
#include "http/openapi.hpp"

namespace crema::http {

std::optional<response> refuse_method(const request& r, std::string_view allow) {
  if (r.verb == method::options) return response{200, {}, {}, allow_lines(allow), false};
  if (r.verb != method::other && allows(allow, name_of(r.verb))) return std::nullopt;
  return render(method_not_allowed(r, allow), r);
}

response options_of_server() { return {200, {}, {}, allow_lines("GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"), false}; }

response json_response(unsigned status, std::string body) { return {status, content::json, std::move(body), {}, false}; }

router::router(const server_settings& settings, front_door& door, std::string prefix)
    : settings_(settings),
      guard_(settings.management_token),
      door_(door),
      table_(door.system()),
      openapi_(openapi_document(door.system(), settings, prefix).dump()),
      prefix_(std::move(prefix)),
      prefix_segments_(static_cast<std::size_t>(std::count(prefix_.begin(), prefix_.end(), '/'))) {}

std::string router::base(const request& r) const { return base_url(r, prefix_); }

action router::route(const request& r) const {
  if (r.target == "*" && r.verb == method::options) return {id_of(fixed_route::unmatched), options_of_server()};
  auto target = parse_target(r.target);
  if (!target)
    return {id_of(fixed_route::unmatched), render(problem{problem_code::bad_request, "The request target is not a valid one."}, r)};
  return route_call(std::make_shared<const call>(call{r, std::move(*target), prefix_segments_}));
}

action router::route_call(const call_ptr& c) const {
  if (c->size() == 0) return answer_links(*c, fixed_route::root, "");
  if (const auto* entry = table_.find((*c)[0])) return route_resource(c, *entry);
  return route_fixed(c);
}

action router::route_fixed(const call_ptr& c) const {
  const auto& first = (*c)[0];
  const auto& r = c->r;
  if (first == "actuator") return route_actuator(*c);
  if (first == "events" && c->size() == 1) return read_events(*c);
  if (first == "profile" && c->size() == 1) return answer_links(*c, fixed_route::profile, "/profile");
  if (first == "profile" && c->size() == 2) return answer_profile(*c);
  if (first == "problems") return problem_page(r, std::span(c->target.segments).subspan(prefix_segments_ + 1));
  if (first == "openapi.json" && c->size() == 1) {
    if (auto refused = refuse_method(r, read_only)) return {id_of(fixed_route::openapi), std::move(*refused)};
    return answer_openapi(r);
  }
  if (settings_.faults_enabled && c->size() == 1 && (first == "isHealthy" || first == "makeZombie"))
    return answer_drill(*c, first == "makeZombie");
  return {id_of(fixed_route::unmatched), render(problem{problem_code::not_found, "There is no such path."}, r)};
}

action router::answer_openapi(const request& r) const {
  constexpr auto route = id_of(fixed_route::openapi);
  const std::string ahead(forwarded_prefix(r));
  if (ahead.empty()) return {route, json_response(200, openapi_)};
  return {route, background_plan{[this, all = ahead + prefix_] {
            return json_response(200, openapi_document(door_.system(), settings_, all).dump());
          }}};
}

action router::answer_links(const call& c, fixed_route route, std::string_view path) const {
  if (auto refused = refuse_method(c.r, read_only)) return {id_of(route), std::move(*refused)};
  return {id_of(route),
          response{200, prefers_plain_json(c.r.accept) ? content::json : content::hal, links_body(table_, base(c.r), path), {}, false}};
}

action router::answer_profile(const call& c) const {
  const auto* entry = table_.find(c[1]);
  if (entry == nullptr)
    return {id_of(fixed_route::unmatched), render(problem{problem_code::not_found, "There is no such collection."}, c.r)};
  if (auto refused = refuse_method(c.r, read_only)) return {entry->profile_route, std::move(*refused)};
  return {entry->profile_route, response{200, content::schema, entry->schema, {}, false}};
}

action problem_page(const request& r, std::span<const std::string> below) {
  const auto route = id_of(below.empty() ? fixed_route::problems : fixed_route::problem);
  if (auto refused = refuse_method(r, read_only)) return {route, std::move(*refused)};
  std::string text;
  if (below.empty()) {
    for (const auto& k : problem_kinds()) text.append("/problems/").append(k.slug).append("\n");
  } else if (const auto* kind = find_problem(below[0]); kind != nullptr && below.size() == 1) {
    text = explanation(*kind);
  } else {
    return {route, render(problem{problem_code::not_found, "There is no such kind of problem."}, r)};
  }
  return {route, response{200, content::text, std::move(text), {}, false}};
}

}  // namespace crema::http
