// Rewards for game events: a mission earns a reward, the reward waits in a wallet, the wallet is exchanged for a gift.
#pragma once

#include "behaviors/core/declaration.hpp"

namespace crema::rewards {

system_declaration rewards();

}  // namespace crema::rewards
