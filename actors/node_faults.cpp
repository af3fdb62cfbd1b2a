// Faults from the operator's side, and where they reach what is no actor: the disk, the clock, the process.
#include <array>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include "actors/fault_keeper.hpp"
#include "actors/node_parts.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

using nlohmann::json;

namespace {

storage::commit_fault commit_fault_of(const strike& s) {
  using storage::storage_errc;
  storage::commit_fault a;
  switch (s.kind) {
    case fault_kind::slow: a.delay = milliseconds(s.delay_ms); break;
    case fault_kind::full: a.failure = storage_errc::full; break;
    case fault_kind::torn: a.torn = true; break;
    default: a.failure = storage_errc::io;
  }
  return a;
}

void log_strike(const fault& f) {
  telemetry::log(telemetry::level::warn, "an injected fault struck",
                 {{"fault", std::to_string(f.id)},
                  {"kind", std::string(name_of(f.asked.kind))},
                  {"target", f.asked.target},
                  {"fired", std::to_string(f.fired)}});
}

}  // namespace

void node::parts::prepare_faults() {
  std::array<telemetry::counter, fault_kind_count> counters;
  for (std::size_t k = 0; k < fault_kind_count; ++k)
    counters[k] = given.metrics->make_counter("crema_faults_fired_total", "Injected faults that struck",
                                              {{"kind", std::string(name_of(static_cast<fault_kind>(k)))}});
  faults.on_strike([this, counters](const fault& f, bool worth_a_line) {
    counters[static_cast<std::size_t>(f.asked.kind)].add();
    if (worth_a_line) log_strike(f);
    if (f.asked.kind == fault_kind::kill && given.kill_process) given.kill_process();
  });
  const auto* real = given.time;
  if (given.advise_store)
    given.advise_store([this, real] {
      const auto hit = faults.at_commit(real->steady_ms());
      return hit ? commit_fault_of(*hit) : storage::commit_fault{};
    });
  jumping = std::make_unique<jumping_clock>(*real, faults);
  given.time = jumping.get();
}

json node::faults() const {
  json all = json::array();
  for (const auto& f : parts_->faults.all(parts_->given.time->steady_ms())) all.push_back(to_json(f));
  return all;
}

result<json> node::add_fault(const json& fields) {
  auto& p = *parts_;
  if (!p.settings.faults_enabled)
    return rejection::not_found("Faults are not enabled on this node; start it with faults.enabled and http.managementToken set.");
  auto f = fault_from_json(fields, *p.given.system, p.settings.partitions, p.shared->random.next());
  if (!f) return f.why();
  if (f->target.is == fault_target::scope::journal && !p.given.advise_store)
    return rejection::invalid("target", "Field 'target' names the journal, but this node's store cannot be made to fail.");
  const auto id = p.faults.add(*f, p.given.time->steady_ms());
  caf::anon_send(p.root, faults_changed{});
  auto listed = to_json(*f);
  listed["id"] = id;
  return listed;
}

std::size_t node::remove_faults(std::optional<std::uint64_t> id) {
  auto& p = *parts_;
  const auto removed = id ? std::size_t{p.faults.remove(*id)} : p.faults.clear();
  if (removed > 0 && p.root) caf::anon_send(p.root, faults_changed{});
  return removed;
}

}  // namespace crema::actors
