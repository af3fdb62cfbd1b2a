// The drink of one order, under the order's number: what the barista takes on and makes.
//
// Pure; called by the drink's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/cafeteria/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::cafeteria {
enum class drink_status : std::uint8_t { payment_approved, receipted, made, drink_canceled };
}
template <>
inline constexpr std::array<std::string_view, 4> crema::literals_of<crema::cafeteria::drink_status>{"PaymentApproved", "Receipted", "Made",
                                                                                                    "DrinkCanceled"};

namespace crema::cafeteria {

// ---- state

struct drink {
  static constexpr std::string_view type_name = "drink";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  timestamp create_time{};
  drink_status status{};
  std::int64_t cancel_attempt = 0;  ///< the last one that was answered with cancel_failed

  static std::vector<field_spec> fields() {
    return {order_id_field<&drink::order_id>(),
            phone_number_field<&drink::phone_number>(),
            product_name_field<&drink::product_name>(),
            qty_field<&drink::qty>(),
            create_time_field<&drink::create_time>(),
            field<&drink::status>("status"),
            field<&drink::cancel_attempt>("cancelAttempt").hide()};
  }
};

// ---- commands

struct make_drink {
  static constexpr std::string_view type_name = "make_drink";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&make_drink::order_id>(), phone_number_field<&make_drink::phone_number>(),
            product_name_field<&make_drink::product_name>(), qty_field<&make_drink::qty>()};
  }
};

struct receipt_drink {
  static constexpr std::string_view type_name = "receipt_drink";
  static std::vector<field_spec> fields() { return {}; }
};

struct finish_drink {
  static constexpr std::string_view type_name = "finish_drink";
  static std::vector<field_spec> fields() { return {}; }
};

/// The customer canceled the order. Carries the order, so that it can be settled before the drink itself is known here.
struct cancel_drink {
  static constexpr std::string_view type_name = "cancel_drink";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t cancel_attempt = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&cancel_drink::order_id>(), phone_number_field<&cancel_drink::phone_number>(),
            product_name_field<&cancel_drink::product_name>(), qty_field<&cancel_drink::qty>(),
            field<&cancel_drink::cancel_attempt>("cancelAttempt").hide()};
  }
};

// ---- events

struct drink_ordered {
  static constexpr std::string_view type_name = "DrinkOrdered";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  timestamp create_time{};
  drink_status status = drink_status::payment_approved;

  static std::vector<field_spec> fields() {
    return {order_id_field<&drink_ordered::order_id>(),         phone_number_field<&drink_ordered::phone_number>(),
            product_name_field<&drink_ordered::product_name>(), qty_field<&drink_ordered::qty>(),
            create_time_field<&drink_ordered::create_time>(),   field<&drink_ordered::status>("status")};
  }
};

struct receipted {
  static constexpr std::string_view type_name = "Receipted";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  timestamp create_time{};
  drink_status status = drink_status::receipted;

  static std::vector<field_spec> fields() {
    return {order_id_field<&receipted::order_id>(),         phone_number_field<&receipted::phone_number>(),
            product_name_field<&receipted::product_name>(), qty_field<&receipted::qty>(),
            create_time_field<&receipted::create_time>(),   field<&receipted::status>("status")};
  }
};

struct made {
  static constexpr std::string_view type_name = "Made";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  timestamp create_time{};
  drink_status status = drink_status::made;

  static std::vector<field_spec> fields() {
    return {order_id_field<&made::order_id>(), phone_number_field<&made::phone_number>(), product_name_field<&made::product_name>(),
            qty_field<&made::qty>(),           create_time_field<&made::create_time>(),   field<&made::status>("status")};
  }
};

struct drink_canceled {
  static constexpr std::string_view type_name = "DrinkCanceled";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  timestamp create_time{};
  drink_status status{};

  static std::vector<field_spec> fields() {
    return {order_id_field<&drink_canceled::order_id>(),         phone_number_field<&drink_canceled::phone_number>(),
            product_name_field<&drink_canceled::product_name>(), qty_field<&drink_canceled::qty>(),
            create_time_field<&drink_canceled::create_time>(),   field<&drink_canceled::status>("status")};
  }
};

/// The drink stays as it is; the order must take its cancel back.
struct cancel_failed {
  static constexpr std::string_view type_name = "CancelFailed";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  timestamp create_time{};
  drink_status status{};
  std::int64_t cancel_attempt = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&cancel_failed::order_id>(),
            phone_number_field<&cancel_failed::phone_number>(),
            product_name_field<&cancel_failed::product_name>(),
            qty_field<&cancel_failed::qty>(),
            create_time_field<&cancel_failed::create_time>(),
            field<&cancel_failed::status>("status"),
            field<&cancel_failed::cancel_attempt>("cancelAttempt").hide()};
  }
};

// ---- rules

result<outcome> decide(const drink&, const make_drink&, const given&);     // nothing → drink_ordered
result<outcome> decide(const drink&, const receipt_drink&, const given&);  // PaymentApproved → receipted
result<outcome> decide(const drink&, const finish_drink&, const given&);   // Receipted → made
result<outcome> decide(const drink&, const cancel_drink&,
                       const given&);  // PaymentApproved → drink_canceled; Receipted, Made → cancel_failed

void evolve(drink&, const drink_ordered&);
void evolve(drink&, const receipted&);
void evolve(drink&, const made&);
void evolve(drink&, const drink_canceled&);
void evolve(drink&, const cancel_failed&);

}  // namespace crema::cafeteria
