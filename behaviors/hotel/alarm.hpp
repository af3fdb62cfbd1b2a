// What guest and host are told of a booking. Each notification is one aggregate, found by what it is about, so that none comes twice.
//
// Pure; called by the notification's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/hotel/fields.hpp"

namespace crema::hotel {

struct alarm_facts {
  std::int64_t book_id = 0;
  std::string to{};
  std::string text{};
  timestamp create_time{};

  static std::vector<field_spec> fields() {
    return {book_id_field<&alarm_facts::book_id>(),
            field<&alarm_facts::to>("to").means("\"guest\" or \"host\", and whose number is known."),
            field<&alarm_facts::text>("text").length(0, 1000), field<&alarm_facts::create_time>("createTime")};
  }
};

// ---- state

struct alarm : alarm_facts {
  static constexpr std::string_view type_name = "alarm";
};

// ---- commands

struct send_alarm {
  static constexpr std::string_view type_name = "send_alarm";
  std::int64_t booking = 0;  ///< the booking's number
  std::int64_t book_id = 0;
  std::string to{};
  std::string text{};

  static std::vector<field_spec> fields() {
    return {field<&send_alarm::booking>("booking"), book_id_field<&send_alarm::book_id>(), field<&send_alarm::to>("to"),
            field<&send_alarm::text>("text")};
  }
};

// ---- events

struct notified : alarm_facts {
  static constexpr std::string_view type_name = "Notified";
};

// ---- rules

result<outcome> decide(const alarm&, const send_alarm&, const given&);  // nothing → notified

void evolve(alarm&, const notified&);

/// One notification a booking, text and receiver.
std::string alarm_key(const send_alarm&);

}  // namespace crema::hotel
