#include "actors/taking_turns.hpp"

#include <sched.h>

#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>
#include <mutex>
#include <string>
#include <thread>

using crema::actors::share_in_turns;

namespace {

struct config : caf::actor_system_config {
  explicit config(std::size_t workers) { share_in_turns(*this, workers); }
};

struct notes {
  std::mutex mutex;
  std::string text;
  void add(char c) {
    const std::lock_guard lock(mutex);
    text.push_back(c);
  }
};

caf::behavior noting(caf::event_based_actor*, notes* book, char name) {
  return {[book, name](int) { book->add(name); }};
}

// Wakes a, b and c in this order; before that it fills the queue with `queued`, from which a worker would go on.
caf::behavior waking(caf::event_based_actor* self, notes* book, caf::actor queued, std::vector<caf::actor> woken) {
  return {[=](int) {
    caf::anon_send(queued, 0);
    for (const auto& w : woken) self->send(w, 0);
    book->add('w');
  }};
}

// Sends the ball back until both have had it `hops` times or the bystander has been heard.
caf::behavior player(caf::event_based_actor* self, std::atomic<bool>* heard, std::atomic<int>* hops) {
  return {[=](const caf::actor& partner) {
    if (*heard || ++*hops > 10'000'000) return;
    self->send(partner, caf::actor_cast<caf::actor>(self));
  }};
}

}  // namespace

TEST_CASE(
    "taking turns: given one worker and others that wait, when an actor wakes three, then those come first, and the first of the three is "
    "last") {
  notes book;
  config settings(1);
  {
    caf::actor_system all(settings);
    const auto queued = all.spawn(noting, &book, 'q');
    const std::vector woken{all.spawn(noting, &book, 'a'), all.spawn(noting, &book, 'b'), all.spawn(noting, &book, 'c')};
    caf::anon_send(all.spawn(waking, &book, queued, woken), 0);
    all.await_actors_before_shutdown(true);
  }
  CHECK(book.text == "wqbca");
}

TEST_CASE("taking turns: given two workers and nobody who waits, when an actor wakes another, then that one goes on with its thread") {
  std::thread::id first, second;
  config settings(2);
  {
    caf::actor_system all(settings);
    const auto woken = all.spawn([&second]() -> caf::behavior { return {[&second](int) { second = std::this_thread::get_id(); }}; });
    const auto waker = all.spawn([&first, woken](caf::event_based_actor* self) -> caf::behavior {
      return {[&first, woken, self](int) {
        first = std::this_thread::get_id();
        self->send(woken, 0);
      }};
    });
    caf::anon_send(waker, 0);
  }
  CHECK(first != std::thread::id());
  CHECK(first == second);
}

TEST_CASE(
    "taking turns: given one worker and two actors that wake each other for ever, when a third gets a message, then it has its turn") {
  std::atomic<bool> heard = false;
  std::atomic<int> hops = 0;
  config settings(1);
  {
    caf::actor_system all(settings);
    const auto one = all.spawn(player, &heard, &hops), other = all.spawn(player, &heard, &hops);
    caf::anon_send(one, other);
    const auto bystander = all.spawn([&heard]() -> caf::behavior { return {[&heard](int) { heard = true; }}; });
    caf::anon_send(bystander, 0);
  }
  CHECK(heard);
  CHECK(hops < 10'000'000);
}

TEST_CASE("taking turns: given one worker and an actor that never runs dry, when it wakes another, then that one has its turn") {
  std::atomic<bool> heard = false;
  std::atomic<int> rounds = 0;
  config settings(1);
  {
    caf::actor_system all(settings);
    const auto woken = all.spawn([&heard]() -> caf::behavior { return {[&heard](int) { heard = true; }}; });
    const auto busy = all.spawn([&heard, &rounds, woken](caf::event_based_actor* self) -> caf::behavior {
      return {[&heard, &rounds, woken, self](int n) {
        if (n == 0) self->send(woken, 0);
        if (!heard && ++rounds < 10'000'000) self->send(self, n + 1);
      }};
    });
    caf::anon_send(busy, 0);
  }
  CHECK(heard);
  CHECK(rounds <= 101);  // those of its first turn, and the last one sent in it
}

TEST_CASE("taking turns: given a worker, when an actor runs on it, then its thread does not interrupt those that wake it") {
  std::atomic<int> policy = -1;
  config settings(1);
  {
    caf::actor_system all(settings);
    caf::anon_send(all.spawn([&policy]() -> caf::behavior { return {[&policy](int) { policy = sched_getscheduler(0); }}; }), 0);
  }
  CHECK(policy == SCHED_BATCH);
}

TEST_CASE("taking turns: given more actors than workers, when all that sleep are called at once, then everyone is heard") {
  constexpr int rounds = 2000;
  std::atomic<int> heard = 0;
  config settings(3);
  {
    caf::actor_system all(settings);
    std::vector<caf::actor> listeners;
    for (int i = 0; i < 8; ++i) listeners.push_back(all.spawn([&heard]() -> caf::behavior { return {[&heard](int) { ++heard; }}; }));
    caf::scoped_actor waker(all);
    for (int round = 1; round <= rounds; ++round) {
      for (const auto& l : listeners) waker->send(l, 0);
      while (heard < round * static_cast<int>(listeners.size())) std::this_thread::yield();  // until all workers may sleep again
    }
  }
  CHECK(heard == rounds * 8);
}

TEST_CASE("taking turns: given several workers, when many chains begin at once, then every step of every chain is taken") {
  constexpr int chains = 200, steps = 500;
  std::atomic<int> taken = 0;
  config settings(4);
  {
    caf::actor_system all(settings);
    for (int i = 0; i < chains; ++i)
      caf::anon_send(all.spawn([&taken](caf::event_based_actor* self) -> caf::behavior {
        return {[self, &taken](int left) {
          ++taken;
          if (left > 1) self->send(self, left - 1);
        }};
      }),
                     steps);
  }
  CHECK(taken == chains * steps);
}
