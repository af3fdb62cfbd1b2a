#include "actors/log_sink.hpp"

#include "telemetry/log.hpp"

namespace crema::actors {

void log_sink::deliver(outgoing_notification n, std::function<void(delivery_report)> done) {
  telemetry::log_notification(n.id, n.to, n.text, [tell = std::move(done)](bool on_disk) {
    using verdict = delivery_report::verdict;
    tell(on_disk ? delivery_report{verdict::delivered} : delivery_report{verdict::try_again, "the log file could not be written"});
  });
}

}  // namespace crema::actors
