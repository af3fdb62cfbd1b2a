// Faults that somebody asked for, and the board that decides when one strikes. Start here; one example a kind is in docs/faults.md.
//
// A fault names a target, a kind, a rate or count, a duration and a seed. The few places where one can strike ask the board; while no
// fault is on it, a question costs one atomic load. Time comes in with each question and chance from the fault's own seed, so that a
// run in virtual time repeats exactly. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/clock.hpp"
#include "behaviors/core/declaration.hpp"
#include "behaviors/core/result.hpp"

namespace crema::actors {

enum class fault_kind : std::uint8_t {
  crash,    ///< the actor ends in the middle of a message (aggregates), or is killed whenever it runs (supervised actors)
  throws,   ///< the handler throws: counts as an attempt of the message
  slow,     ///< the handler, or the commit, takes longer
  hang,     ///< the handler does not come back while the fault lasts
  drop,     ///< lost on its way: a durable message is sent again, an ask times out
  delay,    ///< on its way for longer
  repeat,   ///< comes twice
  reorder,  ///< overtaken by the next on the same link
  full,     ///< the mailbox refuses callers, or the disk is full
  stall,    ///< the projector stands still while the fault lasts
  fail,     ///< a commit fails
  torn,     ///< the process dies in the middle of a commit
  jump,     ///< the wall clock is off by so much while the fault lasts
  kill,     ///< the process is killed
  zombie    ///< liveness fails while everything runs
};
inline constexpr std::size_t fault_kind_count = 15;
std::string_view name_of(fault_kind k) noexcept;

struct fault_target {
  enum class scope : std::uint8_t { aggregate, context, child, link, journal, node };
  scope is = scope::node;
  std::uint16_t context = 0;  ///< link: the receiver
  std::uint16_t from = 0;     ///< link: the sender
  std::uint64_t id = 0;       ///< aggregate
  std::string child = {};     ///< "payment/partition-3", "payment/supervisor", "timers"
};
/// `payment`, `payment/17`, `payment/partition-3`, `payment/supervisor`, `order->payment`, `timers`, `journal`, `node`.
result<fault_target> parse_target(std::string_view text, const system_declaration& system, std::uint16_t partitions);

/// What a caller may say of a fault. 0 and "" mean: not said.
struct fault_request {
  static constexpr std::string_view type_name = "fault";
  std::string target{};
  fault_kind kind = fault_kind::slow;
  decimal rate{1};
  std::int64_t count = 0;
  std::int64_t duration_ms = 0;
  std::int64_t delay_min_ms = 0, delay_max_ms = 0;
  std::int64_t by_ms = 0;
  std::int64_t seed = 0;
  std::string note{};
  static std::vector<field_spec> fields();
};

struct fault {
  std::uint64_t id = 0;  ///< dealt by the board: 1, 2, 3 …
  fault_request asked;
  fault_target target;
  std::int64_t added_ms = 0;
  std::uint64_t fired = 0;
  bool over = false;  ///< its count is used up or its time has passed

  /// 0: it lasts until it is removed.
  std::int64_t ends_ms() const noexcept { return asked.duration_ms == 0 ? 0 : added_ms + asked.duration_ms; }
  bool lives(std::int64_t now_ms) const noexcept { return !over && (ends_ms() == 0 || now_ms < ends_ms()); }
};

/// Checks one field against the others: what the kind strikes, and what it needs. `random` stands in for a seed that was not said.
result<fault> make_fault(fault_request asked, const system_declaration& system, std::uint16_t partitions, std::uint64_t random);
result<fault> fault_from_json(const nlohmann::json& fields, const system_declaration& system, std::uint16_t partitions,
                              std::uint64_t random);
nlohmann::json to_json(const fault& f);

/// A fault has struck: what is to happen now.
struct strike {
  std::uint64_t fault = 0;
  fault_kind kind = fault_kind::slow;
  std::int64_t delay_ms = 0;
};

class fault_board {
 public:
  /// Told of each strike, on the thread that asked; `worth_a_line` at most once a second and fault.
  using observer = std::function<void(const fault& f, bool worth_a_line)>;
  void on_strike(observer tell);

