#include "http/mounts.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "http/forwarded.hpp"
#include "http/negotiate.hpp"

namespace crema::http {

namespace {

using nlohmann::json;

bool is_plain_prefix(std::string_view prefix) {
  return prefix.size() > 1 && prefix.front() == '/' && prefix.find_first_of("/?%#", 1) == std::string_view::npos;
}

problem no_such_path() { return {problem_code::not_found, "There is no such path above the systems; GET / lists them."}; }

}  // namespace

mounts::mounts(const server_settings& settings, const std::vector<mounted>& all) {
  if (all.empty()) throw std::invalid_argument("a server needs a system to serve");
  const bool several = all.size() > 1 || !all.front().prefix.empty();
  if (several) templates_ = fixed_route_templates();
  for (const auto& m : all) {
    if (several && !is_plain_prefix(m.prefix))
      throw std::invalid_argument("'" + m.prefix + "' is not the prefix of a system: a slash and a name");
    const auto& added = all_.emplace_back(settings, m, static_cast<route_id>(templates_.size()));
    for (const auto& path : added.routes.table().templates()) templates_.push_back(path == "unmatched" ? path : m.prefix + path);
  }
  std::vector<std::string> prefixes;
  for (const auto& m : all) prefixes.push_back(m.prefix);
  keeping_.emplace(templates_, prefixes, settings.compress_bytes_min > 0 ? "Accept-Encoding" : "");
  span_names_.resize(templates_.size());
  for (std::size_t route = 0; route < templates_.size(); ++route)
    for (std::size_t m = 0; m < method_count && templates_[route].find("/actuator/") == std::string::npos; ++m)
      span_names_[route][m] = std::string(name_of(static_cast<method>(m))) + " " + templates_[route];
}

const mounts::mount* mounts::find(std::string_view target) const noexcept {
  if (all_.front().routes.prefix().empty()) return &all_.front();
  const auto path = target.substr(0, target.find('?'));
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const mount& m) {
    const auto& prefix = m.routes.prefix();
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
  });
  return at == all_.end() ? nullptr : &*at;
}

void mounts::set_management_token(const std::string& token) {
  for (auto& m : all_) m.routes.set_management_token(token);
}

void mounts::set_draining() noexcept {
  for (auto& m : all_) m.routes.set_draining();
}

action mounts::route_above(const request& r) const {
  const auto unmatched = [&](const problem& p) { return action{id_of(fixed_route::unmatched), render(p, r)}; };
  if (r.target == "*") return {id_of(fixed_route::unmatched), options_of_server()};
  const auto target = parse_target(r.target);
  if (!target) return unmatched({problem_code::bad_request, "The request target is not a valid one."});
  const auto& path = target->segments;
  const bool actuator = path.size() >= 2 && path[0] == "actuator";
  if (actuator && path[1] == "health" && path.size() <= 3) return answer_health(r, *target);
  if (!path.empty() && path[0] == "problems") return problem_page(r, std::span(path).subspan(1));
  const bool is_metrics = actuator && path[1] == "prometheus" && path.size() == 2;
  if (!path.empty() && !is_metrics) return unmatched(no_such_path());
  const auto route = id_of(is_metrics ? fixed_route::prometheus : fixed_route::root);
  if (auto refused = refuse_method(r, read_only)) return {route, std::move(*refused)};
  if (is_metrics) return {route, response{200, content::metrics, all_.front().door.metrics(), {}, false}};
  return {route, list_systems(r)};
}

response mounts::list_systems(const request& r) const {
  json links = json::object();
  const auto base = base_url(r, {});
  for (const auto& m : all_) links[m.routes.prefix().substr(1)]["href"] = base + m.routes.prefix();
  return {200, prefers_plain_json(r.accept) ? content::json : content::hal, json{{"_links", links}}.dump(), {}, false};
}

action mounts::answer_health(const request& r, const uri& target) const {
  const auto& path = target.segments;
  const bool one = path.size() == 3;
  const bool liveness = one && path[2] == "liveness", readiness = one && path[2] == "readiness";
  if (one && !liveness && !readiness) return {id_of(fixed_route::unmatched), render(no_such_path(), r)};
  const auto route = id_of(liveness ? fixed_route::liveness : readiness ? fixed_route::readiness : fixed_route::health);
  if (auto refused = refuse_method(r, read_only)) return {route, std::move(*refused)};
  json document;
  bool all_up = true;
  for (const auto& m : all_) {
    const bool up = (readiness || m.routes.live()) && (liveness || m.routes.ready());
    all_up = all_up && up;
    if (!one) document["components"][m.routes.prefix().substr(1)]["status"] = up ? "UP" : "DOWN";
  }
  if (!one) document["groups"] = {"liveness", "readiness"};
  document["status"] = all_up ? "UP" : "DOWN";
  return {route, json_response(all_up ? 200 : 503, document.dump())};
}

}  // namespace crema::http
