// What every actor of Crema derives from.
//
// CAF itself is not built for the thread sanitizer, which therefore cannot see that a mailbox hands memory over from one thread to
// the next and would report every message. Under the sanitizer, this class tells it: whatever was done before an enqueue is seen
// by the actor when it runs, and each run sees the one before. In other builds it is caf::event_based_actor and nothing else.
#pragma once

#include <caf/event_based_actor.hpp>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace crema::actors {

#if defined(__SANITIZE_THREAD__)

class base_actor : public caf::event_based_actor {
 public:
  using caf::event_based_actor::enqueue;
  using caf::event_based_actor::event_based_actor;

  void launch(caf::execution_unit* host, bool lazy, bool hide) override {
    __tsan_release(this);  // what its creator wrote
    caf::event_based_actor::launch(host, lazy, hide);
  }
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* host) override {
    __tsan_release(this);
    caf::event_based_actor::enqueue(std::move(element), host);
  }
  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    __tsan_acquire(this);  // it may have come while this run was under way
    const auto result = caf::event_based_actor::consume(element);
    __tsan_release(this);  // not only at the run's end: once the mailbox is empty, another thread may run it before this one is back
    return result;
  }
  resume_result resume(caf::execution_unit* host, size_t max_throughput) override {
    __tsan_acquire(this);
    const auto result = caf::event_based_actor::resume(host, max_throughput);
    __tsan_release(this);
    return result;
  }
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    __tsan_release(this);  // what it wrote in on_exit
    return caf::event_based_actor::cleanup(std::move(reason), host);
  }
  void on_destroy() override {
    __tsan_acquire(this);  // by whoever drops the last handle
    caf::event_based_actor::on_destroy();
  }
};

#else

using base_actor = caf::event_based_actor;

#endif

}  // namespace crema::actors
