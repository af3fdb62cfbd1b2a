// A disk that fails to sync: the store says so and takes nothing more until it is opened again, as a second sync would "succeed" without
// what the first one lost. This binary's own fdatasync stands before the C library's, also for LMDB.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>

#include "storage/lmdb/lmdb_store.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace {
std::atomic<bool> syncs_fail{false};
std::atomic<int> syncs{0};

int sync_unless_it_fails(long call, int file) {
  ++syncs;
  if (!syncs_fail) return static_cast<int>(syscall(call, file));
  errno = EIO;
  return -1;
}
}  // namespace

extern "C" int fdatasync(int file) { return sync_unless_it_fails(SYS_fdatasync, file); }

using namespace crema;
using namespace crema::storage;

TEST_CASE(
    "lmdb: given a sync that fails, then the commit fails, nothing more is taken, and what was committed before is there after a restart") {
  const tests::temporary_directory directory;
  {
    const auto store = open_lmdb(directory.path, {});
    const auto commit = [&](const char* key) {
      const auto tx = store->write();
      tx->put(table::state, key, "value");
      tx->commit();
    };
    commit("before");
    const int before = syncs;
    syncs_fail = true;
    try {
      commit("lost");
      FAIL("the commit took place");
    } catch (const storage_error& e) { CHECK(e.code() == storage_errc::io); }
    syncs_fail = false;
    CHECK(syncs == before + 1);  // not tried again
    try {
      commit("after");
      FAIL("the store goes on after a failed sync");
    } catch (const storage_error& e) {
      CHECK(e.code() == storage_errc::io);
      CHECK(std::string(e.what()).find("restart") != std::string::npos);
    }
    CHECK(syncs == before + 1);
    CHECK(store->read()->get(table::state, "before").has_value());
  }
  const auto store = open_lmdb(directory.path, {});
  CHECK(store->read()->get(table::state, "before").has_value());
  CHECK_FALSE(store->read()->get(table::state, "after").has_value());
}
