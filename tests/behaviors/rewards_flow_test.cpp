// The rewards as a whole, on the board (board.hpp). A failing case prints its seed; CREMA_SEED runs one.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "behaviors/rewards/gift.hpp"
#include "behaviors/rewards/mission.hpp"
#include "behaviors/rewards/mypage.hpp"
#include "behaviors/rewards/reward.hpp"
#include "behaviors/rewards/rewards.hpp"
#include "behaviors/rewards/wallet.hpp"
#include "tests/behaviors/board.hpp"

using namespace crema;
using namespace crema::rewards;
using crema::testing::board;
using crema::testing::chance;

namespace {

enum : std::uint16_t { in_mission, in_reward, in_wallet, in_gift };
enum : std::size_t { mypages };

std::int64_t customer_of(std::uint64_t mission) { return static_cast<std::int64_t>(mission % 3 + 1); }

value achieved_by(std::int64_t customer) { return value::of(achieve_mission{customer, mission_status::achieved}); }

/// What holds at any moment: an exchanged wallet has its gift, and nothing is shown that is not so.
void nothing_false_is_shown(const board& b) {
  for (const auto& [key, w] : b.collection<wallet>(in_wallet))
    if (w->status == wallet_status::exchanged) CHECK(b.state<gift>(in_gift, key) != nullptr);
  for (const auto& row : b.view<mypage>(mypages)) {
    const auto* w = b.state<wallet>(in_wallet, static_cast<std::uint64_t>(row.mission_id));
    const bool exchanged = w != nullptr && w->status == wallet_status::exchanged;
    CHECK((row.wallet == wallet_status::exchanged) == exchanged);
    CHECK(row.gift_id.has_value() == exchanged);
  }
}

/// What holds whenever every message has been delivered.
void all_is_well(const board& b, std::uint64_t tried) {
  nothing_false_is_shown(b);
  CHECK(b.view<mypage>(mypages).size() == b.collection<mission>(in_mission).size());
  for (std::uint64_t id = 1; id <= tried; ++id) {
    INFO("mission " << id);
    const auto number = static_cast<std::int64_t>(id);
    const auto* m = b.state<mission>(in_mission, id);
    const auto* r = b.state<reward>(in_reward, id);
    const auto* w = b.state<wallet>(in_wallet, id);
    const auto* g = b.state<gift>(in_gift, id);
    if (m == nullptr) {
      CHECK(r == nullptr);
      CHECK(w == nullptr);
      CHECK(g == nullptr);
      continue;
    }
    REQUIRE(r != nullptr);
    REQUIRE(w != nullptr);
    CHECK(m->reward_id == number);
    CHECK(r->mission_id == number);
    CHECK(w->reward_id == number);
    CHECK(m->customer_id == customer_of(id));
    CHECK(r->customer_id == customer_of(id));
    CHECK(w->customer_id == customer_of(id));
    const bool exchanged = w->status == wallet_status::exchanged;
    CHECK(exchanged == (g != nullptr));
    CHECK(exchanged == (r->status == reward_status::exchanged));
    if (g != nullptr) CHECK(g->wallet_id == number);

    const auto page = b.row<mypage>(mypages, id);
    REQUIRE(page);
    CHECK(crema::testing::same(
        *page, mypage{m->customer_id, number, number, number, exchanged ? m->reward_id : std::nullopt, m->status, r->status, w->status}));
  }
  for (std::uint64_t id = 1; id <= tried; ++id) {
    std::int64_t gifts = 0, exchanges = 0;
    for (const auto& h : b.log()) {
      if (h.id != id) continue;
      if (h.event.as<gift_exchanged>() != nullptr) ++gifts;
      if (h.event.as<gift_returned>() != nullptr) --gifts;
      if (h.event.as<wallet_exchanged>() != nullptr) ++exchanges;
    }
    CHECK(gifts == exchanges);
    CHECK(gifts <= 1);
  }
}

}  // namespace

TEST_CASE("rewards: given the gift's answer is lost, when the wallet is exchanged again, then it has one gift") {
  board b(crema::rewards::rewards());
  chance random(1);
  REQUIRE_FALSE(b.tell(in_mission, 1, achieved_by(customer_of(1))));
  b.deliver_all(random);
  b.answer_is_lost = [](const value&) { return true; };
  REQUIRE(b.tell(in_wallet, 1, value::of(exchange_wallet{})));
  const auto* w = b.state<wallet>(in_wallet, 1);
  const auto page = b.row<mypage>(mypages, 1);
  REQUIRE(w != nullptr);
  REQUIRE(page);
  CHECK(w->status == wallet_status::created);
  CHECK_FALSE(page->gift_id);
  b.answer_is_lost = [](const value&) { return false; };
  REQUIRE_FALSE(b.tell(in_wallet, 1, value::of(exchange_wallet{})));  // before the undo had arrived by itself
  REQUIRE(b.tell(in_wallet, 1, value::of(exchange_wallet{})));
  crema::testing::drain(b, random);
  all_is_well(b, 1);
}

TEST_CASE("rewards: given the reward is stopped, when missions are achieved, then both get their reward after it starts") {
  board b(crema::rewards::rewards());
  chance random(1);
  b.stopped = {in_reward};
  for (const std::uint64_t id : {1U, 2U}) {
    REQUIRE_FALSE(b.tell(in_mission, id, achieved_by(customer_of(id))));
    b.deliver_all(random);
    CHECK_FALSE(b.state<mission>(in_mission, id)->reward_id);
  }
  crema::testing::drain(b, random);
  all_is_well(b, 2);
}

TEST_CASE("rewards: whatever is achieved, exchanged, stopped and lost, in whatever order, all is well in the end") {
  std::size_t exchanged = 0, taken_back = 0;
  const bool all_seeds = crema::testing::under_seeds(200, [&](chance& random) {
    board b(crema::rewards::rewards());
    std::uint64_t tried = 0;
    const auto something = [&] {
      const auto some = 1 + random.below(tried + 1);
      switch (random.below(8)) {
        case 0:
        case 1:
          ++tried;
          (void)b.tell(in_mission, tried, achieved_by(customer_of(tried)));
          break;
        case 2:
          if (some <= tried) (void)b.tell(in_mission, some, achieved_by(customer_of(some)));
          break;
        case 3:
        case 4:
        case 5: (void)b.tell(in_wallet, some, value::of(exchange_wallet{})); break;
        case 6: crema::testing::stop_or_start(b, random); break;
        default: break;
      }
    };
    crema::testing::trouble(b, random, something);
    for (int step = 0; step < 80; ++step) {
      something();
      b.deliver_some(random, 3);
      nothing_false_is_shown(b);
    }
    crema::testing::drain(b, random);
    all_is_well(b, tried);
    exchanged += b.recorded<wallet_exchanged>().size();
    taken_back += b.recorded<gift_returned>().size();
  });
  if (all_seeds) {
    CHECK(exchanged > 100);
    CHECK(taken_back > 100);
  }
}
