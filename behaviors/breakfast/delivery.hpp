// The delivery of one order, under the order's number. A delivered breakfast cannot be canceled any more.
//
// Pure; called by the delivery's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "behaviors/breakfast/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::breakfast {
enum class delivery_status : std::uint8_t { ordered, started, completed, canceled };
}
template <>
inline constexpr std::array<std::string_view, 4> crema::literals_of<crema::breakfast::delivery_status>{
    "Ordered", "Delivery Start", "Delivery Completed", "Cancelled-delivery"};

namespace crema::breakfast {

struct delivery_facts {
  std::int64_t order_id = 0;
  delivery_status status{};

  static std::vector<field_spec> fields() {
    return {field<&delivery_facts::order_id>("orderId").must().at_least(1).means("The number of the order."),
            field<&delivery_facts::status>("status")};
  }
};

// ---- state

struct delivery {
  static constexpr std::string_view type_name = "delivery";
  std::int64_t order_id = 0;
  delivery_status status{};
  delivery_status before_cancel{};  ///< to which a cancel that failed goes back
  bool unknown = false;             ///< nothing but a cancel that failed: not in the collection

  static std::vector<field_spec> fields() {
    return {field<&delivery::order_id>("orderId").must().at_least(1).means("The number of the order."), field<&delivery::status>("status"),
            field<&delivery::before_cancel>("beforeCancel").hide(), field<&delivery::unknown>("unknown").hide()};
  }
};

// ---- commands

struct prepare_delivery {
  static constexpr std::string_view type_name = "prepare_delivery";
  static std::vector<field_spec> fields() { return {}; }
};

struct start_delivery {
  static constexpr std::string_view type_name = "start_delivery";
  static std::vector<field_spec> fields() { return {}; }
};

struct complete_delivery {
  static constexpr std::string_view type_name = "complete_delivery";
  static std::vector<field_spec> fields() { return {}; }
};

/// Some time after an order's message met a cancel: if that failed, the delivery starts by itself after all.
struct start_if_resumed {
  static constexpr std::string_view type_name = "start_if_resumed";
  static std::vector<field_spec> fields() { return {}; }
};

/// Asked by an order that is being canceled.
struct cancel_delivery {
  static constexpr std::string_view type_name = "cancel_delivery";
  static std::vector<field_spec> fields() { return {}; }
};

/// The order's cancel failed after all.
struct resume_delivery {
  static constexpr std::string_view type_name = "resume_delivery";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct delivery_ordered : delivery_facts {
  static constexpr std::string_view type_name = "DeliveryOrdered";
};

struct shipped : delivery_facts {
  static constexpr std::string_view type_name = "Shipped";
};

struct delivered : delivery_facts {
  static constexpr std::string_view type_name = "Delivered";
};

struct delivery_canceled {
  static constexpr std::string_view type_name = "DeliveryCanceled";
  std::int64_t order_id = 0;
  delivery_status status{};
  bool was_known = false;  ///< false: the cancel came before the order's own message

  static std::vector<field_spec> fields() {
    return {field<&delivery_canceled::order_id>("orderId"), field<&delivery_canceled::status>("status"),
            field<&delivery_canceled::was_known>("wasKnown").hide()};
  }
};

struct delivery_resumed : delivery_facts {
  static constexpr std::string_view type_name = "DeliveryResumed";
};

// ---- rules

result<outcome> decide(const delivery&, const prepare_delivery&, const given&);  // nothing → delivery_ordered (→ shipped, by the setting)
result<outcome> decide(const delivery&, const start_delivery&, const given&);    // Ordered → shipped
result<outcome> decide(const delivery&, const start_if_resumed&, const given&);   // Ordered → shipped, else nothing
result<outcome> decide(const delivery&, const complete_delivery&, const given&);  // Delivery Start → delivered
result<outcome> decide(const delivery&, const cancel_delivery&, const given&);    // not completed → delivery_canceled
result<outcome> decide(const delivery&, const resume_delivery&, const given&);    // Cancelled-delivery → delivery_resumed

void evolve(delivery&, const delivery_ordered&);
void evolve(delivery&, const shipped&);
void evolve(delivery&, const delivered&);
void evolve(delivery&, const delivery_canceled&);
void evolve(delivery&, const delivery_resumed&);

bool gone(const delivery&);

}  // namespace crema::breakfast
