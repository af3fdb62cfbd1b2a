#include "tests/sim/trouble.hpp"

#include <algorithm>
#include <caf/local_actor.hpp>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace crema::sim {

using std::chrono::milliseconds;

void trouble::strike(std::uint64_t step) {
  for (; next_ < faults_.size() && faults_[next_].step <= step; ++next_) waiting_.push_back(faults_[next_]);
  for (std::size_t i = 0; i < lasting_.size();) {
    if (lasting_[i].ends > step) {
      ++i;
      continue;
    }
    const auto stop = std::move(lasting_[i].stop);
    lasting_.erase(lasting_.begin() + static_cast<std::ptrdiff_t>(i));
    stop();
  }
  if (!whom_.node().up()) return;
  const auto still = std::find_if(waiting_.begin(), waiting_.end(), [&](const fault& f) { return strikes(f); });
  if (still == waiting_.end()) return;
  struck_.push_back(*still);
  waiting_.erase(still);
}

void trouble::end() {
  next_ = faults_.size();
  waiting_.clear();
  for (auto& l : lasting_) l.stop();
  lasting_.clear();
  whom_.disk().plan().clear();
  if (whom_.node().up()) whom_.node().node().remove_faults({});
}

void trouble::last(const fault& f, std::function<void()> stop) {
  constexpr std::uint64_t steps_max = 300;
  lasting_.push_back({f.step + 1 + f.pick % steps_max, std::move(stop)});
}

bool trouble::strikes(const fault& f) {
  using storage::failed_commit, storage::storage_errc, storage::write_operation;
  auto& n = whom_.node();
  switch (f.kind) {
    case fault_kind::crash: whom_.die(); return true;
    case fault_kind::kill_entity: return kill("crema.entity", f.pick);
    case fault_kind::kill_partition: return kill("crema.partition", f.pick);
    case fault_kind::kill_gate: return kill("crema.bulkhead", f.pick);
    case fault_kind::kill_projector: return kill("crema.projector", f.pick);
    case fault_kind::kill_notifier: return kill("crema.notifier", f.pick);
    case fault_kind::kill_timers: return kill("crema.timers", f.pick);
    case fault_kind::kill_context: return kill("crema.context", f.pick);
    case fault_kind::kill_root: return kill("crema.root", f.pick);
    case fault_kind::commit_lost:
      whom_.disk().plan().fail_nth(write_operation::commit, 1, storage_errc::io, failed_commit::lost);
      return true;
    case fault_kind::commit_kept:
      whom_.disk().plan().fail_nth(write_operation::commit, 1, storage_errc::io, failed_commit::kept);
      return true;
    case fault_kind::disk_full:
      whom_.disk().plan().fail_all(storage_errc::full);
      last(f, [this] { whom_.disk().plan().clear(); });
      return true;
    case fault_kind::disk_slow: whom_.hold_disk(milliseconds(1 + f.pick % 400)); return true;
    case fault_kind::clock_forward: n.clock().jump(milliseconds(1 + f.pick * 200)); return true;
    case fault_kind::clock_back: n.clock().jump(-milliseconds(1 + f.pick * 200)); return true;
    case fault_kind::stop_context: return stop_context(f);
    case fault_kind::sink_fails: n.sink->failures_left = static_cast<int>(1 + f.pick % 8); return true;
    default: return inject(f);
  }
}

bool trouble::kill(std::string_view actor, std::uint64_t pick) {
  std::vector<caf::local_actor*> found;
  for (auto* job : whom_.node().coordinator().jobs)
    if (auto* a = dynamic_cast<caf::local_actor*>(job); a != nullptr && actor == a->name()) found.push_back(a);
  if (found.empty()) return false;
  caf::anon_send_exit(found[pick % found.size()]->address(), caf::exit_reason::kill);
  return true;
}

bool trouble::stop_context(const fault& f) {
  auto& n = whom_.node();
  const auto name = n.system().contexts[f.pick % n.system().contexts.size()].name;
  n.node().switch_context(name, false, [](std::optional<rejection>) {});
  last(f, [this, name] {
    if (whom_.node().up()) whom_.node().node().switch_context(name, true, [](std::optional<rejection>) {});
  });
  return true;
}

namespace {

// What the board is asked for: who is struck, and how hard, is in the fault's pick.
nlohmann::json board_fault(const fault& f, const system_declaration& system) {
  std::vector<std::string> acting, showing;
  for (const auto& c : system.contexts)
    if (c.state != nullptr) acting.push_back(c.name);
  for (const auto& v : system.views) showing.push_back(system.contexts[v.context].name);
  const auto one = acting[f.pick % acting.size()];
  const auto other = acting[f.pick / acting.size() % acting.size()];
  nlohmann::json j{{"kind", board_name_of(f.kind)}, {"target", one}, {"seed", 1 + f.pick}, {"durationMs", 1 + f.pick % 400}};
  switch (f.kind) {
    case fault_kind::inject_crash: j["rate"] = 0.5; break;
    case fault_kind::inject_throw: j["rate"] = 0.5, j["count"] = 3; break;  // fewer than kill a message
    case fault_kind::inject_slow: j["delayMaxMs"] = 30; break;
    case fault_kind::inject_hang: j["count"] = 2; break;
    case fault_kind::inject_full: j["count"] = 3; break;
    case fault_kind::inject_stall: j["target"] = showing[f.pick % showing.size()] + "/projector"; break;
    case fault_kind::inject_delay: j["delayMaxMs"] = 100; [[fallthrough]];
    default: j["target"] = one + "->" + other, j["rate"] = 0.5; break;
  }
  return j;
}

}  // namespace

bool trouble::inject(const fault& f) {
  auto& n = whom_.node();
  const auto wanted = board_fault(f, n.system());
  if (const auto added = n.node().add_fault(wanted); !added) throw std::logic_error(wanted.dump() + ": " + added.why().detail);
  return true;
}

std::string rest_lacks(testing::virtual_node& n) {
  if (!n.node().ready()) return "it is not ready";
  auto& s = n.shared();
  const auto now = n.disk()->read();
  if (const auto left = now->count(storage::table::outbox); left > 0) return std::to_string(left) + " messages in the outbox";
  if (const auto left = now->count(storage::table::timers); left > 0) return std::to_string(left) + " timers";
  if (s.compensations != 0) return std::to_string(s.compensations) + " compensations under way";
  if (s.in_flight != 0) return std::to_string(s.in_flight) + " requests in flight";
  for (const auto& c : n.system().contexts) {
    const auto& at = s.contexts[c.index];
    const auto in = [&](auto what) { return c.name + ": " + what; };
    if (!at.running) return in("not running");
    if (at.outbox != 0) return in("outbox figure " + std::to_string(at.outbox));
    if (at.mailbox != 0) return in("mailbox figure " + std::to_string(at.mailbox));
    if (at.lanes_closed != 0) return in("lanes closed " + std::to_string(at.lanes_closed));
    if (at.bulkhead.in_flight != 0) return in("asks in flight " + std::to_string(at.bulkhead.in_flight));
    if (at.bulkhead.queued != 0) return in("asks queued " + std::to_string(at.bulkhead.queued));
  }
  return {};
}

}  // namespace crema::sim
