// Short stories that tests cut off at every possible step. Each is prepared, begun, and checked when the node has come to rest: whatever
// happened, what was answered with yes is there once and whole, and nothing is there of what was answered with no.
#pragma once

#include <functional>

#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/payment.hpp"
#include "behaviors/cafeteria/sale.hpp"
#include "behaviors/rewards/gift.hpp"
#include "behaviors/rewards/mission.hpp"
#include "behaviors/rewards/rewards.hpp"
#include "behaviors/rewards/wallet.hpp"
#include "tests/actors/books.hpp"
#include "tests/actors/test_system.hpp"
#include "tests/support/chance.hpp"

namespace crema::testing {

using answers = std::vector<std::shared_ptr<stepped_node::pending>>;

struct scenario {
  std::string name;
  system_declaration (*system)();
  std::function<void(stepped_node&)> prepare;
  std::function<answers(stepped_node&)> begin;
  std::function<void(stepped_node&, const answers&)> check;
};

std::int64_t count_ok(const answers& all);

template <record Row>
std::map<std::uint64_t, Row> all_rows(stepped_node& n, std::string_view context) {
  std::map<std::uint64_t, Row> all;
  page_request every;
  every.limit = 10000;
  const auto page = n.node().list({false, n.system().context_named(context).index}, every);
  for (const auto& r : page->rows) all.emplace(r.id, *r.row.template as<Row>());
  return all;
}

// ---- the cafeteria

/// Orders, payments, drinks and sales tell the same story.
void check_cafeteria(stepped_node& n);

scenario place_orders();

scenario cancel_orders();

// ---- the rewards: a wallet asks for its gift, and finds one that is there already

/// The wallet is there, and asked to be exchanged.
std::shared_ptr<stepped_node::pending> begin_exchange(stepped_node& n);

/// An exchanged wallet has its gift, another has none.
void check_exchange(stepped_node& n);

/// As n.settle(), but the seed picks which actor goes next, and when the disk does.
void settle_in_any_order(stepped_node& n, chance& random);

// ---- the test system

void check_accounts(stepped_node& n);

std::size_t times(const std::string& text, const std::string& part);

scenario account_mix();

std::vector<scenario> all_scenarios();

actors::runtime_settings few_partitions();
/// One step a commit: what is released together elsewhere is not here.
actors::runtime_settings lanes_one_by_one();

}  // namespace crema::testing
