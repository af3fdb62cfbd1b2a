// What the user looks at: one row a reservation, under its number, with its payment and receipt. Cancelled ones stay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "behaviors/preorder/payment.hpp"
#include "behaviors/preorder/receipt.hpp"
#include "behaviors/preorder/reservation.hpp"

namespace crema::preorder {

struct my_reservation {
  static constexpr std::string_view type_name = "myReservation";
  std::int64_t reservation_id = 0;
  std::optional<std::int64_t> payment_id{};
  std::optional<std::int64_t> receipt_id{};
  std::int64_t user_id = 0;
  std::optional<std::string> user_address{};
  std::optional<std::int64_t> product_id{};
  std::optional<std::string> product_name{};
  std::optional<std::int64_t> price{};
  std::string status{};
  std::optional<payment_status> payment{};
  std::optional<receipt_status> receipt{};
  std::optional<timestamp> expected_delivery_at{};

  static std::vector<field_spec> fields() {
    return {reservation_id_field<&my_reservation::reservation_id>(), field<&my_reservation::payment_id>("paymentId"),
            field<&my_reservation::receipt_id>("receiptId"),         user_id_field<&my_reservation::user_id>(),
            user_address_field<&my_reservation::user_address>(),     product_id_field<&my_reservation::product_id>(),
            product_name_field<&my_reservation::product_name>(),     price_field<&my_reservation::price>(),
            field<&my_reservation::status>("reservationStatus"),     field<&my_reservation::payment>("paymentStatus"),
            field<&my_reservation::receipt>("receiptStatus"),        field<&my_reservation::expected_delivery_at>("expectedDeliveryAt")};
  }
};

void apply(rows<my_reservation>&, const reservation_created&, const event_meta&);
void apply(rows<my_reservation>&, const reservation_cancelled&, const event_meta&);
void apply(rows<my_reservation>&, const payment_created&, const event_meta&);
void apply(rows<my_reservation>&, const payment_cancelled&, const event_meta&);
void apply(rows<my_reservation>&, const receipt_created&, const event_meta&);
void apply(rows<my_reservation>&, const receipt_cancelled&, const event_meta&);

}  // namespace crema::preorder
