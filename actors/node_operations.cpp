// The operator's side of a node: health, figures, contexts, dead letters, backup.
#include <algorithm>
#include <caf/send.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "actors/node_parts.hpp"
#include "actors/root_supervisor.hpp"
#include "behaviors/core/json.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::actors {

using nlohmann::json;

namespace {

rejection unknown_context(const system_declaration& s, std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& c : s.contexts) known.push_back(c.name);
  const auto near = nearest(name, known);
  return rejection::not_found("There is no context '" + std::string(name) + "'" +
                              (near.empty() ? "." : "; did you mean '" + std::string(near) + "'?"));
}

// DOWN: what would add to a full one is refused.
json outbox_health(const services& s) {
  json full = json::array();
  for (const auto& c : s.system.contexts)
    if (!s.has_room(c.index)) full.push_back(c.name);
  return {{"status", full.empty() ? "UP" : "DOWN"}, {"full", full}, {"limit", s.settings.outbox_max}};
}

json notifications_health(const services& s) {
  std::uint64_t failing = 0, waiting = 0;
  for (const auto& c : s.contexts) {
    failing += c.failing_receivers;
    waiting += c.waiting_for_receivers;
  }
  return {{"status", "UP"}, {"failingReceivers", failing}, {"waitingForThem", waiting}};
}

}  // namespace

json node::health() const {
  const auto& p = *parts_;
  const auto usage = p.given.store->usage();
  json contexts = json::object();
  for (const auto& c : p.given.system->contexts) contexts[c.name] = p.shared->contexts[c.index].running ? "UP" : "STOPPED";
  json room{{"status", p.given.store->has_room() ? "UP" : "DOWN"}, {"bytesUsed", usage.bytes_used}, {"bytesLimit", usage.bytes_limit}};
  if (const auto missing = p.given.store->short_of(); missing != storage::shortage::none)
    room["shortOf"] = missing == storage::shortage::disk ? "disk" : "mapBytesMax";
  return {{"journal", {{"status", p.log->failed() ? "DOWN" : "UP"}, {"queue", p.log->depth()}}},
          {"storage", room},
          {"recovery", {{"status", p.settled ? "UP" : "DOWN"}, {"chainsToSettle", p.shared->compensations.load()}}},
          {"undos", {{"status", p.shared->undos.stuck() > 0 ? "DOWN" : "UP"}, {"failing", p.shared->undos.stuck()}}},
          {"outbox", outbox_health(*p.shared)},
          {"notifications", notifications_health(*p.shared)},
          {"contexts", {{"status", "UP"}, {"details", contexts}}}};
}

json node::circuit_breakers() const {
  json all = json::object();
  for (const auto& c : parts_->given.system->contexts) {
    const auto& b = parts_->shared->contexts[c.index].bulkhead;
    const auto& s = parts_->shared->settings_of(c.index).bulkhead;
    all[c.name] = {
        {"state", name_of(b.state.load())},
        {"inFlight", b.in_flight.load()},
        {"queued", b.queued.load()},
        {"window", {{"calls", b.calls.load()}, {"failed", b.window_failed.load()}, {"slow", b.window_slow.load()}}},
        {"total",
         {{"passed", b.passed.load()}, {"refused", b.refused.load()}, {"timedOut", b.timed_out.load()}, {"failed", b.failed.load()}}},
        {"limits",
         {{"maxConcurrent", s.concurrent_max},
          {"maxQueued", s.queued_max},
          {"callTimeoutMs", s.call_timeout.count()},
          {"failureRatePercent", s.failure_rate_percent},
          {"openMs", s.open_time.count()}}}};
  }
  return {{"circuitBreakers", all}};
}

