// The part of the router for operators: health, the actuator's documents, management behind a token, injected faults.
#include <nlohmann/json.hpp>

#include "http/commands.hpp"
#include "http/negotiate.hpp"
#include "http/router.hpp"

namespace crema::http {

namespace {

using nlohmann::json;

// A component's text may come from a file name or a driver: never let it break an answer.
std::string text_of(const json& document) { return document.dump(-1, ' ', false, json::error_handler_t::replace); }

action unmatched(const request& r) {
  return {id_of(fixed_route::unmatched), render(problem{problem_code::not_found, "There is no such path."}, r)};
}

std::string_view up_or_down(bool up) noexcept { return up ? "UP" : "DOWN"; }

bool any_down(const json& components) {
  for (const auto& c : components)
    if (c.is_object() && c.value("status", "UP") == "DOWN") return true;
  return false;
}

}  // namespace

action router::route_actuator(const call& c) const {
  if (c.size() < 2) return unmatched(c.r);
  const auto& what = c[1];
  if (what == "contexts" || what == "deadletters" || what == "backup" || what == "faults") return route_management(c);
  fixed_route route = fixed_route::unmatched;
  if (what == "health" && c.size() == 2)
    route = fixed_route::health;
  else if (what == "health" && c.size() == 3 && c[2] == "liveness")
    route = fixed_route::liveness;
  else if (what == "health" && c.size() == 3 && c[2] == "readiness")
    route = fixed_route::readiness;
  else if (what == "info" && c.size() == 2)
    route = fixed_route::info;
  else if (what == "prometheus" && c.size() == 2)
    route = fixed_route::prometheus;
  else if (what == "circuitbreakers" && c.size() == 2)
    route = fixed_route::circuit_breakers;
  else if (what == "supervisors" && c.size() == 2)
    route = fixed_route::supervisors;
  else if (what == "traces" && c.size() <= 3)
    route = c.size() == 2 ? fixed_route::traces : fixed_route::trace;
  else
    return unmatched(c.r);
  if (auto refused = refuse_method(c.r, read_only)) return {id_of(route), std::move(*refused)};
  switch (route) {
    case fixed_route::info: return answer_info(c);
    case fixed_route::prometheus: return {id_of(route), response{200, content::metrics, door_.metrics(), {}, false}};
    case fixed_route::circuit_breakers: return {id_of(route), json_response(200, text_of(door_.circuit_breakers()))};
    case fixed_route::supervisors: return {id_of(route), json_response(200, text_of(door_.supervisors()))};
    case fixed_route::traces:
    case fixed_route::trace: return answer_traces(c);
    default: return answer_health(c, route);
  }
}

action router::answer_health(const call& c, fixed_route route) const {
  json document;
  bool up = live() && ready();
  if (route == fixed_route::liveness) {
    up = live();
  } else if (route == fixed_route::readiness) {
    up = ready();
  } else {
    const auto components = door_.health();
    up = up && !any_down(components);
    document["groups"] = {"liveness", "readiness"};
    document["components"] = components;
  }
  document["status"] = up_or_down(up);
  (void)c;
  return {id_of(route), json_response(up ? 200 : 503, text_of(document))};
}

action router::answer_info(const call& c) const {
  (void)c;
  json contexts = json::array();
  json collections = json::object();  // for programs that know an aggregate by its context: order/11
  for (const auto& context : door_.system().contexts) {
    contexts.push_back(context.name);
    if (context.resource) collections[context.name] = context.resource->collection;
  }
  const json document = {
      {"name", "crema"}, {"version", CREMA_VERSION}, {"system", door_.system().name}, {"contexts", contexts}, {"collections", collections}};
  return {id_of(fixed_route::info), json_response(200, text_of(document))};
}

action router::answer_traces(const call& c) const {
  if (c.size() == 2) return {id_of(fixed_route::traces), json_response(200, text_of(door_.traces({})))};
  const bool is_trace_id = c[2].size() == 32 && c[2].find_first_not_of("0123456789abcdef") == std::string::npos;
  const auto found = is_trace_id ? door_.traces(c[2]) : json{};
  if (found.empty())
    return {id_of(fixed_route::trace), render(problem{problem_code::not_found, "There is no such trace in the ring of recent ones."}, c.r)};
  return {id_of(fixed_route::trace), json_response(200, text_of(found))};
}

action router::route_management(const call& c) const {
  const auto& what = c[1];
  if (what == "faults" && !settings_.faults_enabled)
    return {id_of(fixed_route::faults),
            render(problem{problem_code::not_found,
                           "Faults are not enabled on this node; start it with faults.enabled=true and an http.managementToken."},
                   c.r)};
  if (const auto why = guard_.refuse(c.r)) return {id_of(fixed_route::unmatched), render(*why, c.r)};
  if (what == "contexts" && c.size() == 4 && (c[3] == "stop" || c[3] == "start")) return switch_context(c);
  if (what == "deadletters" && (c.size() == 3 || (c.size() == 4 && c[3] == "replay"))) return settle_dead_letter(c);
  if (what == "backup" && c.size() == 2) return start_backup(c);
  if (what == "faults") return route_faults(c);
  if (c.size() != 2) return unmatched(c.r);
  const auto route = id_of(what == "contexts" ? fixed_route::contexts : fixed_route::dead_letters);
  if (auto refused = refuse_method(c.r, read_only)) return {route, std::move(*refused)};
  return {route, json_response(200, text_of(what == "contexts" ? door_.contexts() : door_.dead_letters()))};
}

action router::switch_context(const call& c) const {
  const auto route = id_of(fixed_route::context_switch);
  if (auto refused = refuse_method(c.r, "POST, OPTIONS")) return {route, std::move(*refused)};
  if (const auto why = refuse_form(c.r)) return {route, render(*why, c.r)};
  if (door_.system().find_context(c[2]) == nullptr)
    return {route, render(problem{problem_code::not_found, "There is no such context."}, c.r)};
  const bool running = c[3] == "start";
  return {route, operation_plan{[this, name = c[2], running](std::function<void(make_response)> done) {
            door_.switch_context(name, running, [name, running, done](std::optional<rejection> refused) {
              done([=](const request& r) {
                const json document = {{"name", name}, {"state", running ? "running" : "stopped"}};
                return refused ? render(*refused, r) : json_response(200, document.dump());
              });
            });
          }}};
}

action router::settle_dead_letter(const call& c) const {
  const bool replay = c.size() == 4;
  const auto route = id_of(replay ? fixed_route::dead_letter_replay : fixed_route::dead_letter);
  if (auto refused = refuse_method(c.r, replay ? "POST, OPTIONS" : "DELETE, OPTIONS")) return {route, std::move(*refused)};
  if (const auto why = refuse_form(c.r)) return {route, render(*why, c.r)};
  const auto id = parse_id(c[2]);
  if (!id) return {route, render(problem{problem_code::not_found, "There is no such dead letter."}, c.r)};
  return {route, operation_plan{[this, id = *id, replay](std::function<void(make_response)> done) {
            door_.settle_dead_letter(id, replay, [id, replay, done](std::optional<rejection> refused) {
              done([=](const request& r) {
                if (refused) return render(*refused, r);
                return replay ? json_response(200, json{{"id", id}, {"replayed", true}}.dump()) : response{204, {}, {}, {}, false};
              });
            });
          }}};
}

action router::start_backup(const call& c) const {
  const auto route = id_of(fixed_route::backup);
  if (auto refused = refuse_method(c.r, "POST, OPTIONS")) return {route, std::move(*refused)};
  auto parsed = parse_body(c.r, settings_.json_depth_max);
  if (const auto* p = std::get_if<problem>(&parsed)) return {route, render(*p, c.r)};
  const auto& body = std::get<json>(parsed);
  const auto directory = body.find("directory");
  if (directory == body.end() || !directory->is_string() || directory->get_ref<const std::string&>().empty())
    return {route,
            render(problem{problem_code::invalid_field, "directory: the name of a new or empty directory is required.", "directory"}, c.r)};
  return {
      route, operation_plan{[this, name = directory->get<std::string>()](std::function<void(make_response)> done) {
        door_.backup(name, [name, done](std::optional<rejection> refused) {
          done([=](const request& r) { return refused ? render(*refused, r) : json_response(200, text_of(json{{"directory", name}})); });
        });
      }}};
}

action router::route_faults(const call& c) const {
  if (c.size() == 2) return answer_faults(c);
  return c.size() == 3 ? answer_fault(c) : unmatched(c.r);
}

action router::answer_faults(const call& c) const {
  const auto route = id_of(fixed_route::faults);
  if (auto refused = refuse_method(c.r, "GET, HEAD, OPTIONS, POST, DELETE")) return {route, std::move(*refused)};
  if (c.r.verb == method::post) return {route, add_fault(c.r)};
  if (c.r.verb == method::remove) return {route, json_response(200, json{{"removed", door_.remove_faults({})}}.dump())};
  return {route, json_response(200, text_of(door_.faults()))};
}

action router::answer_fault(const call& c) const {
  const auto route = id_of(fixed_route::fault);
  if (auto refused = refuse_method(c.r, "GET, HEAD, OPTIONS, DELETE")) return {route, std::move(*refused)};
  const auto id = parse_id(c[2]);
  if (id && c.r.verb == method::remove && door_.remove_faults(id) > 0) return {route, response{204, {}, {}, {}, false}};
  if (id && c.r.verb != method::remove)
    for (const auto& f : door_.faults())
      if (f.at("id") == *id) return {route, json_response(200, text_of(f))};
  return {route, render(problem{problem_code::not_found, "There is no such fault; GET /actuator/faults lists them."}, c.r)};
}

response router::add_fault(const request& r) const {
  auto parsed = parse_body(r, settings_.json_depth_max);
  if (const auto* p = std::get_if<problem>(&parsed)) return render(*p, r);
  const auto added = door_.add_fault(std::get<json>(parsed));
  if (!added) return render(added.why(), r);
  auto answer = json_response(201, text_of(*added));
  answer.header("Location", base(r) + "/actuator/faults/" + added->at("id").dump());
  return answer;
}

// The drill of the original breakfast service: a fault like any other, whose request is a GET.
action router::answer_drill(const call& c, bool make_zombie) const {
  const auto route = id_of(make_zombie ? fixed_route::make_zombie : fixed_route::is_healthy);
  if (auto refused = refuse_method(c.r, read_only)) return {route, std::move(*refused)};
  if (make_zombie)
    if (const auto why = guard_.refuse(c.r)) return {route, render(*why, c.r)};
  if (make_zombie && door_.live() && c.r.verb == method::get)
    (void)door_.add_fault({{"target", "node"}, {"kind", "zombie"}, {"note", "/makeZombie"}});
  const bool healthy = make_zombie || door_.live();
  if (!healthy) return {route, render(problem{problem_code::internal, "This node is a zombie and waits to be restarted."}, c.r)};
  return {route, response{200, content::text, make_zombie ? "zombie\n" : "healthy\n", {}, false}};
}

}  // namespace crema::http
