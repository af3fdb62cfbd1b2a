// The part of the router that serves collections: reading rows, and commands with their answers.
#include <algorithm>

#include "behaviors/core/json.hpp"
#include "http/commands.hpp"
#include "http/hal.hpp"
#include "http/negotiate.hpp"
#include "http/router.hpp"

namespace crema::http {

namespace {

std::string_view media_for(const request& r) { return prefers_plain_json(r.accept) ? content::json : content::hal; }

problem bad_parameter(const rejection& why) { return {problem_code::bad_parameter, why.detail, why.field}; }

problem no_such_resource() { return {problem_code::not_found, "There is no such resource."}; }

}  // namespace

action router::route_resource(const call_ptr& c, const resource_entry& entry) const {
  if (c->size() == 1) {
    if (c->r.verb == method::post) return command(*c, entry, entry.collection_route, std::nullopt);
    if (auto refused = refuse_method(c->r, entry.collection_allow)) return {entry.collection_route, std::move(*refused)};
    return read_collection(c, entry);
  }
  if ((*c)[1] == "search") return route_search(c, entry);
  const auto id = parse_id((*c)[1]);
  const bool history = c->size() == 3 && (*c)[2] == "events" && entry.context != nullptr;
  const bool trace = c->size() == 3 && (*c)[2] == "trace";
  if (!id || (c->size() > 2 && !history && !trace)) return {id_of(fixed_route::unmatched), render(no_such_resource(), c->r)};
  if (history) return read_history(*c, entry, *id);
  if (trace) return read_causal_tree(c, entry, *id);
  if (auto refused = refuse_method(c->r, entry.item_allow)) return {entry.item_route, std::move(*refused)};
  if (c->r.verb == method::get || c->r.verb == method::head) return read_item(*c, entry, *id);
  return command(*c, entry, entry.item_route, id);
}

action router::route_search(const call_ptr& c, const resource_entry& entry) const {
  const auto& finders = entry.declared->finders;
  if (c->size() == 2) {
    if (auto refused = refuse_method(c->r, read_only)) return {entry.search_route, std::move(*refused)};
    return {entry.search_route, response{200, media_for(c->r), search_body(entry, base(c->r)), {}, false}};
  }
  const auto at = std::find_if(finders.begin(), finders.end(), [&](const auto& f) { return f.name == (*c)[2]; });
  if (c->size() > 3 || at == finders.end()) {
    std::vector<std::string_view> names;
    names.reserve(finders.size());
    for (const auto& f : finders) names.emplace_back(f.name);
    const auto suggestion = nearest((*c)[2], names);
    problem p{problem_code::not_found,
              "There is no such finder." + (suggestion.empty() ? "" : " Did you mean '" + std::string(suggestion) + "'?")};
    return {id_of(fixed_route::unmatched), render(p, c->r)};
  }
  const auto index = static_cast<std::size_t>(at - finders.begin());
  if (auto refused = refuse_method(c->r, read_only)) return {entry.finder_routes[index], std::move(*refused)};
  return read_finder(c, entry, index);
}

action router::read_collection(const call_ptr& c, const resource_entry& entry) const {
  const auto paged = parse_paging(c->target, *entry.declared->row, settings_.page_size_default, settings_.page_size_max);
  if (!paged) return {entry.collection_route, render(bad_parameter(paged.why()), c->r)};
  const bool sorted = !paged->sort.empty() && paged->sort.front().field;
  if (!sorted && paged->offset() <= settings_.deep_offset) return {entry.collection_route, run_list(*c, entry, *paged)};
  return {entry.collection_route, background_plan{[this, c, &entry, p = *paged] { return run_list(*c, entry, p); }}};
}

response router::run_list(const call& c, const resource_entry& entry, const paging& p) const {
  const auto found = door_.list(entry.ref, p.to_request());
  if (!found) return render(found.why(), c.r);
  return {200, media_for(c.r), collection_body(entry, base(c.r), c.target.query, p, *found), {}, false};
}

action router::read_item(const call& c, const resource_entry& entry, std::uint64_t id) const {
  const auto row = door_.get(entry.ref, id);
  if (!row) return {entry.item_route, render(no_such_resource(), c.r)};
  response answer{200, media_for(c.r), {}, {}, false};
  if (entry.context != nullptr) answer.version = row->version;  // a view's row versions do not outlive a rebuild
  append_resource(answer.body, entry, base(c.r), *row);
  return {entry.item_route, std::move(answer)};
}

action router::read_finder(const call_ptr& c, const resource_entry& entry, std::size_t finder) const {
  const auto& declared = entry.declared->finders[finder];
  const auto route = entry.finder_routes[finder];
  const auto size = declared.plain_array ? settings_.plain_array_max : settings_.page_size_max;
  const auto paged = parse_paging(c->target, *entry.declared->row, size, size);
  if (!paged) return {route, render(bad_parameter(paged.why()), c->r)};
  for (const auto at : declared.fields) {
    const auto& name = entry.declared->row->fields[at].name;
    if (c->target.parameter(name) == nullptr)
      return {route,
              render(problem{problem_code::bad_parameter, std::string(name) + ": this parameter is required.", std::string(name)}, c->r)};
  }
  return find_page({c, &entry, &declared, route, std::move(*paged)});
}

// First on this thread, which may look at so many matches; then, if that was not enough, where it may take its time.
action router::find_page(const finder_call& f) const {
  const auto& type = *f.entry->declared->row;
  std::vector<scalar> arguments;
  for (const auto at : f.finder->fields) {
    const auto argument = from_text(type.fields[at], *f.c->target.parameter(type.fields[at].name));
    if (!argument) return {f.route, render(bad_parameter(argument.why()), f.c->r)};
    arguments.push_back(*argument);
  }
  auto request = f.paged.to_request();
  // Without `sort`, pages of a plain array count from the newest row.
  if (f.finder->plain_array && request.sort.empty()) request.sort = {{{}, true}};
  const bool sorted = !request.sort.empty() && (request.sort.front().field || f.finder->up_to);
  if (!sorted && request.offset <= settings_.deep_offset) {
    auto bounded = request;
    bounded.scan_limit = settings_.deep_offset + request.limit;
    const auto found = door_.find(f.entry->ref, *f.finder, arguments, bounded);
    if (!found) return {f.route, render(found.why(), f.c->r)};
    if (found->complete) return {f.route, finder_answer(f, *found)};
  }
  return {f.route, background_plan{[this, f, arguments, request] {
            const auto found = door_.find(f.entry->ref, *f.finder, arguments, request);
            return found ? finder_answer(f, *found) : render(found.why(), f.c->r);
          }}};
}

response router::finder_answer(const finder_call& f, page found) const {
  const auto base_here = base(f.c->r);
  const auto& query = f.c->target.query;
  if (!f.finder->plain_array)
    return {200, media_for(f.c->r), finder_body(*f.entry, base_here, *f.finder, query, f.paged, found), {}, false};
  if (f.paged.sort.empty()) std::reverse(found.rows.begin(), found.rows.end());  // each page is shown oldest first
  std::string body = "[";
  for (const auto& row : found.rows) {
    if (body.size() > 1) body += ',';
    append_plain_row(body, *f.entry->declared->row, row);
  }
  auto answer = json_response(200, body.append("]"));
  const auto links = page_links(finder_url(*f.entry, base_here, *f.finder), query_without_page(query), f.paged, found.total);
  if (!links.empty()) answer.header("Link", link_header(links));
  return answer;
}

action router::command(const call& c, const resource_entry& entry, route_id route, std::optional<std::uint64_t> id) const {
  auto made = to_command(settings_, door_, entry, c.r, id);
  if (const auto* p = std::get_if<problem>(&made)) return {route, render(*p, c.r)};
  return {route, ask_plan{std::move(std::get<command_request>(made)), &entry}};
}

response router::answered(const request& r, const ask_plan& plan, const command_answer& answer) const {
  response result{200, media_for(r), {}, {}, false};
  if (answer.refused) {
    result = render(*answer.refused, r);
  } else if (r.verb == method::remove || !answer.resource.row) {
    result = {204, {}, {}, {}, false};
  } else {
    const auto url_base = base(r);
    result.version = answer.resource.version;
    if (r.verb == method::post) {
      result.status = 201;
      result.header("Location", url_base + "/" + plan.entry->declared->collection + "/" + std::to_string(answer.resource.id));
    }
    append_resource(result.body, *plan.entry, url_base, answer.resource);
  }
  if (answer.replayed) result.header("Idempotency-Replayed", "true");
  return result;
}

}  // namespace crema::http
