// The room that a host offers.
//
// Pure; called by the room's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/hotel/fields.hpp"

namespace crema::hotel {
enum class room_status : std::uint8_t { registered, removed };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::hotel::room_status>{"Registered", "Removed"};

namespace crema::hotel {

struct room_facts {
  std::int64_t price = 0;
  std::optional<std::int64_t> host_id{};
  std::optional<std::string> name{};
  room_status status{};

  static std::vector<field_spec> fields() {
    return {price_field<&room_facts::price>(), host_id_field<&room_facts::host_id>(), field<&room_facts::name>("name").length(0, 100),
            field<&room_facts::status>("status")};
  }
};

// ---- state

struct room : room_facts {
  static constexpr std::string_view type_name = "room";
};

// ---- commands

struct register_room {
  static constexpr std::string_view type_name = "register_room";
  std::int64_t price = 0;
  std::optional<std::int64_t> host_id{};
  std::optional<std::string> name{};

  static std::vector<field_spec> fields() {
    return {price_field<&register_room::price>(), host_id_field<&register_room::host_id>(),
            field<&register_room::name>("name").length(0, 100)};
  }
};

struct remove_room {
  static constexpr std::string_view type_name = "remove_room";
  static std::vector<field_spec> fields() { return {}; }
};

/// Asked by a booking that wants to know whether the room is there. Changes nothing.
struct check_room {
  static constexpr std::string_view type_name = "check_room";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct room_registered : room_facts {
  static constexpr std::string_view type_name = "RoomRegistered";
};

struct room_removed : room_facts {
  static constexpr std::string_view type_name = "RoomRemoved";
};

// ---- rules

result<outcome> decide(const room&, const register_room&, const given&);  // nothing → room_registered
result<outcome> decide(const room&, const remove_room&, const given&);    // Registered → room_removed
result<outcome> decide(const room&, const check_room&, const given&);     // Registered: answers room_registered

void evolve(room&, const room_registered&);
void evolve(room&, const room_removed&);

}  // namespace crema::hotel
