// The part of the router that tells what happened: event streams, of the whole system or of one aggregate, and causal trees.
#include <limits>
#include <nlohmann/json.hpp>

#include "behaviors/core/json.hpp"
#include "http/negotiate.hpp"
#include "http/router.hpp"

namespace crema::http {

namespace {

problem bad(std::string_view name, std::string detail) {
  return {problem_code::bad_parameter, std::string(name) + ": " + std::move(detail), std::string(name)};
}

struct place {
  std::string_view history;  // empty: whichever is served
  std::uint64_t offset = 0;
};

// "17", or "0123456789abcdef-17".
std::optional<place> parse_place(std::string_view text) {
  place p;
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    p.history = text.substr(0, dash);
    if (p.history.size() != 16 || p.history.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
    text.remove_prefix(dash + 1);
  }
  const auto offset = parse_number(text);
  if (!offset) return std::nullopt;
  p.offset = *offset;
  return p;
}

constexpr std::string_view place_expected = "an offset is expected, alone or behind its history and a hyphen.";

// Where a follower comes back to: nothing it has seen may be missing from what is served now.
std::string why_lost(const front_door& door, const place& from, std::uint64_t first_wanted) {
  const auto present = std::string(door.history());
  if (!from.history.empty() && from.history != present)
    return "The offset is of the history " + std::string(from.history) + ", and this is the history " + present +
           ": the data were restored, or are others. Begin anew.";
  if (const auto next = door.next_offset(); first_wanted > next)
    return "The offset " + std::to_string(from.offset) + " is ahead of the end of the history " + present + ", where the next one is " +
           std::to_string(next) + ": it is of another history. Begin anew.";
  return {};
}

// from, follow and Last-Event-ID, which goes before `from`: it is what a reconnecting browser adds to the first URL.
std::optional<problem> read_position(const front_door& door, const request& r, const uri& target, stream_plan& plan) {
  plan.sse = prefers_event_stream(r.accept);
  plan.follow = plan.sse;
  if (const auto* text = target.parameter("follow")) {
    if (*text != "true" && *text != "false") return bad("follow", "true or false is expected.");
    plan.follow = *text == "true";
  }
  if (const auto* text = target.parameter("from")) {
    const auto from = parse_place(*text);
    if (!from) return bad("from", std::string(place_expected));
    plan.query.from = from->offset;
    plan.lost = why_lost(door, *from, from->offset);
  }
  if (!r.last_event_id.empty()) {
    const auto last = parse_place(r.last_event_id);
    if (!last || last->offset == std::numeric_limits<std::uint64_t>::max()) return bad("Last-Event-ID", std::string(place_expected));
    plan.query.from = last->offset + 1;
    plan.lost = why_lost(door, *last, last->offset + 1);
  }
  if (!plan.lost.empty() && !plan.sse) return problem{problem_code::place_lost, plan.lost};
  return std::nullopt;
}

std::optional<problem> read_filters(const system_declaration& system, const uri& target, stream_plan& plan) {
  if (const auto* text = target.parameter("type"); text != nullptr && !text->empty()) {
    std::vector<std::string_view> known;
    for (const auto& c : system.contexts)
      for (const auto& h : c.events) known.push_back(h.type->name);
    if (std::find(known.begin(), known.end(), *text) == known.end()) {
      const auto suggestion = nearest(*text, known);
      return bad("type",
                 "there is no event '" + *text + "'." + (suggestion.empty() ? "" : " Did you mean '" + std::string(suggestion) + "'?"));
    }
    plan.query.type = *text;
  }
  if (const auto* text = target.parameter("context"); text != nullptr && !text->empty()) {
    const auto* context = system.find_context(*text);
    if (context == nullptr) return bad("context", "there is no context '" + *text + "'.");
    plan.query.context = context->index;
  }
  if (const auto* text = target.parameter("id"); text != nullptr && !text->empty()) {
    const auto id = parse_id(*text);
    if (!id) return bad("id", "a positive number is expected.");
    plan.query.id = id;
  }
  return std::nullopt;
}

}  // namespace

action router::read_events(const call& c) const {
  const auto route = id_of(fixed_route::events);
  if (auto refused = refuse_method(c.r, read_only)) return {route, std::move(*refused)};
  stream_plan plan;
  if (auto p = read_position(door_, c.r, c.target, plan)) return {route, render(*p, c.r)};
  if (auto p = read_filters(door_.system(), c.target, plan)) return {route, render(*p, c.r)};
  return {route, std::move(plan)};
}

action router::read_history(const call& c, const resource_entry& entry, std::uint64_t id) const {
  if (auto refused = refuse_method(c.r, read_only)) return {entry.events_route, std::move(*refused)};
  stream_plan plan;
  if (auto p = read_position(door_, c.r, c.target, plan)) return {entry.events_route, render(*p, c.r)};
  plan.query.context = entry.ref.index;
  plan.query.id = id;
  // What left its collection still has its history: only what never recorded anything is 404.
  if (!door_.get(entry.ref, id)) {
    auto first = plan.query;
    first.from = 0;
    first.scan_limit = 1;
    const auto found = door_.events(first);
    if (found.events.empty() && found.at_end)
      return {entry.events_route, render(problem{problem_code::not_found, "There is no such resource."}, c.r)};
  }
  return {entry.events_route, std::move(plan)};
}

action router::read_causal_tree(const call_ptr& c, const resource_entry& entry, std::uint64_t id) const {
  if (entry.context == nullptr)
    return {
        id_of(fixed_route::unmatched),
        render(problem{problem_code::not_found, "A view's rows cause nothing; ask for the trace of the aggregate that they show."}, c->r)};
  if (auto refused = refuse_method(c->r, read_only)) return {entry.trace_route, std::move(*refused)};
  return {entry.trace_route, background_plan{[this, c, &entry, id] {
            const auto tree = door_.causal_tree(entry.ref.index, id);
            if (tree.is_null()) return render(problem{problem_code::not_found, "There is no such resource."}, c->r);
            return json_response(200, tree.dump());
          }}};
}

}  // namespace crema::http
