#include "actors/supervisor.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <limits>

#include "actors/fault_keeper.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {
struct restart_children {
  std::vector<std::size_t> which;
};
constexpr milliseconds look_whether_ended_every{1};
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::restart_children)

namespace crema::actors {

supervisor::supervisor(caf::actor_config& cfg, services& node, std::string path) : base_actor(cfg), node_(node), path_(std::move(path)) {}

void supervisor::supervise(strategy how, std::vector<child> children) {
  children_ = std::move(children);
  std::vector<lifetime> lifetimes;
  for (const auto& c : children_) lifetimes.push_back(c.lives);
  const auto& s = node_.settings;
  const restart_policy isolated(std::numeric_limits<std::uint32_t>::max(), s.restart_period, s.backoff_min, s.backoff_max);
  strategy_.emplace(how, std::move(lifetimes), restart_policy(s), isolated);
  node_.board.show_failures(path_, {how});
  set_down_handler([this](caf::down_msg& m) { on_down(m); });
}

caf::message_handler supervisor::supervising() {
  return {[this](const restart_children& m) {
            const auto ends = [this](std::size_t i) { return children_[i].now != child::state::free; };
            if (std::any_of(m.which.begin(), m.which.end(), ends)) {
              delayed_send(this, look_whether_ended_every, m);
              return;
            }
            for (const auto i : m.which)
              if (!children_[i].handle && may_start(i)) start(i);
          },
          [this](faults_changed) {
            for (std::size_t i = 0; i < children_.size(); ++i) strike(i);
          }};
}

// Nobody is left to await them: they are killed, in reverse order of their start.
void supervisor::on_exit() {
  for (auto i = children_.size(); i-- > 0;) {
    let_go(i);
    if (children_[i].handle) anon_send_exit(children_[i].handle, caf::exit_reason::kill);
  }
  children_.clear();
}

void supervisor::start(std::size_t i) {
  auto& c = children_[i];
  c.handle = spawn_child(i);
  show(c, "running");
  strike(i);
}

void supervisor::stop(std::size_t i) {
  show(children_[i], "stopped");
  end(i, child::state::ends_to_stop);
}

void supervisor::end(std::size_t i, child::state why) {
  auto& c = children_[i];
  let_go(i);
  if (!c.handle) return;
  if (c.now != child::state::ends_to_stop && why == child::state::ends_to_stop) ++stopping_;
  c.now = why;
  anon_send_exit(c.handle, caf::exit_reason::user_shutdown);
}

void supervisor::show(const child& c, const std::string& state, milliseconds waits) {
  node_.board.show(path_ + c.name, {state, c.restarts, c.last_failure, std::string(name_of(c.lives)), waits.count()});
}

void supervisor::strike(std::size_t i) {
  if (!node_.faults.watching() || !children_[i].handle) return;
  if (node_.faults.at_child(fault_target(i), node_.time.steady_ms())) anon_send_exit(children_[i].handle, caf::exit_reason::kill);
}

void supervisor::on_down(const caf::down_msg& m) {
  if (node_.closing) return;
  const auto at =
      std::find_if(children_.begin(), children_.end(), [&](const child& c) { return c.handle && c.handle.address() == m.source; });
  if (at == children_.end()) return;
  const auto i = static_cast<std::size_t>(at - children_.begin());
  let_go(i);
  at->handle = nullptr;
  const auto was = std::exchange(at->now, child::state::free);
  if (was == child::state::free)
    on_failed(i, m.reason);
  else if (was == child::state::ends_to_stop && --stopping_ == 0)
    all_stopped();
}

ending supervisor::judge(std::size_t, const caf::error& reason) const {
  return !reason || reason == caf::exit_reason::normal ? ending::normal : ending::failure;
}

void supervisor::on_failed(std::size_t i, const caf::error& reason) {
  auto& c = children_[i];
  std::vector<bool> running;
  for (const auto& other : children_) running.push_back(static_cast<bool>(other.handle));
  const auto why = judge(i, reason);
  const auto plan = strategy_->on_end(i, why, running, node_.time.steady_ms(), node_.random.next());
  node_.board.show_failures(path_, {strategy_->how(), {strategy_->failures_ms().begin(), strategy_->failures_ms().end()}});
  c.last_failure = to_string(reason);
  if (plan.start.empty() && !plan.escalate) {  // it has ended for good, as its lifetime says
    show(c, "ended");
    return;
  }
  ++c.restarts;
  count_failure(i);
  show(c, "restarting", plan.wait);
  telemetry::log(telemetry::level::warn, "a supervised actor ended and is restarted",
                 {{"child", path_ + c.name}, {"reason", c.last_failure}, {"wait_ms", std::to_string(plan.wait.count())}});
  if (!plan.escalate) {
    carry_out(plan);
    return;
  }
  telemetry::log(telemetry::level::error, "too many restarts; the failure goes up the tree", {{"child", path_ + c.name}});
  escalate(i);
}

void supervisor::carry_out(const restart_plan& plan) {
  for (const auto i : plan.stop) {
    show(children_[i], "restarting", plan.wait);
    end(i, child::state::ends_to_restart);
  }
  delayed_send(this, plan.wait, restart_children{plan.start});
}

void supervisor::escalate(std::size_t) { quit(caf::exit_reason::unhandled_exception); }

}  // namespace crema::actors
