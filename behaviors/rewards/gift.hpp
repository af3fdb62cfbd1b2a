// The gift that a wallet is exchanged for: handed out in one step with the wallet, taken back if that step fails.
//
// Pure; called by the gift's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/rewards/fields.hpp"

namespace crema::rewards {
enum class gift_status : std::uint8_t { exchanged };
}
template <>
inline constexpr std::array<std::string_view, 1> crema::literals_of<crema::rewards::gift_status>{"Exchanged."};

namespace crema::rewards {

struct gift_facts {
  std::int64_t wallet_id = 0;
  gift_status status{};

  static std::vector<field_spec> fields() { return {wallet_id_field<&gift_facts::wallet_id>(), field<&gift_facts::status>("status")}; }
};

// ---- state

struct gift {
  static constexpr std::string_view type_name = "gift";
  std::int64_t wallet_id = 0;
  gift_status status{};
  bool returned = false;  ///< of an exchange that failed: not in the collection

  static std::vector<field_spec> fields() {
    return {wallet_id_field<&gift::wallet_id>(), field<&gift::status>("status"), field<&gift::returned>("returned").hide()};
  }
};

// ---- commands

struct exchange_gift {
  static constexpr std::string_view type_name = "exchange_gift";
  std::int64_t wallet_id = 0;

  static std::vector<field_spec> fields() { return {wallet_id_field<&exchange_gift::wallet_id>()}; }
};

/// Takes back the gift of an exchange that failed.
struct return_gift {
  static constexpr std::string_view type_name = "return_gift";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct gift_exchanged : gift_facts {
  static constexpr std::string_view type_name = "GiftExchanged";
};

struct gift_returned : gift_facts {
  static constexpr std::string_view type_name = "GiftReturned";
};

// ---- rules

result<outcome> decide(const gift&, const exchange_gift&, const given&);  // nothing → gift_exchanged
result<outcome> decide(const gift&, const return_gift&, const given&);    // exchanged → gift_returned

void evolve(gift&, const gift_exchanged&);
void evolve(gift&, const gift_returned&);

bool gone(const gift&);

}  // namespace crema::rewards
