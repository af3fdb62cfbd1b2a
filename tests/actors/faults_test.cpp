// What a fault may say, and what the board makes of it.
#include "actors/faults.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/actors/test_system.hpp"

using namespace crema;
using namespace crema::actors;

using nlohmann::json;
using scope = fault_target::scope;

namespace {

constexpr std::uint16_t account_context = 0, ledger_context = 1, shadow_context = 2, desk_context = 3;

const system_declaration& system_of_accounts() {
  static const auto s = testing::test_system();
  return s;
}

fault good(const json& fields) {
  auto f = fault_from_json(fields, system_of_accounts(), 2, 7);
  if (!f) FAIL(fields.dump() << ": " << f.why().detail);
  return *f;
}

rejection bad(const json& fields) {
  const auto f = fault_from_json(fields, system_of_accounts(), 2, 7);
  if (f) FAIL(fields.dump() << " was taken");
  return f.why();
}

std::string strikes_of(fault_board& board, int asked) {
  std::string pattern;
  for (int i = 0; i < asked; ++i) pattern += board.at_link(account_context, shadow_context, i) ? 'x' : '.';
  return pattern;
}

}  // namespace

TEST_CASE("fault target: each form names what it says") {
  const auto target = [](std::string_view text) {
    const auto t = parse_target(text, system_of_accounts(), 2);
    REQUIRE(t);
    return *t;
  };
  CHECK(target("ledger").is == scope::context);
  CHECK(target("ledger").context == ledger_context);
  CHECK(target("account/17").is == scope::aggregate);
  CHECK(target("account/17").id == 17);
  CHECK(target("account->shadow").is == scope::link);
  CHECK(target("account->shadow").from == account_context);
  CHECK(target("account->shadow").context == shadow_context);
  CHECK(target("journal").is == scope::journal);
  CHECK(target("node").is == scope::node);
  for (const auto* child : {"account/partition-0", "account/partition-1", "account/supervisor", "account/bulkhead", "desk/projector",
                            "desk/notifier", "timers", "housekeeper", "root"}) {
    CHECK(target(child).is == scope::child);
    CHECK(target(child).child == child);
  }
}

TEST_CASE("fault target: what names nothing is refused with what there is") {
  const auto why = [](std::string_view text) {
    const auto t = parse_target(text, system_of_accounts(), 2);
    REQUIRE_FALSE(t);
    CHECK(t.why().field == "target");
    return t.why().detail;
  };
  CHECK_THAT(why("acount"), Catch::Contains("did you mean 'account'?"));
  CHECK_THAT(why("acount/3"), Catch::Contains("did you mean 'account'?"));
  CHECK_THAT(why("zzzzzzzz"), Catch::Contains("account, ledger, shadow, desk"));
  CHECK_THAT(why("account->ledgre"), Catch::Contains("did you mean 'ledger'?"));
  CHECK_THAT(why("account/partition-2"), Catch::Contains("partition-0 … partition-1"));
  CHECK_THAT(why("account/projector"), Catch::Contains("supervisor, bulkhead"));
  CHECK_THAT(why("account/0"), Catch::Contains("account/17"));
  CHECK_THAT(why("desk/3"), Catch::Contains("projector, notifier"));
  CHECK_THAT(why(""), Catch::Contains("no context"));
}

TEST_CASE("fault: what does not fit together is refused with the field and the fix") {
  const auto refused = [](const json& fields, const char* field, const char* fix) {
    const auto why = bad(fields);
    CHECK(why.field == field);
    CHECK_THAT(why.detail, Catch::Contains(fix));
  };
  refused({{"kind", "slow"}}, "target", "required");
  refused({{"target", "account"}}, "kind", "required");
  refused({{"target", "account"}, {"kind", "slwo"}}, "kind", "did you mean 'slow'?");
  refused({{"target", "account"}, {"kind", "throw"}, {"rates", 1}}, "rates", "did you mean 'rate'?");
  refused({{"target", "account"}, {"kind", "slow"}}, "delayMaxMs", "such as 620");
  refused({{"target", "account"}, {"kind", "slow"}, {"delayMinMs", 5}, {"delayMaxMs", 4}}, "delayMaxMs", "at least delayMinMs");
  refused({{"target", "account"}, {"kind", "throw"}, {"delayMaxMs", 4}}, "delayMaxMs", "leave it out");
  refused({{"target", "account"}, {"kind", "throw"}, {"rate", 0}}, "rate", "above 0");
  refused({{"target", "account"}, {"kind", "throw"}, {"rate", 2}}, "rate", "between 0 and 1");
  refused({{"target", "account"}, {"kind", "drop"}}, "target", "order->payment");
  refused({{"target", "account->shadow"}, {"kind", "hang"}}, "target", "payment/17");
  refused({{"target", "account/supervisor"}, {"kind", "slow"}, {"delayMaxMs", 4}}, "target", "the journal");
  refused({{"target", "account/supervisor"}, {"kind", "stall"}}, "target", "projector");
  refused({{"target", "account"}, {"kind", "torn"}}, "target", "must be the journal");
  refused({{"target", "node"}, {"kind", "jump"}}, "byMs", "3600000");
  refused({{"target", "node"}, {"kind", "zombie"}, {"byMs", 1}}, "byMs", "jump only");
  refused({{"target", "node"}, {"kind", "zombie"}, {"count", 1}}, "count", "leave it out");
  refused({{"target", "node"}, {"kind", "kill"}, {"rate", 0.5}}, "rate", "leave it out");
}

