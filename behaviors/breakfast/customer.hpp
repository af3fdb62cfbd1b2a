// The customer: joins, changes, leaves. Who has left can order nothing more.
//
// Pure; called by the customer's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/breakfast/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::breakfast {

inline constexpr std::int64_t age_max = 150;

struct customer_facts {
  std::string name{};
  std::optional<std::string> phone{};
  std::optional<std::string> address{};
  std::optional<std::int64_t> age{};

  static std::vector<field_spec> fields() {
    return {name_field<&customer_facts::name>(), field<&customer_facts::phone>("phone").length(0, 32),
            field<&customer_facts::address>("address").length(0, 255), field<&customer_facts::age>("age").at_least(0).at_most(age_max)};
  }
};

// ---- state

struct customer {
  static constexpr std::string_view type_name = "customer";
  std::string name{};
  std::optional<std::string> phone{};
  std::optional<std::string> address{};
  std::optional<std::int64_t> age{};
  bool left = false;

  static std::vector<field_spec> fields() {
    return {name_field<&customer::name>(), field<&customer::phone>("phone").length(0, 32),
            field<&customer::address>("address").length(0, 255), field<&customer::age>("age").at_least(0).at_most(age_max),
            field<&customer::left>("left").hide()};
  }
};

// ---- commands

struct join : customer_facts {
  static constexpr std::string_view type_name = "join";
};

struct replace_customer : customer_facts {
  static constexpr std::string_view type_name = "replace_customer";
};

/// What is left out stays as it is.
struct change_customer {
  static constexpr std::string_view type_name = "change_customer";
  std::optional<std::string> name{};
  std::optional<std::string> phone{};
  std::optional<std::string> address{};
  std::optional<std::int64_t> age{};

  static std::vector<field_spec> fields() {
    return {field<&change_customer::name>("name").length(1, 100).may_be_left_out(),
            field<&change_customer::phone>("phone").length(0, 32).may_be_left_out(),
            field<&change_customer::address>("address").length(0, 255).may_be_left_out(),
            field<&change_customer::age>("age").at_least(0).at_most(age_max).may_be_left_out()};
  }
};

struct leave {
  static constexpr std::string_view type_name = "leave";
  static std::vector<field_spec> fields() { return {}; }
};

/// Asked by an order. Changes nothing.
struct check_customer {
  static constexpr std::string_view type_name = "check_customer";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct customer_joined : customer_facts {
  static constexpr std::string_view type_name = "CustomerJoined";
};

struct customer_changed : customer_facts {
  static constexpr std::string_view type_name = "CustomerChanged";
};

struct customer_left : customer_facts {
  static constexpr std::string_view type_name = "CustomerLeft";
};

// ---- rules

result<outcome> decide(const customer&, const join&, const given&);              // nothing → customer_joined
result<outcome> decide(const customer&, const replace_customer&, const given&);  // → customer_changed
result<outcome> decide(const customer&, const change_customer&, const given&);   // → customer_changed
result<outcome> decide(const customer&, const leave&, const given&);             // → customer_left
result<outcome> decide(const customer&, const check_customer&, const given&);    // answers customer_joined

void evolve(customer&, const customer_joined&);
void evolve(customer&, const customer_changed&);
void evolve(customer&, const customer_left&);

bool gone(const customer&);

}  // namespace crema::breakfast
