// The payment of one booking, under the booking's number: a step of the booking's chain, taken back when the booking is canceled.
//
// Pure; called by the payment's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/hotel/fields.hpp"

namespace crema::hotel {
enum class pay_status : std::uint8_t { approved, canceled };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::hotel::pay_status>{"PayApproved", "PayCanceled"};

namespace crema::hotel {

struct pay_facts {
  std::int64_t book_id = 0;
  std::int64_t room_id = 0;
  std::optional<std::int64_t> guest_id{};
  std::optional<std::int64_t> host_id{};
  std::int64_t price = 0;
  calendar_date start_date{};
  calendar_date end_date{};
  pay_status status{};
  bool voided = false;  ///< of a booking that failed: not in the collection, and nobody is told

  static std::vector<field_spec> fields() {
    return {book_id_field<&pay_facts::book_id>(),   room_id_field<&pay_facts::room_id>(), guest_id_field<&pay_facts::guest_id>(),
            host_id_field<&pay_facts::host_id>(),   price_field<&pay_facts::price>(),     start_date_field<&pay_facts::start_date>(),
            end_date_field<&pay_facts::end_date>(), field<&pay_facts::status>("status"),  field<&pay_facts::voided>("voided").hide()};
  }
};

// ---- state

struct payment : pay_facts {
  static constexpr std::string_view type_name = "payment";
};

// ---- commands

struct approve_payment {
  static constexpr std::string_view type_name = "approve_payment";
  std::int64_t book_id = 0;
  std::int64_t room_id = 0;
  std::optional<std::int64_t> guest_id{};
  std::optional<std::int64_t> host_id{};
  std::int64_t price = 0;
  calendar_date start_date{};
  calendar_date end_date{};

  static std::vector<field_spec> fields() {
    return {book_id_field<&approve_payment::book_id>(),   room_id_field<&approve_payment::room_id>(),
            guest_id_field<&approve_payment::guest_id>(), host_id_field<&approve_payment::host_id>(),
            price_field<&approve_payment::price>(),       start_date_field<&approve_payment::start_date>(),
            end_date_field<&approve_payment::end_date>()};
  }
};

/// Takes back the payment of a booking that failed.
struct void_payment {
  static constexpr std::string_view type_name = "void_payment";
  static std::vector<field_spec> fields() { return {}; }
};

struct cancel_payment {
  static constexpr std::string_view type_name = "cancel_payment";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct payment_approved : pay_facts {
  static constexpr std::string_view type_name = "PaymentApproved";
};

struct payment_canceled : pay_facts {
  static constexpr std::string_view type_name = "PaymentCanceled";
};

// ---- rules

result<outcome> decide(const payment&, const approve_payment&, const given&);  // nothing → payment_approved
result<outcome> decide(const payment&, const void_payment&, const given&);     // PayApproved → payment_canceled, as if it had never been
result<outcome> decide(const payment&, const cancel_payment&, const given&);   // PayApproved → payment_canceled

void evolve(payment&, const payment_approved&);
void evolve(payment&, const payment_canceled&);

bool gone(const payment&);

}  // namespace crema::hotel
