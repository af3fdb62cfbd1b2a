#include "tests/sim/simulation.hpp"

#include <xxhash.h>

#include <algorithm>

#include "storage/faulty/faulty_store.hpp"
#include "storage/log.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/sim/checks.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/people.hpp"
#include "tests/sim/trouble.hpp"
#include "tests/support/virtual_node.hpp"

namespace crema::sim {

using std::chrono::milliseconds;
using testing::chance;

namespace {

constexpr std::uint64_t steps = 1500;               // of the schedule, while people have wishes
constexpr milliseconds rest_limit{20 * 60 * 1000};  // of virtual time; the longest timer of any system takes ten minutes
constexpr std::uint64_t rest_steps_max = 500000;    // who does not come to rest may also stand still in time

// Streams of chance that do not disturb one another: a fault more or less leaves the people's wishes as they were.
enum class stream : std::uint64_t { composition = 1, faults, people, schedule, disk, transport };
std::uint64_t seed_of(std::uint64_t seed, stream s) { return seed * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(s); }

// How a run is furnished: some seeds have tiny limits, some write one record a commit, some put everybody to sleep.
struct furniture {
  actors::runtime_settings node;
  std::size_t deferred_entries_max = 0;
  std::uint64_t ask_one_in = 1, commit_one_in = 1, time_one_in = 1, hear_one_in = 1;
};

furniture furnish(const story& s, std::uint64_t seed, const fault_list& faults) {
  chance random(seed_of(seed, stream::composition));
  furniture f;
  auto& n = f.node;
  n.seed = seed;
  n.faults_enabled = std::any_of(faults.begin(), faults.end(), [](const auto& one) { return !board_name_of(one.kind).empty(); });
  n.poison_attempts = 100;  // a message that is given up is a finding
  n.partitions = static_cast<std::uint16_t>(1U << random.below(3));
  n.batch_items_max = random.one_in(3) ? 1 : 4096;
  n.idle = milliseconds(random.one_in(2) ? 20 : 30000);
  n.awake_max = random.one_in(3) ? 4 : 10000;
  n.mailbox_max = random.one_in(4) ? 2 : 10000;
  n.restart_intensity = random.one_in(5) ? 10 : 1000;
  n.backoff_max = milliseconds(50);
  n.ask_time_limit = milliseconds(random.one_in(3) ? 30 : 2000);
  n.notify_concurrent_max = random.one_in(2) ? 1 : 64;
  n.notify_retry_max = milliseconds(500);
  const auto system = s.declare();
  for (const auto& setting : system.settings) n.system[setting.name] = setting.default_value;
  s.furnish(n.system, random);
  for (const auto& c : system.contexts) {
    auto& own = n.contexts[c.name];
    if (random.one_in(4)) own.slow_max = milliseconds(random.between(1, 20));
    if (!random.one_in(4)) continue;
    own.bulkhead.concurrent_max = static_cast<std::uint32_t>(random.between(1, 3));
    own.bulkhead.queued_max = static_cast<std::uint32_t>(random.between(0, 3));
    own.bulkhead.call_timeout = milliseconds(random.between(5, 200));
    own.bulkhead.open_time = milliseconds(random.between(5, 500));
  }
  f.deferred_entries_max = static_cast<std::size_t>(random.one_in(2) ? random.below(20) : 100000);
  f.ask_one_in = 4 + random.below(30);
  f.commit_one_in = 2 + random.below(30);
  f.time_one_in = 4 + random.below(60);
  f.hear_one_in = 1 + random.below(10);
  return f;
}

class simulation final : public patient {
 public:
  simulation(const story& s, const run_plan& plan)
      : story_(s),
        plan_(plan),
        furniture_(furnish(s, plan.seed, plan.faults)),
        disk_(seed_of(plan.seed, stream::disk), furniture_.deferred_entries_max, plan.broken),
        node_(declare(), furniture_.node, disk_.mount()),
        people_(s, node_.system(), seed_of(plan.seed, stream::people), !plan.faults.empty(), out_.found),
        trouble_(plan.faults, *this),
        schedule_(seed_of(plan.seed, stream::schedule)) {}

  run_result go() {
    be_born();
    for (; step_ < steps; ++step_) {
      trouble_.strike(step_);
      if (schedule_.one_in(furniture_.time_one_in)) node_.pass_time(some_time());
      take_step(some_time());
    }
    trouble_.end();
    people_.wish_nothing_more();
    come_to_rest();
    if (out_.found.none()) {  // still all true after a recovery
      die();
      be_born();
      come_to_rest();
    }
    look();
    return std::move(out_);
  }

  // ---- patient: what trouble does to a node
  testing::virtual_node& node() override { return node_; }
  simulated_disk& disk() override { return disk_; }
  void die() override {
    people_.reach(nullptr);
    transport_.reset();
    node_.stop();
    disk_.crash();
    born_again_at_ms_ = now_ms() + 5;
  }
  void hold_disk(milliseconds d) override { disk_ready_at_ms_ = now_ms() + d.count(); }

