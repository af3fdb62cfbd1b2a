// One event as the feed shows it. Pure.
#pragma once

#include <string>

#include "behaviors/core/front_door.hpp"

namespace crema::http {

/// `{"eventType":"Ordered","timestamp":"20210119130159",…fields…,"id":…,"offset":…,"traceId":"…","context":"order"}`.
/// A field of the event's own called like one of these wins.
void append_event(std::string& out, const system_declaration& system, const stored_event& e);

/// A line of NDJSON, or an SSE event whose id is the history and the offset. It has no "event:" line, so that one onmessage handler sees
/// every type.
void append_feed_entry(std::string& out, const front_door& door, const stored_event& e, bool sse);

/// An SSE event "reset": why the follower's place is lost, and which history there is. The browser's last id stays, so that who does not
/// listen to it is told again and does not take old events for new ones.
void append_feed_reset(std::string& out, const front_door& door, const std::string& why);

}  // namespace crema::http
