// What the store on a disk promises beyond the contract: one process, limits, copies, damaged files, a killed process.
#include "storage/lmdb/lmdb_store.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/storage/temporary_directory.hpp"

using namespace crema::storage;
using crema::tests::temporary_directory;
namespace fs = std::filesystem;

namespace {

void put_one(store& s, std::string_view key, std::string_view value) {
  const auto tx = s.write();
  tx->put(table::state, key, value);
  tx->commit();
}

std::string what_of(const storage_error& e) { return e.what(); }

template <class F>
std::optional<storage_errc> code_of(F f) {
  try {
    f();
  } catch (const storage_error& e) {
    CHECK(what_of(e).find(';') != std::string::npos);  // what went wrong; what to do
    return e.code();
  }
  return std::nullopt;
}

// Runs f in a child process, which ends with f's result.
template <class F>
int in_child(F f) {
  const auto child = fork();
  if (child == 0) _exit(f());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// Fills the store until it says that it is full.
std::size_t fill(store& s) {
  std::size_t kept = 0;
  for (; kept < 100'000; ++kept)
    if (const auto code = code_of([&] { put_one(s, "key " + std::to_string(kept), std::string(2000, 'x')); })) {
      CHECK(*code == storage_errc::full);
      return kept;
    }
  FAIL("never full");
  return kept;
}

}  // namespace

TEST_CASE("lmdb: a directory belongs to one process") {
  temporary_directory d;
  auto s = open_lmdb(d.path);
  const int answer = in_child([&] {
    try {
      open_lmdb(d.path);
      return 0;
    } catch (const storage_error& e) {
      const bool names_holder = what_of(e).find("process " + std::to_string(getppid())) != std::string::npos;
      return e.code() == storage_errc::locked && names_holder ? 7 : 8;
    }
  });
  CHECK(answer == 7);
  CHECK(code_of([&] { open_lmdb(d.path); }) == storage_errc::locked);
  put_one(*s, "a", "still works");
  s.reset();
  CHECK(in_child([&] { return open_lmdb(d.path)->read()->get(table::state, "a") == "still works" ? 7 : 8; }) == 7);
  CHECK(open_lmdb(d.path)->read()->count(table::state) == 1);
}

TEST_CASE("lmdb: a killed process leaves its commits, and nothing of what it had not committed") {
  temporary_directory d;
  const int end = in_child([&] {
    const auto s = open_lmdb(d.path);
    for (int i = 0; i < 50; ++i) put_one(*s, "key " + std::to_string(i), std::string(3000, 'x'));
    const auto snap = s->read();
    const auto tx = s->write();
    for (int i = 0; i < 500; ++i) tx->put(table::journal, "lost " + std::to_string(i), std::string(3000, 'x'));
    return kill(getpid(), SIGKILL);
  });
  CHECK(end == 1000 + SIGKILL);
  const auto s = open_lmdb(d.path);
  CHECK(s->read()->count(table::state) == 50);
  CHECK(s->read()->count(table::journal) == 0);
  put_one(*s, "and on", "it goes");
}

TEST_CASE("lmdb: at the map's limit it is full, keeps what it had, and reopens with more room") {
  temporary_directory d;
  lmdb_options small;
  small.map_bytes_max = 2 << 20;
  std::size_t kept = 0;
  {
    const auto s = open_lmdb(d.path, small);
    kept = fill(*s);
    CHECK(kept > 100);
    CHECK(s->read()->count(table::state) == kept);
    const auto tx = s->write();
    CHECK(code_of([&] { tx->put(table::journal, "big", std::string(4 << 20, 'x')); }) == storage_errc::full);
    CHECK(code_of([&] { tx->commit(); }) == storage_errc::full);
  }
  const auto s = open_lmdb(d.path);
  CHECK(s->read()->count(table::state) == kept);
  put_one(*s, "more", std::string(4 << 20, 'x'));
}

TEST_CASE("lmdb: near the map's limit nothing new begins, a restart at it comes up and goes on, and a higher limit heals it") {
  temporary_directory d;
  lmdb_options small;
  small.map_bytes_max = 8 << 20;
  small.map_reserve_bytes = 1 << 20;
  small.preallocate_bytes = 0;
  std::size_t kept = 0;
  {
    const auto s = open_lmdb(d.path, small);
    for (; s->short_of() == shortage::none && kept < 100'000; ++kept) put_one(*s, "key " + std::to_string(kept), std::string(2000, 'x'));
    CHECK(s->short_of() == shortage::limit);
    const auto used = fs::file_size(d.path / "data.mdb");
    CHECK(used <= small.map_bytes_max - small.map_reserve_bytes + 100'000);
    CHECK(used >= small.map_bytes_max - small.map_reserve_bytes - 100'000);
    CHECK(fill(*s) > kept);  // what is under way goes on: the same keys again, then more
  }
  for (int restart = 0; restart < 3; ++restart) {
    const auto s = open_lmdb(d.path, small);
    CHECK(s->short_of() == shortage::limit);
    for (int i = 0; i < 50; ++i) put_one(*s, "undo " + std::to_string(restart) + "/" + std::to_string(i), std::string(2000, 'x'));
    s->make_room();
    CHECK(s->short_of() == shortage::limit);
    CHECK(s->read()->get(table::state, "key 1"));
  }
  small.map_bytes_max = 32 << 20;
  const auto s = open_lmdb(d.path, small);
  CHECK(s->short_of() == shortage::none);
  put_one(*s, "more", std::string(4 << 20, 'x'));
}

TEST_CASE("lmdb: below the reserve of free disk space a commit is refused and reading goes on") {
  temporary_directory d;
  put_one(*open_lmdb(d.path), "a", "1");
  lmdb_options greedy;
  greedy.reserve_bytes = 1ULL << 60U;
  {
    const auto s = open_lmdb(d.path, greedy);
    CHECK(code_of([&] { put_one(*s, "b", "2"); }) == storage_errc::full);
    CHECK(code_of([&] { put_one(*s, "b", "2"); }) == storage_errc::full);
    s->write()->commit();  // nothing to write needs no room
    CHECK(s->read()->get(table::state, "a") == "1");
  }
  CHECK(open_lmdb(d.path)->read()->count(table::state) == 1);
}

TEST_CASE("lmdb: a copy taken while the store is written to is whole") {
  temporary_directory d, other;
  const auto s = open_lmdb(d.path);
  for (int i = 0; i < 500; ++i) put_one(*s, "key " + std::to_string(i), std::string(500, 'x'));
  std::thread writer([&] {
    for (int i = 500; i < 700; ++i) put_one(*s, "key " + std::to_string(i), std::string(500, 'x'));
  });
  const auto target = other.path / "deep" / "copy";
  s->copy_to(target, {});
  writer.join();
  CHECK(code_of([&] { s->copy_to(target, {}); }) == storage_errc::unsupported);

  const auto copy = open_lmdb(target);
  const auto snap = copy->read();
  const auto count = snap->count(table::state);
  CHECK(count >= 500);
  CHECK(count <= 700);
  std::size_t walked = 0;
  for (const auto c = snap->open(table::state); c->next(); ++walked) CHECK(c->value().size() == 500);
  CHECK(walked == count);
}

TEST_CASE("lmdb: what is not a store is refused") {
  temporary_directory d;
  std::ofstream(d.path / "data.mdb") << std::string(10'000, 'x');
  CHECK(code_of([&] { open_lmdb(d.path); }) == storage_errc::format);
  CHECK(code_of([&] { open_lmdb(d.path); }) == storage_errc::format);  // and nothing stays locked
  std::ofstream(d.path / "file") << "x";
  CHECK(code_of([&] { open_lmdb(d.path / "file"); }) == storage_errc::io);
}

TEST_CASE("lmdb: a file cut short is an error or a loss that is seen, not a crash") {
  temporary_directory d;
  {
    const auto s = open_lmdb(d.path);
    for (int i = 0; i < 300; ++i) put_one(*s, "key " + std::to_string(i), std::string(1000, 'x'));
  }
  const auto file = d.path / "data.mdb";
  const auto whole = fs::file_size(file);
  for (const auto part : {1U, 2U, 3U, 5U, 9U}) {
    CAPTURE(part);
    temporary_directory damaged;
    fs::copy_file(file, damaged.path / "data.mdb");
    fs::resize_file(damaged.path / "data.mdb", whole * part / 10);
    const int answer = in_child([&] {
      try {
        const auto s = open_lmdb(damaged.path);
        const auto snap = s->read();
        std::size_t walked = 0;
        for (const auto c = snap->open(table::state); c->next();) ++walked;
        return walked == 300 ? 6 : 7;
      } catch (const storage_error&) { return 7; }
    });
    CHECK(answer == 7);
  }
}

TEST_CASE("lmdb: snapshots are reused, and too many at once are refused") {
  temporary_directory d;
  lmdb_options few;
  few.readers_max = 126;  // fills the reader table's first page, below which LMDB does not go
  const auto s = open_lmdb(d.path, few);
  put_one(*s, "a", "1");
  for (int i = 0; i < 5000; ++i) CHECK(s->read()->get(table::state, "a") == "1");
  std::vector<std::unique_ptr<snapshot>> held;
  const auto code = code_of([&] {
    for (int i = 0; i < 1000; ++i) held.push_back(s->read());
  });
  CHECK(code == storage_errc::unsupported);
  CHECK(held.size() >= 100);
  held.clear();
  CHECK(s->read()->get(table::state, "a") == "1");
}

TEST_CASE("lmdb: a snapshot taken by one thread may end on another") {
  temporary_directory d;
  const auto s = open_lmdb(d.path);
  put_one(*s, "a", "1");
  auto snap = s->read();
  std::thread([moved = std::move(snap)]() mutable { moved.reset(); }).join();
  CHECK(s->read()->get(table::state, "a") == "1");
}

TEST_CASE("lmdb: pages of erased rows are used again") {
  temporary_directory d;
  const auto s = open_lmdb(d.path);
  const auto round = [&] {
    for (int i = 0; i < 40; ++i) put_one(*s, "key " + std::to_string(i), std::string(20'000, 'x'));
    const auto tx = s->write();
    for (int i = 0; i < 40; ++i) tx->erase(table::state, "key " + std::to_string(i));
    tx->commit();
  };
  for (int i = 0; i < 3; ++i) round();
  const auto size = fs::file_size(d.path / "data.mdb");
  for (int i = 0; i < 10; ++i) round();
  CHECK(fs::file_size(d.path / "data.mdb") <= size * 3 / 2);
}

namespace {

// What of the mapped file is in memory, as the kernel counts it for this process.
std::size_t resident_kb(const fs::path& file) {
  std::ifstream maps("/proc/self/smaps");
  std::size_t kb = 0;
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < 17 && line.find(" r") != std::string::npos) here = line.find(file.string()) != std::string::npos;
    if (here && line.rfind("Rss:", 0) == 0) kb += std::stoul(line.substr(4));
  }
  return kb;
}

}  // namespace

TEST_CASE("lmdb: trim gives the pages that were read back to the system") {
  temporary_directory d;
  const auto s = open_lmdb(d.path);
  for (int i = 0; i < 100; ++i) put_one(*s, "key " + std::to_string(i), std::string(50'000, 'x'));
  std::size_t bytes = 0;
  const auto now = s->read();
  for (int i = 0; i < 100; ++i) {
    const auto value = now->get(table::state, "key " + std::to_string(i));
    bytes += static_cast<std::size_t>(std::count(value->begin(), value->end(), 'x'));
  }
  CHECK(bytes == 5'000'000);
  CHECK(resident_kb(d.path / "data.mdb") >= 4000);
  s->trim();
  CHECK(resident_kb(d.path / "data.mdb") < 500);
  CHECK(now->get(table::state, "key 1")->size() == 50'000);
}
