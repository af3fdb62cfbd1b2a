// What a node sets when its metrics are read: figures that are cheaper to read than to keep.
#include <vector>

#include "actors/node_parts.hpp"

namespace crema::actors {

namespace {

// Shows as a counter what others count in a number of their own.
struct shown_counter {
  telemetry::counter counter;
  std::uint64_t shown = 0;

  void show(std::uint64_t counted) {
    counter.add(static_cast<double>(counted - shown));
    shown = counted;
  }
};

struct context_metrics {
  context_metrics(telemetry::metrics& m, const std::string& name, const context_status& s) : status(&s) {
    const telemetry::labels l{{"context", name}};
    awake = m.make_gauge("crema_context_awake", "Aggregates in memory, by context", l);
    mailbox = m.make_gauge("crema_mailbox_depth", "Messages on their way or waiting, by context", l);
    outbox = m.make_gauge("crema_outbox_depth", "Durable messages not consumed yet, by receiving context", l);
    restarts.counter = m.make_counter("crema_restarts_total", "Restarts since the start of the node, by context", l);
    dead_letters.counter = m.make_counter("crema_dead_letters_total", "Messages given up since the start of the node, by context", l);
    failing = m.make_gauge("crema_notification_receivers_failing", "Receivers of notifications who could not be told lately", l);
    for_receivers = m.make_gauge("crema_notifications_waiting", "Notifications that wait until their receiver is tried again", l);
    bulkhead = m.make_gauge("crema_bulkhead_state", "0 closed, 1 open, 2 half open", l);
    in_flight = m.make_gauge("crema_bulkhead_in_flight", "Asks being handled", l);
    queued = m.make_gauge("crema_bulkhead_queued", "Asks waiting for a place", l);
  }

  void read() {
    awake.set(static_cast<double>(status->awake.load()));
    mailbox.set(static_cast<double>(status->mailbox.load()));
    outbox.set(static_cast<double>(status->outbox.load()));
    restarts.show(status->restarts.load());
    dead_letters.show(status->dead_letters.load());
    failing.set(static_cast<double>(status->failing_receivers.load()));
    for_receivers.set(static_cast<double>(status->waiting_for_receivers.load()));
    bulkhead.set(static_cast<double>(status->bulkhead.state.load()));
    in_flight.set(status->bulkhead.in_flight.load());
    queued.set(status->bulkhead.queued.load());
  }

  const context_status* status;
  telemetry::gauge awake, mailbox, outbox, failing, for_receivers, bulkhead, in_flight, queued;
  shown_counter restarts, dead_letters;
};

}  // namespace

void node::parts::show_metrics() {
  auto& m = *given.metrics;
  std::vector<context_metrics> contexts;
  for (const auto& c : given.system->contexts) contexts.emplace_back(m, c.name, shared->contexts[c.index]);
  metrics_refresh =
      m.add_refresh([this, awake = m.make_gauge("crema_awake_aggregates", "Aggregates in memory"),
                     queue = m.make_gauge("crema_journal_queue", "Steps waiting for the journal"),
                     undos = m.make_gauge("crema_undos_failing", "Undos that failed often and are tried again"),
                     flight = m.make_gauge("crema_requests_in_flight", "Requests being handled"), all = std::move(contexts)]() mutable {
        awake.set(static_cast<double>(shared->awake.load()));
        queue.set(static_cast<double>(log->depth()));
        undos.set(static_cast<double>(shared->undos.stuck()));
        flight.set(static_cast<double>(shared->in_flight.load()));
        for (auto& c : all) c.read();
      });
}

}  // namespace crema::actors
