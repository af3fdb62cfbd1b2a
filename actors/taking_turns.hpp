// How the node's actors share its threads: in turns, and where nobody else waits, a worker goes on with whom it has just woken
// (docs/adr/0027).
//
// Problem: one message leads to the next, aggregate by aggregate. To wake another thread for each step takes longer than the step. But
// where many such chains are under way, to follow one to its end means to run all of the node's code for each. Solution: the first
// actor that a running actor wakes waits in a place of the worker's own, all others and all from outside in one queue. While that is
// empty, the worker goes on with its own; else its own goes to the queue's end. So chains that began together go on side by side, each
// step of all of them while its code and what it reads is in the processor's cache.
//
// A policy of CAF's scheduler: the methods are called by its coordinator and workers.
#pragma once

#include <caf/actor_system_config.hpp>
#include <caf/logger.hpp>
#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>

// Before each turn of an actor, CAF's worker tells CAF's log whose turn it is, for which it asks an actor's dynamic type: a fifteenth of
// all that a worker does. That log is compiled out of Debian's CAF, and out of what is compiled here. Before worker.hpp is read.
#undef CAF_PUSH_AID_FROM_PTR
#define CAF_PUSH_AID_FROM_PTR(actor) static_cast<void>(0)

#include <caf/scheduler/coordinator.hpp>
#include <caf/thread_hook.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "storage/batch_thread.hpp"

namespace crema::actors {

class taking_turns : public caf::policy::unprofiled {
 public:
  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    worker_data(const worker_data&) {}  // CAF makes each worker's from a first one that nothing has happened to
    worker_data& operator=(const worker_data&) = delete;
    caf::resumable* next = nullptr;
    // Its own: of one for all, whoever calls a worker waits until those called before have woken.
    std::condition_variable wakes;
    bool called = false;
  };
  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    std::mutex mutex;
    std::deque<caf::resumable*> queue;
    std::vector<worker_data*> sleepers;  // not called yet; the last to fall asleep is called first
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    auto& all = d(self);
    worker_data* sleeper = nullptr;
    {
      const std::lock_guard lock(all.mutex);
      all.queue.push_back(job);
      if (!all.sleepers.empty()) {
        sleeper = all.sleepers.back();
        all.sleepers.pop_back();
        sleeper->called = true;
      }
    }
    if (sleeper != nullptr) sleeper->wakes.notify_one();
  }
  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }
  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    auto& own = d(self);
    if (own.next == nullptr)
      own.next = job;
    else
      central_enqueue(self->parent(), job);
  }
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    // Whom it has woken does not wait for its next hundred messages.
    if (auto* const woken = std::exchange(d(self).next, nullptr)) central_enqueue(self->parent(), woken);
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    auto& own = d(self);
    auto& all = d(self->parent());
    std::unique_lock lock(all.mutex);
    if (own.next != nullptr && all.queue.empty()) return std::exchange(own.next, nullptr);
    if (own.next != nullptr) all.queue.push_back(std::exchange(own.next, nullptr));
    while (all.queue.empty()) {
      own.called = false;
      all.sleepers.push_back(&own);
      own.wakes.wait(lock, [&own] { return own.called; });
    }
    auto* const job = all.queue.front();
    all.queue.pop_front();
    return job;
  }

  template <class Worker, class Use>
  void foreach_resumable(Worker* self, Use use) {
    if (auto* const job = std::exchange(d(self).next, nullptr)) use(job);
  }
  template <class Coordinator, class Use>
  void foreach_central_resumable(Coordinator* self, Use use) {
    // Not under the lock: what an actor leaves undone at its end may wake another one.
    auto& all = d(self);
    const auto take = [&all] {
      const std::lock_guard lock(all.mutex);
      return std::exchange(all.queue, {});
    };
    for (auto jobs = take(); !jobs.empty(); jobs = take())
      for (auto* const job : jobs) use(job);
  }
};

using scheduler = caf::scheduler::coordinator<taking_turns>;

class batch_threads final : public caf::thread_hook {
 public:
  void init(caf::actor_system&) override {}
  void thread_started() override { storage::schedule_as_batch(); }
  void thread_terminates() override {}
};

/// An actor system with so many workers that share their work so. After 100 messages at one go an actor takes its turn in the queue:
/// whoever it has woken does not wait for it to run dry.
inline void share_in_turns(caf::actor_system_config& config, std::size_t workers) {
  config.load<scheduler>();
  config.add_thread_hook<batch_threads>();
  config.set("scheduler.max-threads", workers);
  config.set("scheduler.max-throughput", std::size_t{100});
}

}  // namespace crema::actors
