// The inside of a node, for node*.cpp and for tests that step a node by hand.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

#include "actors/node.hpp"
#include "actors/services.hpp"

namespace crema::actors {

/// Requests under way by their idempotency key: a second one with the same key waits for the first one's answer. So does another request
/// with the same key, before it is told so: what it is told rests on the first one.
class idempotency_desk {
 public:
  struct waiting {
    std::uint64_t fingerprint = 0;
    std::vector<answer_handler> also;
  };
  enum class entry : std::uint8_t { first, joined, other_request };
  entry enter(const idempotency_key& key, answer_handler& on_answer);
  /// False: a request with this key is under way, and nothing was entered.
  bool enter_alone(const idempotency_key& key);
  std::vector<answer_handler> leave(const idempotency_key& key);

 private:
  std::mutex mutex_;
  std::map<std::array<std::uint8_t, 16>, waiting> under_way_;
};

struct node::parts {
  parts(node_parts p, runtime_settings s);

  node_parts given;
  runtime_settings settings;
  fault_board faults;
  std::unique_ptr<clock> jumping;  // stands in for the given clock where faults are enabled
  std::unique_ptr<journal> log;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> actors;
  std::unique_ptr<services> shared;
  caf::actor root;
  idempotency_desk desk;
  std::atomic<bool> started{false}, stopped{false};
  std::atomic<bool> settled{false};  // half-finished chains of the last run are settled
  std::shared_ptr<std::atomic<bool>> alive = std::make_shared<std::atomic<bool>>(true);
  std::vector<std::thread> helpers;  // backups under way
  std::mutex helpers_mutex;
  std::stop_source backups_stop;
  std::set<std::uint64_t> letters_settled;  // in this run: two who settle one at the same moment settle it once
  std::mutex letters_mutex;
  int metrics_refresh = 0;

  void count_outstanding();
  void show_metrics();
  void give_up(const std::string& why);
  void prepare_faults();
  std::optional<command_answer> answered_before(const command_request& r) const;
  std::optional<rejection> overload(const command_request& r) const;
  void send(command_request r, answer_handler on_answer);
  void submit(delivery_ptr d, milliseconds time_limit, answer_handler on_answer);

  /// Why a dead letter must not be sent again; nothing: it may.
  std::optional<std::string> why_given_up(const storage::dead_letter& letter) const;
  void take_away(std::uint64_t id, const storage::dead_letter& letter, bool replay, std::function<void(std::optional<rejection>)> done);
  void replay_request(std::uint64_t id, const storage::dead_letter& letter, std::function<void(std::optional<rejection>)> done);
};

}  // namespace crema::actors
