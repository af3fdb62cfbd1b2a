// What a node tells of what happened: the recent spans, and the causal tree of an aggregate, from the journal.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
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

using storage::causal_step;

// Of one that has no number yet only the context: its key may be somebody's phone number.
std::string aggregate_name(std::string_view context, std::uint64_t id) {
  return id == 0 ? std::string(context) : std::string(context) + "/" + std::to_string(id);
}

// What the ring still knows of a trace: more exact times than the journal's milliseconds, the commit, tries that failed.
class recent_spans {
 public:
  explicit recent_spans(const telemetry::trace_ring& ring) : ring_(ring) {}

  const std::vector<telemetry::span>& of(const trace_context& t) {
    const auto id = trace_id_text(t);
    const auto known = by_trace_.find(id);
    return known != by_trace_.end() ? known->second : by_trace_.emplace(id, ring_.recent(spans_max, id)).first->second;
  }

 private:
  static constexpr std::size_t spans_max = 1000;
  const telemetry::trace_ring& ring_;
  std::map<std::string, std::vector<telemetry::span>> by_trace_;
};

// Wall clock, in µs; absent: not known.
struct hop {
  std::optional<std::int64_t> queued, handled, committed;
  std::size_t failed_tries = 0;
  std::vector<std::string> notes;
};

std::int64_t end_of(const telemetry::span& s) { return s.start_us + s.duration_us; }

// Tries of one message have the same parent and receiver, and spans of their own.
void add_spans(hop& h, const telemetry::span& handled, const std::vector<telemetry::span>& all) {
  // A message that its lane read from disk began to wait anew: then the journal knows better.
  constexpr std::int64_t same_moment_us = 2000;
  const auto sent = h.queued;
  h.handled = end_of(handled);
  h.queued = handled.start_us;
  if (!handled.note.empty()) h.notes.push_back(handled.note);
  for (const auto& s : all) {
    if (s.kind == "commit" && s.parent == handled.context.span_id) h.committed = end_of(s);
    if (s.kind == "mark" && s.parent == handled.context.span_id) h.notes.push_back(s.note);
    if (s.parent != handled.parent || s.where != handled.where || s.what != handled.what) continue;
    if (s.kind == "wait" && s.start_us < *h.queued) h.queued = s.start_us;
    if (s.kind == "handle" && s.failed && s.context.span_id != handled.context.span_id) ++h.failed_tries;
  }
  if (sent && *h.queued - *sent > same_moment_us) h.queued = sent;
}

hop hop_of(const causal_step& step, recent_spans& spans) {
  hop h;
  if (step.queued) h.queued = step.queued->ms * 1000;
  if (!step.record) return h;
  h.handled = step.record->at.ms * 1000;
  if (step.cause == storage::step_cause::notification || step.record->died) return h;
  const auto& all = spans.of(step.record->trace);
  const auto handled = std::find_if(all.begin(), all.end(), [&](const telemetry::span& s) {
    return s.kind == "handle" && s.context.span_id == step.record->trace.span_id;
  });
  if (handled != all.end()) add_spans(h, *handled, all);
  return h;
}

// First and last moment of all steps.
struct period {
  std::int64_t first_us = std::numeric_limits<std::int64_t>::max(), last_us = 0;

  void take_in(const std::vector<causal_step>& steps, recent_spans& spans) {
    for (const auto& s : steps) {
      const auto h = hop_of(s, spans);
      for (const auto& at : {h.queued, h.handled, h.committed}) {
        if (!at) continue;
        first_us = std::min(first_us, *at);
        last_us = std::max(last_us, *at);
      }
      take_in(s.steps, spans);
    }
  }
};

class tree_writer {
 public:
  tree_writer(const system_declaration& system, recent_spans& spans, const pending_undos& undos, std::int64_t first_us)
      : system_(system), spans_(spans), undos_(undos), first_us_(first_us) {}

  json write(const std::vector<causal_step>& steps) {
    json all = json::array();
    for (const auto& s : steps) all.push_back(write(s));
    return all;
  }

 private:
  json write(const causal_step& s) {
    json j{{"aggregate", name_of(s.subject)}, {"cause", storage::name_of(s.cause)}, {"state", storage::name_of(s.state)}};
    if (!s.message.empty()) j["message"] = s.message;
    if (s.due_ms > 0) j["dueAt"] = to_iso_text({s.due_ms});
    if (s.undone) j["undone"] = true;
    if (s.record) {
      j["sequence"] = s.record->sequence;
      if (s.cause != storage::step_cause::notification) add_record(j, *s.record);
    }
    add_hop(j, hop_of(s, spans_));
    if (s.record && s.record->held) add_failing_undo(j, s.record->hold_ref());
    j["steps"] = write(s.steps);
    return j;
  }

  void add_hop(json& j, const hop& h) const {
    const auto put = [&](const char* name, std::optional<std::int64_t> at) {
      if (!at) return;
      const auto us = *at - first_us_;
      if (us % 1000 == 0)
        j[name] = us / 1000;
      else
        j[name] = static_cast<double>(us) / 1000;
    };
    put("queuedMs", h.queued);
    put("handledMs", h.handled);
    put("committedMs", h.committed);
    if (h.failed_tries > 0) j["failedTries"] = h.failed_tries;
    if (!h.notes.empty()) j["notes"] = h.notes;
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

  void add_failing_undo(json& j, const storage::outbox_ref& ref) const {
    const auto undo = undos_.find(ref);
    if (!undo || undo->tries == 0) return;
    j["notes"].push_back("its undo (" + undo->command + ") failed " + std::to_string(undo->tries) +
                         " times and is tried again: " + undo->last_error);
  }

  std::string name_of(const storage::address& a) const { return aggregate_name(system_.contexts[a.context].name, a.id); }

  const system_declaration& system_;
  recent_spans& spans_;
  const pending_undos& undos_;
  const std::int64_t first_us_;
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
    if (!s.note.empty()) j["note"] = s.note;
    if (!s.where.empty()) j["aggregate"] = aggregate_name(s.where, s.id);
    all.push_back(std::move(j));
  }
  if (all.empty() && !trace_id.empty()) return {};
  return {{"spans", all}};
}

json node::causal_tree(std::uint16_t context, std::uint64_t id) const {
  const auto& p = *parts_;
  const auto forest = storage::read_causal_forest(*p.given.store->read(), p.settings.partitions, p.shared->types, context, id);
  if (!forest) return {};
  recent_spans spans(*p.given.traces);
  period all;
  all.take_in(forest->roots, spans);
  return {{"aggregate", system().contexts[context].name + "/" + std::to_string(id)},
          {"startedAt", to_iso_text({all.first_us / 1000})},
          {"durationMs", static_cast<double>(all.last_us - all.first_us) / 1000},
          {"complete", forest->complete},
          {"steps", tree_writer(system(), spans, p.shared->undos, all.first_us).write(forest->roots)}};
}

}  // namespace crema::actors
