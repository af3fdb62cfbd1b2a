#include "tests/sim/campaign.hpp"

#include <chrono>
#include <iomanip>
#include <map>
#include <stdexcept>

#include "tests/sim/shrink.hpp"

namespace crema::sim {

namespace {

using steady = std::chrono::steady_clock;

struct tally {
  std::uint64_t runs = 0, requests = 0, granted = 0, records = 0, faults = 0, steps = 0, lives = 0;
  void add(const run_result& r) {
    ++runs;
    requests += r.requests;
    granted += r.granted;
    records += r.records;
    faults += r.struck.size();
    steps += r.steps;
    lives += r.lives;
  }
};

void tell(std::ostream& out, const tally& all, double seconds) {
  out << all.runs << " runs, " << all.requests << " requests (" << all.granted << " changes granted), " << all.records << " records, "
      << all.faults << " faults, " << all.lives << " starts of a node: all is well (" << std::fixed << std::setprecision(1) << seconds
      << " s)\n";
}

// What a failing run is told with: why, with which faults, and how to see it again.
void tell_failure(std::ostream& out, const story& s, const campaign& c, std::uint64_t seed, const run_plan& plan, const run_result& r) {
  out << "seed " << seed << " of " << s.system << " fails:\n";
  for (const auto& text : r.found.all()) out << "  " << text << '\n';
  out << "faults: " << to_text(plan.faults) << '\n' << "again:  " << replay_command(s, seed, plan.faults, c.broken) << std::endl;
  const auto fewer = shrink(plan.faults, [&](const fault_list& some) {
    auto other = plan;
    other.faults = some;
    return !run(s, other).found.none();
  });
  if (fewer.size() < plan.faults.size()) out << "with fewer faults: " << replay_command(s, seed, fewer, c.broken) << std::endl;
}

std::string refs(const std::vector<storage::outbox_ref>& all) {
  std::string out;
  for (const auto& r : all) out += " " + std::to_string(r.id.sequence) + "-" + std::to_string(r.id.index);
  return out;
}

void tell_journal(std::ostream& out, const final_state& end) {
  for (const auto& r : end.journal) {
    out << r.at.ms % 100000000 << ' ' << r.sequence << ' ' << end.system.contexts[r.subject.context].name << '/' << r.subject.id << " v"
        << r.version << " request " << asked::number_of(r.trace.trace_id) << (r.compensating ? " compensating" : "")
        << (r.held ? " held" : "");
    for (const auto& e : r.events) out << ' ' << e.type().name;
    if (!r.consumed.empty()) out << "; consumes" << refs(r.consumed);
    if (!r.confirmed.empty()) out << "; confirms" << refs(r.confirmed);
    if (!r.messages.empty()) out << "; sends";
    for (const auto& m : r.messages) out << ' ' << m.payload.type().name << '>' << end.system.contexts[m.to.context].name << '/' << m.to.id;
    if (r.died) out << "; gives up " << r.died->message.payload.type().name;
    out << '\n';
  }
}

}  // namespace

story story_of(const campaign& c, std::uint64_t seed) {
  const auto stories = all_stories();
  if (c.system.empty()) return stories[seed % stories.size()];
  for (const auto& s : stories)
    if (s.system == c.system) return s;
  throw std::invalid_argument("there is no system '" + c.system + "'");
}

std::string replay_command(const story& s, std::uint64_t seed, const fault_list& faults, std::optional<canary> broken) {
  auto command = "crema-sim --system " + std::string(s.system) + " --replay " + std::to_string(seed) + " --faults " + to_text(faults);
  if (broken) command.append(" --canary ").append(name_of(*broken));
  return command;
}

std::optional<std::uint64_t> run_campaign(const campaign& c, std::ostream& out) {
  const auto began = steady::now();
  const auto over = [&] { return c.minutes == 0 || steady::now() - began >= std::chrono::minutes(c.minutes); };
  const auto seconds = [&] { return std::chrono::duration<double>(steady::now() - began).count(); };
  tally all;
  for (auto seed = c.first; seed <= c.last || !over(); ++seed) {
    const auto s = story_of(c, seed);
    const run_plan plan{seed, c.faults ? *c.faults : faults_of(seed), c.broken};
    auto shown = plan;
    if (c.journal) shown.show = [&](const final_state& end) { tell_journal(out, end); };
    auto r = run(s, shown);
    if (r.found.none() && c.twice_one_in > 0 && seed % c.twice_one_in == 0) {
      const auto again = run(s, plan).hash;
      r.found.expect(again == r.hash, "the same run came to another hash: ", again, " after ", r.hash);
    }
    all.add(r);
    if (c.verbose)
      out << s.system << " seed " << seed << ": " << r.requests << " requests, " << r.records << " records, hash " << std::hex << r.hash
          << std::dec << ", struck by " << to_text(r.struck) << std::endl;
    if (r.found.none()) continue;
    tell_failure(out, s, c, seed, plan, r);
    return seed;
  }
  tell(out, all, seconds());
  return std::nullopt;
}

}  // namespace crema::sim