TEST_CASE("fault: what is taken is listed as it was said, with what was filled in") {
  const auto f = good({{"target", "account->shadow"}, {"kind", "drop"}, {"rate", 0.25}, {"durationMs", "500"}, {"note", "a drill"}});
  auto listed = to_json(f);
  CHECK(listed.at("seed") > 0);
  listed.erase("seed");
  CHECK(listed == json({{"id", 0},
                        {"target", "account->shadow"},
                        {"kind", "drop"},
                        {"rate", 0.25},
                        {"durationMs", 500},
                        {"note", "a drill"},
                        {"fired", 0},
                        {"state", "on"}}));
  CHECK(to_json(good({{"target", "account/supervisor"}, {"kind", "crash"}})).at("count") == 1);
  CHECK(to_json(good({{"target", "account->shadow"}, {"kind", "reorder"}})).at("delayMaxMs") > 0);
  CHECK(to_json(good({{"target", "node"}, {"kind", "jump"}, {"byMs", -5}})).at("byMs") == -5);
}

TEST_CASE("fault board: given no fault, then nothing watches, and one that is removed leaves it so") {
  fault_board board;
  CHECK_FALSE(board.watching());
  const auto id = board.add(good({{"target", "account->shadow"}, {"kind", "drop"}}), 0);
  CHECK(board.watching());
  CHECK(board.watching_links());
  CHECK(board.at_link(account_context, shadow_context, 0)->fault == id);
  CHECK_FALSE(board.at_link(shadow_context, account_context, 0));
  CHECK_FALSE(board.at_handler(shadow_context, 1, 0));
  CHECK(board.remove(id));
  CHECK_FALSE(board.remove(id));
  CHECK_FALSE(board.watching());
  CHECK_FALSE(board.watching_links());
  CHECK_FALSE(board.at_link(account_context, shadow_context, 0));
}

TEST_CASE("fault board: given a rate and a seed, then the same occasions are struck each time, about as many as the rate says") {
  const json fields = {{"target", "account->shadow"}, {"kind", "drop"}, {"rate", 0.3}, {"seed", 42}};
  fault_board one, two, other;
  (void)one.add(good(fields), 0);
  (void)two.add(good(fields), 0);
  auto third = fields;
  third["seed"] = 43;
  (void)other.add(good(third), 0);
  const auto pattern = strikes_of(one, 1000);
  CHECK(pattern == strikes_of(two, 1000));
  CHECK(pattern != strikes_of(other, 1000));
  const auto struck = std::count(pattern.begin(), pattern.end(), 'x');
  CHECK(struck > 250);
  CHECK(struck < 350);
  CHECK(one.all(0).at(0).fired == static_cast<std::uint64_t>(struck));
}

TEST_CASE("fault board: given a count, then it strikes so often; given a duration, then so long") {
  fault_board board;
  (void)board.add(good({{"target", "account->shadow"}, {"kind", "drop"}, {"count", 2}}), 0);
  CHECK(strikes_of(board, 4) == "xx..");
  CHECK(board.all(0).at(0).over);
  CHECK_FALSE(board.watching());
  (void)board.add(good({{"target", "account->shadow"}, {"kind", "drop"}, {"durationMs", 3}}), 0);
  CHECK(board.next_end_ms() == 3);
  CHECK(strikes_of(board, 5) == "xxx..");
  board.expire(3);
  CHECK_FALSE(board.watching());
  CHECK_FALSE(board.next_end_ms());
  CHECK(board.all(3).size() == 2);
  CHECK(board.clear() == 2);
}

