// The words of the rewards, said once for every state, command, event and row that carries them.
//
// Everything that comes from a mission carries the mission's number: reward 11, wallet 11 and gift 11 belong to mission 11.
#pragma once

#include <cstdint>

#include "behaviors/core/field.hpp"

namespace crema::rewards {

template <auto Member>
field_spec customer_id_field() {
  return field<Member>("customerId").must().at_least(1).means("Who achieved the mission.").such_as("11");
}

template <auto Member>
field_spec mission_id_field() {
  return field<Member>("missionId").must().at_least(1).means("The number of the mission.").such_as("1");
}

template <auto Member>
field_spec reward_id_field() {
  return field<Member>("rewardId").at_least(1).means("The number of the reward.").such_as("1");
}

template <auto Member>
field_spec wallet_id_field() {
  return field<Member>("walletId").at_least(1).means("The number of the wallet.").such_as("1");
}

}  // namespace crema::rewards
