#include "behaviors/rewards/mypage.hpp"

namespace crema::rewards {

void apply(rows<mypage>& all, const mission_achieved& e, const event_meta& m) {
  all.upsert(m.id, [&](mypage& row) {
    row.customer_id = e.customer_id;
    row.mission_id = static_cast<std::int64_t>(m.id);
    row.mission = e.status;
  });
}

void apply(rows<mypage>& all, const reward_allocated& e, const event_meta& m) {
  all.update(m.id, [&](mypage& row) {
    row.reward_id = static_cast<std::int64_t>(m.id);
    row.reward = e.status;
  });
}

void apply(rows<mypage>& all, const reward_exchanged& e, const event_meta& m) {
  all.update(m.id, [&](mypage& row) { row.reward = e.status; });
}

void apply(rows<mypage>& all, const wallet_created& e, const event_meta& m) {
  all.update(m.id, [&](mypage& row) {
    row.wallet_id = static_cast<std::int64_t>(m.id);
    row.wallet = e.status;
  });
}

void apply(rows<mypage>& all, const wallet_exchanged& e, const event_meta& m) {
  all.update(m.id, [&](mypage& row) { row.wallet = e.status; });
}

void apply(rows<mypage>& all, const gift_exchanged&, const event_meta& m) {
  all.update(m.id, [&](mypage& row) { row.gift_id = static_cast<std::int64_t>(m.id); });
}

}  // namespace crema::rewards