namespace {

json json_of(const std::string& name, const supervision_board::entry& e) {
  json j{{"name", name}, {"state", e.state}, {"restarts", e.restarts}};
  if (!e.lifetime.empty()) j["lifetime"] = e.lifetime;
  if (e.state == "restarting") j["backoffMs"] = e.waits_ms;
  if (!e.last_failure.empty()) j["lastFailure"] = e.last_failure;
  return j;
}

void add_strategy(json& to, const supervision_board::failures& f, const runtime_settings& s, std::int64_t now_ms) {
  const auto recent = [&](std::int64_t at_ms) { return now_ms - at_ms < s.restart_period.count(); };
  to["strategy"] = name_of(f.how);
  to["intensity"] = s.restart_intensity;
  to["periodMs"] = s.restart_period.count();
  to["restartsInPeriod"] = std::count_if(f.at_ms.begin(), f.at_ms.end(), recent);
}

// What takes steps back and failed so far. The record of the step tells since when.
json undo_of(const pending_undos::entry& e, const node::parts& p) {
  json j{{"aggregate", p.given.system->contexts[e.subject.context].name + "/" + std::to_string(e.subject.id)},
         {"undo", e.command},
         {"tries", e.tries},
         {"lastError", e.last_error}};
  if (e.next_try_ms > 0) j["nextTryInMs"] = std::max<std::int64_t>(0, e.next_try_ms - p.given.time->steady_ms());
  if (const auto step = storage::read_record(*p.given.store->read(), e.ref.id.sequence, p.shared->types))
    j["since"] = to_iso_text(step->at);
  return j;
}

json children_of(const std::string& path, const std::map<std::string, supervision_board::entry>& board, const context_status& s) {
  constexpr std::string_view partition = "partition-";
  json children = json::array();
  for (const auto& [below, child] : board) {
    if (below.rfind(path + "/", 0) != 0) continue;
    const auto name = below.substr(path.size() + 1);
    auto j = json_of(name, child);
    if (name.starts_with(partition)) j["awake"] = s.awake_in[std::stoul(name.substr(partition.size()))].load();
    children.push_back(std::move(j));
  }
  return children;
}

}  // namespace

json node::supervisors() const {
  const auto& p = *parts_;
  const auto board = p.shared->board.all();
  const auto now = p.given.time->steady_ms();
  constexpr std::size_t undos_listed_max = 100;
  const auto failing = p.shared->undos.failing(undos_listed_max);
  json tree{{"name", "root"}, {"children", json::array()}};
  add_strategy(tree, p.shared->board.failures_of(""), p.settings, now);
  for (const auto& [path, e] : board) {
    if (path.find('/') != std::string::npos) continue;
    auto child = json_of(path, e);
    if (const auto* c = p.given.system->find_context(path)) {
      const auto& s = p.shared->contexts[c->index];
      add_strategy(child, p.shared->board.failures_of(path + "/"), p.settings, now);
      child["running"] = s.running.load();
      child["awake"] = s.awake.load();
      child["mailbox"] = s.mailbox.load();
      child["entityAndChildRestarts"] = s.restarts.load();
      child["children"] = children_of(path, board, s);
      json undos = json::array();
      for (const auto& undo : failing)
        if (undo.subject.context == c->index) undos.push_back(undo_of(undo, p));
      if (!undos.empty()) child["undos"] = std::move(undos);
    }
    tree["children"].push_back(std::move(child));
  }
  return tree;
}

json node::contexts() const {
  json all = json::array();
  for (const auto& c : parts_->given.system->contexts) {
    const auto& s = parts_->shared->contexts[c.index];
    const auto* state = !s.running ? "stopped" : s.lanes_closed > 0 ? "starting" : "running";
    all.push_back({{"name", c.name},
                   {"state", state},
                   {"awake", s.awake.load()},
                   {"outbox", s.outbox.load()},
                   {"mailbox", s.mailbox.load()},
                   {"restarts", s.restarts.load()},
                   {"deadLetters", s.dead_letters.load()}});
  }
  return all;
}

void node::switch_context(std::string_view name, bool running, std::function<void(std::optional<rejection>)> done) {
  const auto* c = parts_->given.system->find_context(name);
  if (c == nullptr) {
    done(unknown_context(*parts_->given.system, name));
    return;
  }
  caf::anon_send(parts_->root, context_switch{c->index, {running, [tell = std::move(done)] { tell(std::nullopt); }}});
}

namespace {

rejection refusal_of_backup(const storage::storage_error& e) {
  constexpr std::int64_t look_again_ms = 60'000;
  switch (e.code()) {
    case storage::storage_errc::full: return {rejection_kind::overloaded, e.what(), {}, look_again_ms};
    case storage::storage_errc::stopped: return {rejection_kind::stopped, e.what(), {}, 1000};
    default: return rejection::invalid("directory", e.what());
  }
}

}  // namespace

void node::cancel_backups() { parts_->backups_stop.request_stop(); }

void node::backup(const std::string& directory, std::function<void(std::optional<rejection>)> done) {
  auto& p = *parts_;
  const std::lock_guard lock(p.helpers_mutex);
  p.helpers.emplace_back([&p, directory, tell = std::move(done)] {
    try {
      p.given.store->copy_to(directory, p.backups_stop.get_token());
      tell(std::nullopt);
    } catch (const storage::storage_error& e) { tell(refusal_of_backup(e)); } catch (const std::exception& e) {
      tell(rejection::invalid("directory", e.what()));
    }
  });
}

}  // namespace crema::actors
