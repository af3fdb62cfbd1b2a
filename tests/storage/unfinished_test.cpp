// What takes several commits to make, ended at every one of its operations: what is left is whole, or says that it is not.
#include <catch2/catch.hpp>

#include "storage/faulty/faulty_store.hpp"
#include "storage/format.hpp"
#include "storage/maintenance.hpp"
#include "tests/storage/small_system.hpp"

using namespace small;

namespace {

const progress_handler quiet = [](const std::string&, std::uint64_t) {};

std::shared_ptr<store> played(std::uint64_t many) {
  std::shared_ptr<store> disk = make_memory_store();
  hand h(*disk);
  for (std::uint64_t id = 1; id <= many; ++id) h.write(hand::step(cups, id, {made("010", 2), filled(3)}));
  h.project();
  return disk;
}

// Why a node would not go on from there; empty: it would.
std::string refusal(store& s) {
  try {
    prepare(s, the_system(), partitions, 1);
    return {};
  } catch (const storage_error& e) { return e.what(); }
}

std::vector<std::string> faults_of(const store& s) { return verify(s, the_system(), quiet).faults; }

// Runs `make` on `disk` with its nth operation failing. False: there are not so many.
template <class Make>
bool fails_at(const std::shared_ptr<store>& disk, std::uint64_t n, Make make) {
  const auto plan = std::make_shared<fault_plan>(n);
  plan->fail_nth(n, storage_errc::io, n % 2 == 0 ? failed_commit::kept : failed_commit::lost);
  const auto failing = make_faulty_store(disk, plan);
  try {
    make(*failing);
    return false;
  } catch (const storage_error&) { return true; }
}

}  // namespace

TEST_CASE("unfinished: given views being made anew, when it ends at any operation, then a node refuses until they are, or they are whole") {
  bool failed = true;
  std::size_t refused = 0;
  for (std::uint64_t n = 1; failed; ++n) {
    CAPTURE(n);
    const auto disk = played(5);
    failed = fails_at(disk, n, [](store& s) { rebuild_and_verify(s, the_system(), quiet); });
    const auto why = refusal(*disk);
    if (why.empty()) {
      CHECK(faults_of(*disk).empty());
      continue;
    }
    ++refused;
    CHECK_THAT(why, Catch::Contains("crema verify --rebuild-views"));
    const auto found = faults_of(*disk);
    REQUIRE_FALSE(found.empty());
    CHECK_THAT(found.front(), Catch::Contains("--rebuild-views"));
    CHECK(rebuild_and_verify(*disk, the_system(), quiet).faults.empty());
    CHECK(refusal(*disk).empty());
  }
  CHECK(refused > 20);
}

TEST_CASE("unfinished: given a restore, when it ends at any operation, then half of it is refused and never served") {
  const auto source = played(5);
  bool failed = true;
  std::size_t refused = 0;
  for (std::uint64_t n = 1; failed; ++n) {
    CAPTURE(n);
    const std::shared_ptr<store> to = make_memory_store();
    failed = fails_at(to, n, [&](store& s) { restore(*source, s, the_system(), 2, std::nullopt, std::nullopt, quiet); });
    if (to->read()->count(table::meta) == 0) continue;  // nothing of it is there
    const auto why = refusal(*to);
    if (why.empty()) {
      CHECK(faults_of(*to).empty());
      CHECK(verify(*to, the_system(), quiet).records == 5);
      continue;
    }
    ++refused;
    CHECK_THAT(why, Catch::Contains("crema restore") || Catch::Contains("crema verify --rebuild-views"));
    if (being_made(*to->read()) == making::restored) {
      CHECK_THROWS_WITH(restore(*source, *to, the_system(), 2, std::nullopt, std::nullopt, quiet), Catch::Contains("was not finished"));
      CHECK_THROWS_WITH(restore(*to, *make_memory_store(), the_system(), 2, std::nullopt, std::nullopt, quiet),
                        Catch::Contains("not finished"));
      CHECK_THROWS_WITH(verify(*to, the_system(), quiet), Catch::Contains("not finished"));
      continue;
    }
    CHECK(rebuild_and_verify(*to, the_system(), quiet).faults.empty());
    CHECK(verify(*to, the_system(), quiet).records == 5);
  }
  CHECK(refused > 20);
}

TEST_CASE("unfinished: given entries without a format, then it is no new directory") {
  const auto disk = make_memory_store();
  const auto tx = disk->write();
  tx->put(table::state, "a", "1");
  tx->commit();
  CHECK_THAT(refusal(*disk), Catch::Contains("not whole"));
}