 private:
  system_declaration declare() const {
    auto system = story_.declare();
    if (plan_.broken) break_rules(system, *plan_.broken);
    return system;
  }
  std::int64_t now_ms() { return node_.clock().steady_ms(); }

  // A process starts, and may find that its disk is still broken.
  void be_born() {
    try {
      ++out_.lives;
      node_.crash_onto(disk_.mount());
    } catch (const storage::storage_error&) {
      die();
      return;
    }
    transport_ = std::make_unique<transport>(node_.node(), node_.clock(), seed_of(plan_.seed, stream::transport) + out_.lives);
    people_.reach(transport_.get());
  }

  /// `pause` is what passes where nobody has anything to do.
  void take_step(milliseconds pause) {
    ++out_.steps;
    if (!node_.up()) {
      node_.pass_time(milliseconds(1));
      if (now_ms() >= born_again_at_ms_) be_born();
      return;
    }
    people_.lose_patience(now_ms());
    if (schedule_.one_in(furniture_.ask_one_in)) people_.ask(now_ms());
    if (schedule_.one_in(furniture_.hear_one_in)) people_.hear(now_ms());
    if (schedule_.one_in(furniture_.commit_one_in) || !run_somebody()) commit_or_wait(pause);
    if (!node_.failed_with.empty()) die();
  }
  bool run_somebody() {
    auto& jobs = node_.coordinator().jobs;
    if (jobs.empty()) return false;
    std::swap(jobs.front(), jobs[schedule_.below(jobs.size())]);
    node_.coordinator().run_once();
    return true;
  }
  void commit_or_wait(milliseconds pause) {
    if (now_ms() >= disk_ready_at_ms_ && node_.commit()) return;
    if (node_.coordinator().jobs.empty()) node_.pass_time(pause);
  }
  milliseconds some_time() { return milliseconds(1 + schedule_.below(5)); }

  // ---- the end

  bool at_rest() {
    if (!node_.up() || !people_.content() || !node_.coordinator().jobs.empty() || node_.shared().log.depth() > 0) return false;
    return rest_lacks(node_).empty();
  }
  bool somebody_works() { return !node_.up() || !node_.coordinator().jobs.empty() || node_.shared().log.depth() > 0 || !people_.content(); }
  // Faults have ceased: within a bound of virtual time nothing is left to do. Pauses grow while there are only timers to wait for.
  void come_to_rest() {
    constexpr milliseconds shortest{1}, longest{30000};
    const auto limit_ms = now_ms() + rest_limit.count();
    const auto steps_limit = out_.steps + rest_steps_max;
    for (auto pause = shortest; !at_rest() && now_ms() < limit_ms && out_.steps < steps_limit;) {
      pause = somebody_works() ? shortest : std::min(pause * 2, longest);
      take_step(pause);
    }
    if (at_rest()) return;
    out_.found.add("the node does not come to rest: ", node_.up() ? rest_lacks(node_) : "it is down");
    if (!people_.content()) out_.found.add("somebody still waits");
  }

  void look() {
    out_.requests = people_.requests().size();
    out_.struck = trouble_.struck();
    for (const auto& a : people_.requests()) out_.granted += a.granted ? 1 : 0;
    if (!node_.up()) return;
    if (plan_.tamper) plan_.tamper(*node_.disk());
    const final_state end{
        node_.system(),     furniture_.node.system, node_.node(), *node_.disk(), read_journal(*node_.disk(), node_.system()),
        people_.requests(), node_.sink->delivered};
    if (plan_.show) plan_.show(end);
    out_.records = end.journal.size();
    out_.hash = hash_of(end);
    check_exchanges(people_.exchanges(), out_.found);
    check_everything(end, out_.found);
    story_.check(end, out_.found);
  }
  std::uint64_t hash_of(const final_state& end) const {
    auto hash = XXH3_64bits(people_.transcript().data(), people_.transcript().size());
    for (const auto& r : end.journal) {
      const auto body = storage::encode_body(r);
      hash = XXH3_64bits_withSeed(body.data(), body.size(), hash ^ r.sequence);
    }
    return hash;
  }

  const story& story_;
  const run_plan& plan_;
  run_result out_;
  const furniture furniture_;
  simulated_disk disk_;
  testing::virtual_node node_;
  people people_;
  trouble trouble_;
  chance schedule_;
  std::unique_ptr<transport> transport_;
  std::uint64_t step_ = 0;
  std::int64_t born_again_at_ms_ = 0, disk_ready_at_ms_ = 0;
};

}  // namespace

fault_list faults_of(std::uint64_t seed) {
  chance random(seed_of(seed, stream::faults));
  return draw_faults(random, steps);
}

run_result run(const story& s, const run_plan& plan) { return simulation(s, plan).go(); }

}  // namespace crema::sim