TEST_CASE("fault board: who asks is struck by what names him") {
  fault_board board;
  (void)board.add(good({{"target", "account/7"}, {"kind", "crash"}}), 0);
  (void)board.add(good({{"target", "ledger"}, {"kind", "full"}}), 0);
  (void)board.add(good({{"target", "desk/projector"}, {"kind", "stall"}}), 0);
  (void)board.add(good({{"target", "account/partition-1"}, {"kind", "crash"}}), 0);
  (void)board.add(good({{"target", "journal"}, {"kind", "full"}}), 0);
  CHECK(board.at_handler(account_context, 7, 0)->kind == fault_kind::crash);
  CHECK_FALSE(board.at_handler(account_context, 8, 0));
  CHECK_FALSE(board.at_handler(ledger_context, 7, 0));
  CHECK(board.at_mailbox(ledger_context, 1, 0)->kind == fault_kind::full);
  CHECK_FALSE(board.at_mailbox(account_context, 1, 0));
  CHECK(board.at_projector(desk_context, 0));
  CHECK_FALSE(board.at_projector(account_context, 0));
  CHECK_FALSE(board.at_child("account/partition-0", 0));
  CHECK(board.at_child("account/partition-1", 0));
  CHECK_FALSE(board.at_child("account/partition-1", 0));  // once, unless more was asked for
  CHECK(board.at_commit(0)->kind == fault_kind::full);
}

TEST_CASE("fault board: given several on the same occasion, then the rarest strikes, and none changes where another does") {
  const json often = {{"target", "account"}, {"kind", "slow"}, {"delayMaxMs", 5}},
             seldom = {{"target", "account"}, {"kind", "crash"}, {"rate", 0.2}, {"seed", 9}};
  fault_board together, alone;
  (void)together.add(good(often), 0);
  (void)together.add(good(seldom), 0);
  (void)alone.add(good(seldom), 0);
  int crashes = 0;
  for (int i = 0; i < 200; ++i) {
    const bool crash = alone.at_handler(account_context, 1, i).has_value();
    CHECK(together.at_handler(account_context, 1, i)->kind == (crash ? fault_kind::crash : fault_kind::slow));
    crashes += crash ? 1 : 0;
  }
  CHECK(crashes > 10);
}

TEST_CASE("fault board: each strike is told with how often it struck, and is worth a line once a second") {
  fault_board board;
  std::vector<std::pair<std::uint64_t, bool>> told;
  board.on_strike([&](const fault& f, bool line) { told.emplace_back(f.fired, line); });
  (void)board.add(good({{"target", "account"}, {"kind", "throw"}}), 0);
  for (const auto now : {0, 10, 999, 1000, 1001}) (void)board.at_handler(account_context, 1, now);
  CHECK(told == std::vector<std::pair<std::uint64_t, bool>>{{1, true}, {2, false}, {3, false}, {4, true}, {5, false}});
}

TEST_CASE("fault board: a state of the node strikes at once and lasts as long as it may") {
  fault_board board;
  int told = 0;
  board.on_strike([&](const fault&, bool) { ++told; });
  const auto zombie = board.add(good({{"target", "node"}, {"kind", "zombie"}, {"durationMs", 100}}), 0);
  (void)board.add(good({{"target", "node"}, {"kind", "jump"}, {"byMs", 5000}}), 0);
  (void)board.add(good({{"target", "node"}, {"kind", "jump"}, {"byMs", -1000}, {"durationMs", 50}}), 0);
  CHECK(told == 3);
  CHECK(board.zombie(99));
  CHECK_FALSE(board.zombie(100));
  CHECK(board.lasts(zombie, 99));
  CHECK_FALSE(board.lasts(zombie, 100));
  CHECK(board.clock_is_off_by_ms(49) == 4000);
  CHECK(board.clock_is_off_by_ms(50) == 5000);
}

TEST_CASE("fault board: what is on the detour keeps others on it after the fault is gone") {
  fault_board board;
  const auto id = board.add(good({{"target", "account->shadow"}, {"kind", "delay"}, {"delayMaxMs", 5}}), 0);
  auto watch = board.keep_watching_links();
  board.remove(id);
  CHECK(board.watching());
  CHECK(board.watching_links());
  watch.reset();
  CHECK_FALSE(board.watching());
  CHECK_FALSE(board.watching_links());
}
