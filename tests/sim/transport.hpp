// The front door without sockets: bytes go in, are parsed, routed and carried out as http/session does it, and an answer comes out.
// Whoever sent them reads the answer when he likes; where the connection breaks first, he never learns it.
//
// Belongs to one life of a node: made after it started, gone before it stops.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/clock.hpp"
#include "http/mounts.hpp"

namespace crema::sim {

/// One request on its way.
struct exchange {
  http::request request;
  std::optional<http::ask_plan> plan;
  bool kept = false;                     ///< its route's answers may be kept
  std::optional<http::response> answer;  ///< once it is there
  int answers = 0;                       ///< that the node gave: one, or none where it died before
  bool cut = false;                      ///< the connection broke first
  bool granted_after_cut = false;        ///< the node said yes to nobody
};
using exchange_ptr = std::shared_ptr<exchange>;

class transport {
 public:
  transport(front_door& door, const actors::clock& time, std::uint64_t seed);
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  /// One whole request. What the node itself has to do for it is stepped by the caller.
  exchange_ptr send(std::string_view bytes);

 private:
  void carry_out(const exchange_ptr& x, http::action todo);
  void ask(const exchange_ptr& x, http::ask_plan plan);
  static void operate(const exchange_ptr& x, const http::operation_plan& plan);
  http::response whole_stream(http::stream_plan plan) const;

  const http::server_settings settings_;
  front_door& door_;
  const actors::clock& time_;
  const http::mounts systems_;
  std::uint64_t id_state_;  // of the generator for trace ids
  std::vector<exchange_ptr> open_;
};

}  // namespace crema::sim
