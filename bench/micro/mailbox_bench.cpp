// A message that goes from one actor's mailbox to another's and back, on CAF's scheduler as a node sets it up.
#include <benchmark/benchmark.h>

#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <cstdint>

namespace {

constexpr std::int64_t hops_a_game = 10000;

// Gives what it gets to the sender, one less; at nothing the game is over.
caf::behavior player(caf::event_based_actor* self, std::atomic<bool>* over) {
  return {[self, over](std::int64_t left) {
    if (left > 0) return self->send(caf::actor_cast<caf::actor>(self->current_sender()), left - 1);
    *over = true;
    over->notify_one();
  }};
}

void mailbox_hop(benchmark::State& state) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  caf::actor_system system(config);
  {
    std::atomic<bool> over = false;
    const auto one = system.spawn(player, &over), other = system.spawn(player, &over);
    while (state.KeepRunning()) {
      over = false;
      caf::send_as(one, other, hops_a_game);
      over.wait(false);
    }
    caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(other, caf::exit_reason::user_shutdown);
  }
  state.SetItemsProcessed(state.iterations() * hops_a_game);
}
BENCHMARK(mailbox_hop)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
