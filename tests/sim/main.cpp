// crema-sim: the simulator's command line. Exit codes: 0 all is well, 1 a run fails, 2 usage.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>

#include "tests/sim/campaign.hpp"

namespace {

using namespace crema::sim;

constexpr auto explanation = R"(Runs whole nodes in virtual time: random people, a random schedule, random faults, each run from one seed.
A seed that fails is printed with what was found, the command that makes the run again, and the faults that it needs.

Examples:
  crema-sim                                       1,000 seeds over all systems
  crema-sim --system hotel --seeds 200            the first 200 of one system
  crema-sim --seeds 5000-6000 --verbose           a line for each run
  crema-sim --minutes 60                          goes on for an hour
  crema-sim --system hotel --replay 17            one seed, with the faults that it draws, twice
  crema-sim --system hotel --replay 17 --faults crash@300:1,kill-entity@512:7
  crema-sim --canary consume-twice                breaks a rule on purpose: it must be found

A fault is KIND@STEP:PICK: what, at which step of the schedule, and a number that chooses whom or for how long.
Kinds: )";

std::string footer() {
  std::string all = explanation;
  for (const auto kind : all_fault_kinds()) all.append(kind == all_fault_kinds().front() ? "" : ", ").append(name_of(kind));
  return all + ".";
}

std::uint64_t number_in(const std::string& text) {
  std::uint64_t n = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), n).ptr != text.data() + text.size() || text.empty() || n == 0)
    throw std::invalid_argument("--seeds: '" + text + "' is no number of seeds (200) and no range of them (7-90)");
  return n;
}

void take_seeds(campaign& c, const std::string& text) {
  const auto dash = text.find('-');
  c.first = dash == std::string::npos ? 1 : number_in(text.substr(0, dash));
  c.last = number_in(dash == std::string::npos ? text : text.substr(dash + 1));
  if (c.last < c.first) throw std::invalid_argument("--seeds: the range " + text + " is empty");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Simulates nodes of Crema under faults.", "crema-sim");
  campaign c;
  std::string seeds, faults, broken;
  std::uint64_t replay = 0;
  bool log = false;
  std::vector<std::string> systems;
  for (const auto& s : all_stories()) systems.emplace_back(s.system);
  app.add_option("--system", c.system, "One system; without it the seeds take them in turn")->check(CLI::IsMember(systems));
  app.add_option("--seeds", seeds, "How many (N), or which (A-B); 1000 by default");
  app.add_option("--minutes", c.minutes, "Go on with further seeds until so many minutes are over")->check(CLI::Range(0, 100000));
  app.add_option("--replay", replay, "One seed, run twice")->excludes("--seeds", "--minutes");
  app.add_option("--faults", faults, "These faults instead of those that the seed draws; 'none' for none");
  app.add_option("--canary", broken, "Break a rule on purpose")->check(CLI::IsMember(canary_names()));
  app.add_flag("--verbose", c.verbose, "A line for each run");
  app.add_flag("--journal", c.journal, "A line for each record of each run");
  app.add_flag("--log", log, "What the nodes log, too (standard error)");
  app.footer(footer());
  CLI11_PARSE(app, argc, argv);
  try {
    if (!seeds.empty()) take_seeds(c, seeds);
    if (!faults.empty()) c.faults = parse_faults(faults);
    if (!broken.empty()) c.broken = find_canary(broken);
    if (replay > 0) {
      c.first = c.last = replay;
      c.twice_one_in = 1;
      c.verbose = true;
    }
    if (!log && std::freopen("/dev/null", "w", stderr) == nullptr) throw std::runtime_error("the log cannot be silenced");
    return run_campaign(c, std::cout) ? 1 : 0;
  } catch (const std::invalid_argument& e) {
    std::cout << "crema-sim: " << e.what() << '\n';
    return 2;
  }
}
