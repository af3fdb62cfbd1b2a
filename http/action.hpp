// What the router wants done with a request. A session carries it out.
#pragma once

#include <functional>
#include <variant>

#include "behaviors/core/front_door.hpp"
#include "http/message.hpp"
#include "http/routes.hpp"

namespace crema::http {

/// Ask the front door; router::answered() turns what comes back into a response.
struct ask_plan {
  command_request command;
  const resource_entry* entry = nullptr;
};
/// A query that may be slow: to be run on another thread than the io threads.
struct background_plan {
  std::function<response()> run;
};
/// An operation of the runtime that reports when it is done, on any thread. It has no time limit. What it reports is a way to
/// make the response, run where the request is at hand: by then the connection may be gone.
using make_response = std::function<response(const request&)>;
struct operation_plan {
  std::function<void(std::function<void(make_response)> done)> start;
};
/// Events, page after page; a following stream goes on when more are committed.
struct stream_plan {
  event_query query;
  bool sse = false;
  bool follow = false;
  std::string lost;  ///< SSE: why the follower's place is not in this history; it is told so, and nothing else
};

struct action {
  route_id route = id_of(fixed_route::unmatched);
  std::variant<response, ask_plan, background_plan, operation_plan, stream_plan> what;
};

}  // namespace crema::http
