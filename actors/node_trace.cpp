// What a node tells of what happened: the recent spans, and the causal tree of an aggregate, from the journal.
#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "actors/node_parts.hpp"
#include "behaviors/core/json.hpp"
#include "storage/causal_tree.hpp"

namespace crema::actors {

using nlohmann::json;

namespace {

std::string hex(const std::array<std::uint8_t, 8>& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto b : bytes) {
    text.push_back(digits[b >> 4U]);
    text.push_back(digits[b & 15U]);
  }
  return text;
}

// First and last moment of all steps.
struct period {
  std::int64_t first_ms = std::numeric_limits<std::int64_t>::max(), last_ms = 0;

  void take_in(timestamp t) {
    first_ms = std::min(first_ms, t.ms);
    last_ms = std::max(last_ms, t.ms);
  }
  void take_in(const std::vector<storage::causal_step>& steps) {
    for (const auto& s : steps) {
      if (s.queued) take_in(*s.queued);
      if (s.record) take_in(s.record->at);
      take_in(s.steps);
    }
  }
};

class tree_writer {
 public:
  tree_writer(const system_declaration& system, std::int64_t first_ms) : system_(system), first_ms_(first_ms) {}

  json write(const std::vector<storage::causal_step>& steps) const {
    json all = json::array();
    for (const auto& s : steps) all.push_back(write(s));
    return all;
  }

 private:
  json write(const storage::causal_step& s) const {
    json j{{"aggregate", name_of(s.subject)}, {"cause", storage::name_of(s.cause)}, {"state", storage::name_of(s.state)}};
    if (!s.message.empty()) j["message"] = s.message;
    if (s.queued) j["queuedMs"] = since_start(*s.queued);
    if (s.due_ms > 0) j["dueAt"] = to_iso_text({s.due_ms});
    if (s.undone) j["undone"] = true;
    if (s.record) {
      j["sequence"] = s.record->sequence;
      j["handledMs"] = since_start(s.record->at);
      if (s.cause != storage::step_cause::notification) add_record(j, *s.record);
    }
    j["steps"] = write(s.steps);
    return j;
  }

  static void add_record(json& j, const storage::journal_record& r) {
    auto& events = j["events"] = json::array();
    for (const auto& e : r.events) events.push_back(e.type().name);
    j["version"] = r.version;
    j["traceId"] = trace_id_text(r.trace);
    j["spanId"] = hex(r.trace.span_id);
    if (r.causation != 0) j["causation"] = r.causation;
    if (r.compensating) j["compensating"] = true;
    if (r.died) j["deadLetter"] = {{"id", r.sequence}, {"attempts", r.died->attempts}};
  }

  // Without the key of one that has no number yet: it may be somebody's phone number.
  std::string name_of(const storage::address& a) const {
    const auto& context = system_.contexts[a.context].name;
    return a.id == 0 ? context : context + "/" + std::to_string(a.id);
  }

  std::int64_t since_start(timestamp t) const noexcept { return t.ms - first_ms_; }

  const system_declaration& system_;
  const std::int64_t first_ms_;
};

}  // namespace

json node::traces(std::string_view trace_id) const {
  json all = json::array();
  for (const auto& s : parts_->given.traces->recent(1000, trace_id)) {
    json j{{"traceId", trace_id_text(s.context)},
           {"spanId", hex(s.context.span_id)},
           {"kind", s.kind},
           {"name", s.what},
           {"startUs", s.start_us},
           {"durationUs", s.duration_us},
           {"failed", s.failed}};
    if (s.parent != std::array<std::uint8_t, 8>{}) j["parentSpanId"] = hex(s.parent);
    if (!s.where.empty()) j["aggregate"] = std::string(s.where) + "/" + std::to_string(s.id);
    all.push_back(std::move(j));
  }
  if (all.empty() && !trace_id.empty()) return {};
  return {{"spans", all}};
}

json node::causal_tree(std::uint16_t context, std::uint64_t id) const {
  const auto& p = *parts_;
  const auto forest = storage::read_causal_forest(*p.given.store->read(), p.settings.partitions, p.shared->types, context, id);
  if (!forest) return {};
  period all;
  all.take_in(forest->roots);
  return {{"aggregate", system().contexts[context].name + "/" + std::to_string(id)},
          {"startedAt", to_iso_text({all.first_ms})},
          {"durationMs", all.last_ms - all.first_ms},
          {"complete", forest->complete},
          {"steps", tree_writer(system(), all.first_ms).write(forest->roots)}};
}

}  // namespace crema::actors
