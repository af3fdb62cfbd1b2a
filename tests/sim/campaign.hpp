// Many runs: which seeds of which systems, what is told of them, and what becomes of the first that fails.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "tests/sim/simulation.hpp"

namespace crema::sim {

struct campaign {
  std::string system;  ///< empty: the seeds take the systems in turn
  std::uint64_t first = 1, last = 1000;
  std::int64_t minutes = 0;          ///< > 0: goes on beyond `last` until they are over
  std::uint64_t twice_one_in = 10;   ///< so many runs are made twice, and must come to the same hash
  std::optional<fault_list> faults;  ///< instead of those that a seed draws
  std::optional<canary> broken;
  bool verbose = false;  ///< a line for each run
  bool journal = false;  ///< a line for each record of each run
};

/// Whose turn a seed is. Throws std::invalid_argument where there is no such system.
story story_of(const campaign& c, std::uint64_t seed);

/// The command that makes a run again.
std::string replay_command(const story& s, std::uint64_t seed, const fault_list& faults, std::optional<canary> broken);

/// The first seed that fails, with its findings, told to `out`; nothing: all is well.
std::optional<std::uint64_t> run_campaign(const campaign& c, std::ostream& out);

}  // namespace crema::sim
