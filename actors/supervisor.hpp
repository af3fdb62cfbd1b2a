// What the supervisors of the tree have in common: they start their children in order, restart them by their strategy with a back-off,
// end them in reverse order, show them on the board and let a failure go up when there were too many.
//
// A supervisor says what its children are and how one is started. Owns no business data: losing it loses nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include "actors/base_actor.hpp"

#include "actors/services.hpp"
#include "actors/supervision.hpp"

namespace crema::actors {

class supervisor : public base_actor {
 public:
  /// `path`: of its children on the board: "" of the root, "payment/" of a context.
  supervisor(caf::actor_config& cfg, services& node, std::string path);

  void on_exit() override;

 protected:
  struct child {
    enum class state : std::uint8_t { free, ends_to_restart, ends_to_stop };
    std::string name;
    lifetime lives = lifetime::permanent;
    caf::actor handle = {};
    std::uint64_t restarts = 0;
    std::string last_failure = {};
    state now = state::free;
  };

  /// Once, before the first start.
  void supervise(strategy how, std::vector<child> children);
  /// Handlers that every supervisor has, behind its own.
  caf::message_handler supervising();
  /// Where it is not running.
  void start(std::size_t i);
  /// Asks it to end; all_stopped() is called when the last of those has.
  void stop(std::size_t i);
  bool is_stopping() const noexcept { return stopping_ > 0; }
  const std::vector<child>& children() const noexcept { return children_; }
  /// An injected crash kills whom it names now, and again whenever it runs, as often as it may.
  void strike(std::size_t i);
  void show(const child& c, const std::string& state, milliseconds waits = milliseconds(0));

  virtual caf::actor spawn_child(std::size_t i) = 0;
  /// It takes no messages any more: about to be ended, or ended.
  virtual void let_go(std::size_t) {}
  /// When the back-off of a failed one is over.
  virtual bool may_start(std::size_t) const { return true; }
  virtual ending judge(std::size_t i, const caf::error& reason) const;
  virtual void count_failure(std::size_t) {}
  virtual void all_stopped() {}
  /// There were too many failures; `i` was the last.
  virtual void escalate(std::size_t i);
  /// Under which name an injected crash finds it.
  virtual std::string fault_target(std::size_t i) const { return path_ + children_[i].name; }

  services& node_;

 private:
  void on_down(const caf::down_msg& m);
  void on_failed(std::size_t i, const caf::error& reason);
  void carry_out(const restart_plan& plan);
  void end(std::size_t i, child::state why);

  const std::string path_;
  std::vector<child> children_;  // in the order of their start
  std::optional<restart_strategy> strategy_;
  std::size_t stopping_ = 0;
};

}  // namespace crema::actors
