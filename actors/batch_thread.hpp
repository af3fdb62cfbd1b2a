// Threads that work off what others began: they may wait for a free core (docs/adr/0030).
#pragma once

#include <caf/thread_hook.hpp>

namespace crema::actors {

/// The calling thread does not interrupt the one that wakes it; its share of the processor stays the same. Where the system refuses
/// that, all goes on as it was.
void schedule_as_batch() noexcept;

/// Every thread of an actor system.
class batch_threads final : public caf::thread_hook {
 public:
  void init(caf::actor_system&) override {}
  void thread_started() override { schedule_as_batch(); }
  void thread_terminates() override {}
};

}  // namespace crema::actors
