// One run: a node in virtual time on a disk that fails, people who send requests, a schedule that picks who goes next, and faults, all
// from one seed. Everything happens on the caller's thread.
//
// Start here: run(). The same story, seed and faults give the same run to the byte; `hash` says so.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/canary.hpp"
#include "tests/sim/fault.hpp"
#include "tests/sim/findings.hpp"
#include "tests/sim/story.hpp"

namespace crema::sim {

struct run_plan {
  std::uint64_t seed = 1;
  fault_list faults;
  std::optional<canary> broken;
  /// Called with the disk as the run left it, before it is checked: for tests that tamper with it.
  std::function<void(storage::store&)> tamper = {};
  /// Shown the state in which the run ended.
  std::function<void(const final_state&)> show = {};
};

struct run_result {
  findings found;
  std::uint64_t hash = 0;  ///< of every journal record, every request and every answer
  std::uint64_t requests = 0, granted = 0, records = 0, steps = 0, lives = 0;
  std::vector<fault> struck;
};

/// The faults that a seed draws for itself.
fault_list faults_of(std::uint64_t seed);
run_result run(const story& s, const run_plan& plan);

}  // namespace crema::sim
