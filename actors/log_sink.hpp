// Writes notifications to the log: `To. 01033132570` and the text. One is delivered when its line is on disk; where it cannot be
// written, or too many lines wait, it is tried again.
#pragma once

#include "behaviors/core/notification_sink.hpp"

namespace crema::actors {

class log_sink final : public notification_sink {
 public:
  /// On their way at the same time: as many lines as come in one round of the log's writing at a node's full speed, and no more than
  /// its queue has room for.
  static constexpr std::uint32_t lines_max = 4096;

  void deliver(outgoing_notification n, std::function<void(delivery_report)> done) override;
};

}  // namespace crema::actors
