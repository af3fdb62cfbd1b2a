// The wallet: a reward that its customer has not exchanged for a gift yet. The exchange is one step with the gift: both or neither.
//
// Pure; called by the wallet's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/rewards/fields.hpp"

namespace crema::rewards {
enum class wallet_status : std::uint8_t { created, exchanged };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::rewards::wallet_status>{"Created", "Exchanged"};

namespace crema::rewards {

struct wallet_facts {
  std::int64_t reward_id = 0;
  std::int64_t customer_id = 0;
  wallet_status status{};

  static std::vector<field_spec> fields() {
    return {reward_id_field<&wallet_facts::reward_id>(), customer_id_field<&wallet_facts::customer_id>(),
            field<&wallet_facts::status>("status")};
  }
};

// ---- state

struct wallet : wallet_facts {
  static constexpr std::string_view type_name = "wallet";
};

// ---- commands

struct create_wallet {
  static constexpr std::string_view type_name = "create_wallet";
  std::int64_t reward_id = 0;
  std::int64_t customer_id = 0;

  static std::vector<field_spec> fields() {
    return {reward_id_field<&create_wallet::reward_id>(), customer_id_field<&create_wallet::customer_id>()};
  }
};

struct exchange_wallet {
  static constexpr std::string_view type_name = "exchange_wallet";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct wallet_created : wallet_facts {
  static constexpr std::string_view type_name = "WalletCreated";
};

struct wallet_exchanged : wallet_facts {
  static constexpr std::string_view type_name = "WalletExchanged";
};

// ---- rules

result<outcome> decide(const wallet&, const create_wallet&, const given&);    // nothing → wallet_created
result<outcome> decide(const wallet&, const exchange_wallet&, const given&);  // Created → asks the gift → wallet_exchanged

void evolve(wallet&, const wallet_created&);
void evolve(wallet&, const wallet_exchanged&);

}  // namespace crema::rewards
