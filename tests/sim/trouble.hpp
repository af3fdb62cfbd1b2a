// Lets the faults of a run strike when their step has come, and lets those that last end again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "tests/sim/disk.hpp"
#include "tests/sim/fault.hpp"
#include "tests/support/virtual_node.hpp"

namespace crema::sim {

/// Whom faults strike.
class patient {
 public:
  virtual ~patient() = default;
  virtual testing::virtual_node& node() = 0;
  virtual simulated_disk& disk() = 0;
  virtual void die() = 0;  ///< the process; it starts again by itself
  virtual void hold_disk(std::chrono::milliseconds d) = 0;
};

class trouble {
 public:
  trouble(fault_list faults, patient& whom) : faults_(std::move(faults)), whom_(whom) {}

  void strike(std::uint64_t step);
  /// Nothing strikes any more, and what lasts ends now.
  void end();
  /// Those that met somebody.
  const fault_list& struck() const noexcept { return struck_; }

 private:
  struct lasting {
    std::uint64_t ends = 0;  // step
    std::function<void()> stop;
  };
  /// False: there is nobody whom it could strike at this moment; it waits.
  bool strikes(const fault& f);
  bool kill(std::string_view actor, std::uint64_t pick);
  bool stop_context(const fault& f);
  bool inject(const fault& f);
  void last(const fault& f, std::function<void()> stop);

  fault_list faults_;
  patient& whom_;
  std::size_t next_ = 0;  // in faults_
  fault_list waiting_, struck_;
  std::vector<lasting> lasting_;
};

/// What keeps the node from being at rest, for people; empty: it is.
std::string rest_lacks(testing::virtual_node& n);

}  // namespace crema::sim
