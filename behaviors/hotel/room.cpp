#include "behaviors/hotel/room.hpp"

namespace crema::hotel {

result<outcome> decide(const room&, const register_room& c, const given& g) {
  if (g.exists) return rejection::conflict("This room has been registered already.");
  return record_event(room_registered{{c.price, c.host_id, c.name, room_status::registered}});
}

result<outcome> decide(const room& s, const remove_room&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such room.");
  if (s.status == room_status::removed) return nothing();
  return record_event(room_removed{{s.price, s.host_id, s.name, room_status::removed}});
}

result<outcome> decide(const room& s, const check_room&, const given& g) {
  if (!g.exists || s.status == room_status::removed)
    return rejection::invalid("roomId", "There is no room " + std::to_string(g.id) + " to book; see /rooms.");
  return nothing().answering(room_registered{s});
}

void evolve(room& s, const room_registered& e) { s = {e}; }

void evolve(room& s, const room_removed& e) { s = {e}; }

}  // namespace crema::hotel