  /// The fault's id. Kinds that are a state of the node (jump, zombie, kill) strike at once.
  std::uint64_t add(fault f, std::int64_t now_ms);
  bool remove(std::uint64_t id);
  std::size_t clear();
  /// Oldest first, with those that are over until they are removed (the newest hundred).
  std::vector<fault> all(std::int64_t now_ms);

  /// When the next fault's time passes; nothing where none has an end.
  std::optional<std::int64_t> next_end_ms() const;
  /// Lets go of what has ended by its time. Without it the answers are the same, but questions go on being asked.
  void expire(std::int64_t now_ms);

  /// Whether any question is worth asking.
  bool watching() const noexcept { return watched_.load(std::memory_order_relaxed) != 0; }
  /// Whether deliveries between contexts take the detour: a link has a fault, or something on the detour must not be overtaken.
  bool watching_links() const noexcept { return links_.load(std::memory_order_acquire) != 0; }
  /// While it lives, deliveries take the detour.
  std::shared_ptr<void> keep_watching_links();

  // ---- the questions: where several faults strike the same occasion, the one of the lowest rate does
  std::optional<strike> at_handler(std::uint16_t context, std::uint64_t id, std::int64_t now_ms);
  std::optional<strike> at_mailbox(std::uint16_t context, std::uint64_t id, std::int64_t now_ms);
  std::optional<strike> at_link(std::uint16_t from, std::uint16_t to, std::int64_t now_ms);
  std::optional<strike> at_child(std::string_view path, std::int64_t now_ms);
  std::optional<strike> at_projector(std::uint16_t context, std::int64_t now_ms);
  std::optional<strike> at_commit(std::int64_t now_ms);
  /// Whether what this fault began (a hanging handler, a stalled projector) goes on.
  bool lasts(std::uint64_t id, std::int64_t now_ms);
  std::int64_t clock_is_off_by_ms(std::int64_t now_ms);
  bool zombie(std::int64_t now_ms);

 private:
  struct entry {
    fault of;
    random_source chance;
    std::optional<std::int64_t> logged_ms = {};
  };
  using entries = std::vector<std::unique_ptr<entry>>;  // random_source does not move

  template <class Match>
  std::optional<strike> ask(std::int64_t now_ms, Match strikes_here);
  static bool hits(entry& e);
  bool fire(entry& e, std::int64_t now_ms);
  void recount(std::int64_t now_ms);
  void watch(std::int32_t all, std::int32_t links) noexcept;

  mutable std::mutex mutex_;
  entries entries_;
  std::uint64_t last_id_ = 0;
  std::int32_t living_ = 0, living_links_ = 0;  // of entries_, as counted last
  observer tell_;
  std::atomic<std::int32_t> watched_{0}, links_{0};  // living faults, and what is on the detour
};

/// A node's clock while faults are enabled: the wall clock jumps with the board, the steady one never does.
class jumping_clock final : public clock {
 public:
  jumping_clock(const clock& real, fault_board& faults) : real_(real), faults_(faults) {}
  timestamp wall() const noexcept override {
    auto t = real_.wall();
    if (faults_.watching()) t.ms += faults_.clock_is_off_by_ms(real_.steady_ms());
    return t;
  }
  std::int64_t steady_us() const noexcept override { return real_.steady_us(); }

 private:
  const clock& real_;
  fault_board& faults_;
};

}  // namespace crema::actors

namespace crema {
template <>
inline constexpr std::array literals_of<actors::fault_kind>{
    std::string_view("crash"), std::string_view("throw"), std::string_view("slow"),   std::string_view("hang"),
    std::string_view("drop"),  std::string_view("delay"), std::string_view("repeat"), std::string_view("reorder"),
    std::string_view("full"),  std::string_view("stall"), std::string_view("fail"),   std::string_view("torn"),
    std::string_view("jump"),  std::string_view("kill"),  std::string_view("zombie")};
}
