// Blocks that are reserved ahead of what the store uses, and what becomes of it where the disk has none left.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "storage/lmdb/lmdb_store.hpp"
#include "tests/storage/temporary_directory.hpp"
#include "tests/support/small_disk.hpp"

using namespace crema::storage;
using crema::tests::small_disk;
using crema::tests::temporary_directory;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib;
constexpr std::uint64_t slack = 64 * kib;  // what a file system counts for its own tables

void put_one(store& s, std::size_t number, std::size_t bytes = 50'000) {
  const auto tx = s.write();
  tx->put(table::state, "key " + std::to_string(number), std::string(bytes, 'x'));
  tx->commit();
}

std::optional<storage_errc> refusal_of(store& s, std::size_t number) {
  try {
    put_one(s, number);
  } catch (const storage_error& e) { return e.code(); }
  return std::nullopt;
}

struct on_disk {
  std::uint64_t length, blocks;
};
on_disk file_of(const fs::path& directory) {
  struct stat found {};
  REQUIRE(stat((directory / "data.mdb").c_str(), &found) == 0);
  return {static_cast<std::uint64_t>(found.st_size), static_cast<std::uint64_t>(found.st_blocks) * 512};
}

bool can_reserve(const fs::path& directory) {
  const int file = open((directory / "probe").c_str(), O_RDWR | O_CREAT, 0600);
  const bool can = fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;
  close(file);
  return can;
}

lmdb_options in_steps(std::uint64_t step, std::uint64_t reserve = 0) {
  lmdb_options o;
  o.preallocate_bytes = step;
  o.reserve_bytes = reserve;
  return o;
}

constexpr auto no_disk = "skipped: only root can mount the disk that this test fills";
constexpr auto no_blocks = "skipped: the file system of the temporary directory cannot reserve blocks";
bool left_out(bool possible, const char* why) {
  if (!possible) WARN(why);
  return !possible;
}

}  // namespace

TEST_CASE(
    "preallocation: between half a step and a whole one is ahead after each commit, behind the file's end, and given back at the close") {
  temporary_directory d;
  if (left_out(can_reserve(d.path), no_blocks)) return;
  {
    const auto s = open_lmdb(d.path, in_steps(4 * mib));
    CHECK(file_of(d.path).blocks <= file_of(d.path).length + slack);  // opening alone takes nothing
    for (std::size_t i = 0; i < 200; ++i) {
      put_one(*s, i);
      const auto now = file_of(d.path);
      REQUIRE(now.blocks >= now.length + 2 * mib);
      REQUIRE(now.blocks <= now.length + 4 * mib + slack);
    }
    CHECK(file_of(d.path).length >= 10 * mib);
    CHECK(s->has_room());
  }
  CHECK(file_of(d.path).blocks <= file_of(d.path).length + slack);
  CHECK(open_lmdb(d.path)->read()->count(table::state) == 200);
}

TEST_CASE("preallocation: a step of 0 reserves nothing, and one that is larger than the store may grow ends at its limit") {
  temporary_directory none, much;
  if (left_out(can_reserve(none.path), no_blocks)) return;
  const auto plain = open_lmdb(none.path, in_steps(0));
  put_one(*plain, 1);
  CHECK(file_of(none.path).blocks <= file_of(none.path).length + slack);
  auto limited = in_steps(1024 * mib);
  limited.map_bytes_max = 8 * mib;
  const auto s = open_lmdb(much.path, limited);
  put_one(*s, 1);
  CHECK(file_of(much.path).blocks >= 8 * mib);
  CHECK(file_of(much.path).blocks <= 8 * mib + slack);
  CHECK(s->has_room());
}

