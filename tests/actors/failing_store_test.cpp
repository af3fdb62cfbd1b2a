// A disk that fails at any of its operations: the node says so and answers nobody of the batch; what it finds at its next start is whole.
#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;
using storage::failed_commit;
using storage::storage_errc;

namespace {

struct kind_of_failure {
  const char* name;
  storage_errc code;
  failed_commit after;
};

constexpr kind_of_failure failures[] = {{"io, lost", storage_errc::io, failed_commit::lost},
                                        {"io, kept", storage_errc::io, failed_commit::kept},
                                        {"full", storage_errc::full, failed_commit::lost}};

/// False: the story has fewer operations.
bool fail_at(const scenario& story, std::uint64_t nth, const kind_of_failure& how, std::size_t batch_items_max) {
  CAPTURE(story.name, nth, how.name, batch_items_max);
  auto settings = few_partitions();
  settings.batch_items_max = batch_items_max;
  const auto disk = std::shared_ptr<storage::store>(storage::make_memory_store());
  const auto plan = std::make_shared<storage::fault_plan>();
  stepped_node n(story.system(), settings, std::shared_ptr<storage::store>(storage::make_faulty_store(disk, plan)));
  story.prepare(n);
  const auto before = plan->operations();
  plan->fail_nth(nth, how.code, how.after);
  const auto all = story.begin(n);
  const bool timers_run = story.name == "accounts";
  n.settle();
  if (timers_run) n.advance(milliseconds(20));
  const bool struck = plan->operations() - before >= nth;
  if (!struck) return false;
  CHECK_FALSE(n.failed_with.empty());
  CHECK_FALSE(n.node().ready());
  CHECK_FALSE(n.node().live());
  CHECK_FALSE(n.commit());
  const auto answered = count_ok(all);
  std::vector<int> answers_then;
  for (const auto& p : all) answers_then.push_back(p->answers);
  const auto late = n.send(n.system().contexts[0].name, 1, cafeteria::cancel_order{});
  CHECK(late->answers == 1);
  CHECK(late->answer->refused->kind == rejection_kind::stopped);
  n.crash_onto(disk);
  n.settle();
  CHECK(n.node().ready());
  n.advance(milliseconds(1300));
  for (const auto& p : all) CHECK(p->answers <= 1);
  CHECK(count_ok(all) == answered);
  if (how.after == failed_commit::lost) {
    story.check(n, all);
  } else {
    // More may be there than anybody was told of: what was told, though, and by nobody's halves.
    if (story.system().name == "testsystem")
      check_accounts(n);
    else
      check_cafeteria(n);
    if (story.name == "place orders") CHECK(all_rows<cafeteria::order>(n, "order").size() >= static_cast<std::size_t>(answered));
  }
  check_at_rest(n);
  return true;
}

void fail_everywhere(const scenario& story) {
  for (const auto& how : failures)
    for (const std::size_t items : {std::size_t{1}, std::size_t{4096}})
      for (std::uint64_t nth = 1; fail_at(story, nth, how, items); ++nth) {}
}

}  // namespace

TEST_CASE(
    "failing disk: given orders being placed, when any operation fails, then what was acknowledged is there after the restart and nothing "
    "is there by halves") {
  fail_everywhere(place_orders());
}

TEST_CASE("failing disk: given orders being canceled, when any operation fails, then the saga is finished after the restart") {
  fail_everywhere(cancel_orders());
}

TEST_CASE(
    "failing disk: given accounts that are asked, told and reminded, when any operation fails, then each step is there once or not at "
    "all") {
  fail_everywhere(account_mix());
}

TEST_CASE("failing disk: given a batch that failed, then nobody of it was answered, also not those whose record is on disk") {
  for (const auto& how : failures) {
    const auto disk = std::shared_ptr<storage::store>(storage::make_memory_store());
    const auto plan = std::make_shared<storage::fault_plan>();
    stepped_node n(test_system(), few_partitions(), std::shared_ptr<storage::store>(storage::make_faulty_store(disk, plan)));
    n.settle();
    plan->fail_nth(storage::write_operation::commit, 1, how.code, how.after);
    const auto a = n.send("account", {}, deposit{1, "a"});
    const auto b = n.send("account", {}, transfer{2, "b", "l"});
    n.settle();
    n.advance(milliseconds(50));
    CHECK(a->answers == 0);
    CHECK(b->answers == 0);
    CHECK(plan->operations(storage::write_operation::commit) >= 1);
    const auto commits = plan->operations(storage::write_operation::commit);
    n.settle();
    CHECK(plan->operations(storage::write_operation::commit) == commits);  // a sync is never tried again
    n.crash_onto(disk);
    n.settle();
    CHECK(all_rows<account>(n, "account").size() == (how.after == failed_commit::kept ? 2U : 0U));
    check_accounts(n);
    check_at_rest(n);
  }
}
