// The faults are the asked ones, each leaves a store that recovers, and each place of a scenario can be made to fail.
#include "storage/faulty/faulty_store.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>

#include "storage/memory/memory_store.hpp"

using namespace crema::storage;
using namespace std::chrono_literals;

namespace {

struct disk {
  explicit disk(std::uint64_t seed = 1, fault_plan::sleeper sleep = {}) : plan(std::make_shared<fault_plan>(seed, std::move(sleep))) {}
  std::shared_ptr<store> inner = make_memory_store();
  std::shared_ptr<fault_plan> plan;
  std::unique_ptr<store> s = make_faulty_store(inner, plan);
  void restart() { s = make_faulty_store(inner, plan); }
};

// Two commits of two rows each: an account and its history.
void transfer(store& s) {
  for (const auto* step : {"1", "2"}) {
    const auto tx = s.write();
    tx->put(table::state, "account", step);
    tx->put(table::journal, step, "moved");
    if (step[0] == '2') tx->erase(table::journal, "none");
    tx->commit();
  }
}

std::optional<storage_errc> run(store& s) {
  try {
    transfer(s);
    return std::nullopt;
  } catch (const storage_error& e) { return e.code(); }
}

std::string account(const store& s) { return std::string(s.read()->get(table::state, "account").value_or("0")); }

}  // namespace

TEST_CASE("faulty: without a plan nothing fails, and operations are counted") {
  disk d;
  CHECK_FALSE(run(*d.s).has_value());
  CHECK(d.plan->operations() == 7);
  CHECK(d.plan->operations(write_operation::put) == 4);
  CHECK(d.plan->operations(write_operation::erase) == 1);
  CHECK(d.plan->operations(write_operation::commit) == 2);
  CHECK(account(*d.s) == "2");
}

TEST_CASE("faulty: failing at every operation leaves whole commits, and the scenario goes through after a restart") {
  for (const auto after : {failed_commit::lost, failed_commit::kept})
    for (const auto code : {storage_errc::io, storage_errc::full})
      for (std::uint64_t n = 1; n <= 7; ++n) {
        CAPTURE(n, static_cast<int>(code), static_cast<int>(after));
        disk d;
        d.plan->fail_nth(n, code, after);
        CHECK(run(*d.s) == code);
        const auto snap = d.inner->read();
        CHECK(std::to_string(snap->count(table::journal)) == account(*d.inner));
        const bool commit_kept = after == failed_commit::kept && code == storage_errc::io && (n == 3 || n == 7);
        CHECK(account(*d.inner) == std::to_string((n > 3 ? 1 : 0) + (commit_kept ? 1 : 0)));
        d.restart();
        CHECK_FALSE(run(*d.s).has_value());
        CHECK(account(*d.s) == "2");
      }
}

TEST_CASE("faulty: after an io failure at a commit the store takes no writes until it is opened again") {
  disk d;
  d.plan->fail_nth(write_operation::commit, 1, storage_errc::io);
  CHECK(run(*d.s) == storage_errc::io);
  CHECK(run(*d.s) == storage_errc::io);
  CHECK(account(*d.s) == "0");
  d.restart();
  CHECK_FALSE(run(*d.s).has_value());
}

TEST_CASE("faulty: after a failed put its transaction cannot be committed") {
  disk d;
  d.plan->fail_nth(write_operation::put, 2, storage_errc::full);
  const auto tx = d.s->write();
  tx->put(table::state, "account", "1");
  CHECK_THROWS_AS(tx->put(table::state, "b", "1"), storage_error);
  CHECK_THROWS_AS(tx->commit(), storage_error);
  CHECK_THROWS_AS(tx->get(table::state, "b"), std::logic_error);
  CHECK(account(*d.s) == "0");
  CHECK_FALSE(run(*d.s).has_value());
}

TEST_CASE("faulty: both ends of a failed commit come up under a seed, the same ones each time") {
  const auto ends = [] {
    std::vector<std::string> all;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      disk d(seed);
      d.plan->fail_nth(write_operation::commit, 1, storage_errc::io, failed_commit::by_seed);
      CHECK(run(*d.s) == storage_errc::io);
      all.push_back(account(*d.inner));
    }
    return all;
  };
  const auto first = ends();
  CHECK(first == ends());
  CHECK(std::set<std::string>(first.begin(), first.end()) == std::set<std::string>{"0", "1"});
}

TEST_CASE("faulty: a full disk stays full until it is cleared") {
  disk d;
  d.plan->fail_all(storage_errc::full);
  for (int i = 0; i < 3; ++i) CHECK(run(*d.s) == storage_errc::full);
  d.plan->clear();
  CHECK_FALSE(run(*d.s).has_value());
}

TEST_CASE("faulty: commits take longer within the given range, and only commits") {
  std::vector<std::chrono::milliseconds> slept;
  disk d(1, [&](std::chrono::milliseconds t) { slept.push_back(t); });
  d.plan->delay_commits(10ms, 20ms);
  for (int i = 0; i < 50; ++i) CHECK_FALSE(run(*d.s).has_value());
  CHECK(slept.size() == 100);
  for (const auto t : slept) CHECK((t >= 10ms && t <= 20ms));
  CHECK(std::set<std::chrono::milliseconds>(slept.begin(), slept.end()).size() > 3);
  d.plan->clear();
  CHECK_FALSE(run(*d.s).has_value());
  CHECK(slept.size() == 100);
}

TEST_CASE("faulty: whoever advises is asked before each commit, and what he says happens to that one") {
  std::chrono::milliseconds slept{0};
  disk d(1, [&](std::chrono::milliseconds for_so_long) { slept += for_so_long; });
  int asked = 0;
  d.plan->advise([&] {
    ++asked;
    commit_fault f;
    if (asked == 1) f.delay = 30ms;
    if (asked == 2) f.failure = storage_errc::full;
    return f;
  });
  CHECK(run(*d.s) == storage_errc::full);
  CHECK(asked == 2);
  CHECK(slept == 30ms);
  CHECK(account(*d.inner) == "1");
  d.plan->advise({});
  CHECK_FALSE(run(*d.s).has_value());
  CHECK(asked == 2);
  CHECK(account(*d.inner) == "2");
}

TEST_CASE(
    "faulty: a torn commit is there or not, by the seed, and the store takes no more; where the process dies, it dies in the commit") {
  std::set<std::string> found;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    disk d(seed);
    d.plan->advise([] { return commit_fault{{}, true, 0ms}; });
    CHECK(run(*d.s) == storage_errc::io);
    found.insert(account(*d.inner));
    d.plan->advise({});
    CHECK(run(*d.s) == storage_errc::io);
    d.restart();
    CHECK_FALSE(run(*d.s).has_value());
  }
  CHECK(found == std::set<std::string>{"0", "1"});
  disk d;
  int died = 0;
  d.plan->advise([] { return commit_fault{{}, true, 0ms}; });
  d.plan->on_torn([&] { ++died; });
  CHECK(run(*d.s) == storage_errc::io);  // for a process that lives on: it hears of nothing good
  CHECK(died == 1);
}