TEST_CASE("preallocation: a copy has nothing ahead, and what a killed process had is given back by the next one") {
  temporary_directory d, other;
  if (left_out(can_reserve(d.path), no_blocks)) return;
  const auto child = fork();
  if (child == 0) {
    const auto s = open_lmdb(d.path, in_steps(16 * mib));
    put_one(*s, 1);
    s->copy_to(other.path / "copy", {});
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  CHECK(file_of(d.path).blocks >= 8 * mib);
  CHECK(file_of(other.path / "copy").blocks < mib);
  const auto s = open_lmdb(d.path, in_steps(0));
  CHECK(file_of(d.path).blocks <= file_of(d.path).length + slack);
  CHECK(s->read()->count(table::state) == 1);
}

TEST_CASE(
    "preallocation: on a disk that fills up there is first no room for more, then a commit is refused, and all that was kept is there") {
  small_disk disk(48 * mib);
  if (left_out(disk.mounted(), no_disk)) return;
  constexpr auto reserve = 8 * mib, step = 8 * mib;
  std::size_t kept = 0;
  {
    const auto s = open_lmdb(disk.path(), in_steps(step, reserve));
    for (; s->has_room() && kept < 2000; ++kept) put_one(*s, kept);
    CHECK_FALSE(s->has_room());
    CHECK(disk.bytes_free() >= reserve);
    const auto before = kept;
    std::optional<storage_errc> refused;
    while (!(refused = refusal_of(*s, kept)) && kept < 2000) ++kept;
    CHECK(refused == storage_errc::full);
    CHECK((kept - before) * 50'000 >= step / 2 * 3 / 4);  // half a step at least, with LMDB's own pages
    CHECK(disk.bytes_free() >= reserve - mib);            // what one commit of these may take of it
    CHECK(refusal_of(*s, kept) == storage_errc::full);
    CHECK(s->read()->count(table::state) == kept);
  }
  CHECK(open_lmdb(disk.path(), in_steps(step, reserve))->read()->count(table::state) == kept);
}

TEST_CASE("preallocation: where room is made on a disk that was short of it, the store has room again, without a commit") {
  small_disk disk(32 * mib);
  if (left_out(disk.mounted(), no_disk)) return;
  const auto s = open_lmdb(disk.path(), in_steps(8 * mib, 8 * mib));
  std::size_t kept = 0;
  for (; s->has_room() && kept < 2000; ++kept) put_one(*s, kept);
  s->make_room();
  CHECK_FALSE(s->has_room());
  REQUIRE(disk.resize(64 * mib));
  CHECK_FALSE(s->has_room());  // nobody has looked
  s->make_room();
  CHECK(s->has_room());
  put_one(*s, kept);
  CHECK(s->read()->count(table::state) == kept + 1);
}

TEST_CASE("preallocation: a disk that has less than a step and the reserve is short from the first commit on") {
  small_disk disk(16 * mib);
  if (left_out(disk.mounted(), no_disk)) return;
  {
    const auto exact = open_lmdb(disk.path(), in_steps(8 * mib, 4 * mib));
    put_one(*exact, 1);
    CHECK(exact->has_room());
  }
  const auto s = open_lmdb(disk.path(), in_steps(16 * mib, 4 * mib));
  CHECK(s->has_room());
  put_one(*s, 2);
  CHECK_FALSE(s->has_room());
  CHECK(s->read()->count(table::state) == 2);
}

TEST_CASE("preallocation: without a reserve the disk is filled to its last block, which is an error and not the process's end") {
  small_disk disk(16 * mib);
  if (left_out(disk.mounted(), no_disk)) return;
  std::size_t kept = 0;
  bool was_short = false;
  {
    const auto s = open_lmdb(disk.path(), in_steps(4 * mib));
    std::optional<storage_errc> refused;
    for (; !(refused = refusal_of(*s, kept)) && kept < 2000; ++kept) was_short = was_short || !s->has_room();
    CHECK(was_short);
    CHECK((refused == storage_errc::full || refused == storage_errc::io));  // LMDB takes a write that was cut short for an I/O error
    CHECK(disk.bytes_free() < mib);
    CHECK(s->read()->count(table::state) == kept);
  }
  const auto s = open_lmdb(disk.path(), in_steps(4 * mib));
  const auto now = s->read();
  std::size_t walked = 0;
  for (const auto c = now->open(table::state); c->next(); ++walked) CHECK(c->value().size() == 50'000);
  CHECK(walked == kept);
}

TEST_CASE("preallocation: a file system that cannot reserve blocks has room until a commit finds none") {
  small_disk disk;
  if (left_out(disk.mounted(), no_disk)) return;
  REQUIRE_FALSE(can_reserve(disk.path()));
  const auto s = open_lmdb(disk.path(), in_steps(4 * mib));
  for (std::size_t i = 0; i < 200; ++i) put_one(*s, i);
  CHECK(s->has_room());
  CHECK(s->read()->count(table::state) == 200);
}
