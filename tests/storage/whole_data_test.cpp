// A data directory that is not whole is never opened as whole, nor as an empty one.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "storage/directory/directory_contents.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "tests/storage/temporary_directory.hpp"

using namespace crema::storage;
using crema::tests::temporary_directory;
namespace fs = std::filesystem;

namespace {

void put(store& s, std::string_view key, std::string_view value) {
  const auto tx = s.write();
  tx->put(table::state, key, value);
  tx->commit();
}

void fill(store& s, int entries, std::size_t bytes = 1000) {
  for (int i = 0; i < entries; ++i) put(s, "key " + std::to_string(i), std::string(bytes, 'x'));
}

struct refusal {
  std::optional<storage_errc> code;
  std::string text;
};
refusal refusal_of(const std::function<void()>& f) {
  try {
    f();
    return {};
  } catch (const storage_error& e) { return {e.code(), e.what()}; }
}
refusal opening(const fs::path& directory, const lmdb_options& options = {}) {
  return refusal_of([&] { open_lmdb(directory, options); });
}

// A process that is killed while it has the store open.
void run_and_kill(const std::function<void()>& f) {
  const auto child = fork();
  if (child == 0) {
    f();
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

// As cp does it, with time for the writer between two pieces.
void copy_in_pieces(const fs::path& from, const fs::path& to) {
  std::ifstream in(from, std::ios::binary);
  std::ofstream out(to, std::ios::binary);
  for (std::array<char, 32768> piece{}; in.read(piece.data(), piece.size()), in.gcount() > 0;) {
    out.write(piece.data(), in.gcount());
    std::this_thread::yield();
  }
}

lmdb_options reading() {
  lmdb_options o;
  o.read_only = true;
  return o;
}

}  // namespace

TEST_CASE("whole: an empty data file, or none where there was one, is refused and not made anew") {
  temporary_directory d;
  fill(*open_lmdb(d.path), 10);
  const auto file = d.path / "data.mdb";
  fs::resize_file(file, 0);
  CHECK(opening(d.path).code == storage_errc::corrupt);
  CHECK_THAT(opening(d.path).text, Catch::Contains("is empty") && Catch::Contains("crema restore"));
  CHECK(fs::file_size(file) == 0);
  fs::remove(file);
  CHECK(opening(d.path).code == storage_errc::corrupt);
  CHECK_THAT(opening(d.path).text, Catch::Contains("is missing where there was one"));
  CHECK_FALSE(fs::exists(file));

  temporary_directory copied;  // only the data file, as from a backup
  std::ofstream(copied.path / "data.mdb").close();
  CHECK(opening(copied.path).code == storage_errc::corrupt);
  temporary_directory left;  // what LMDB leaves beside it
  std::ofstream(left.path / "lock.mdb").close();
  CHECK(opening(left.path).code == storage_errc::corrupt);
}

TEST_CASE("whole: a directory that was begun and never had a commit is made anew") {
  temporary_directory d;
  run_and_kill([&] { open_lmdb(d.path).release(); });
  CHECK(read_contents(d.path)->state == directory_state::being_made);
  for (const std::uintmax_t bytes : {0U, 4096U, 6000U, 40000U}) {
    std::ofstream(d.path / "data.mdb", std::ios::app).close();
    fs::resize_file(d.path / "data.mdb", bytes);
    CHECK(opening(d.path).text.empty());
  }
  CHECK_THAT(opening(d.path, reading()).text, Catch::Contains("not made to its end"));
  fs::resize_file(d.path / "data.mdb", 64U << 20U);  // nobody begins with so much
  CHECK(opening(d.path).code == storage_errc::corrupt);
  fs::resize_file(d.path / "data.mdb", 4096);
  put(*open_lmdb(d.path), "a", "1");
  CHECK(read_contents(d.path)->state == directory_state::whole);
  CHECK(open_lmdb(d.path)->read()->get(table::state, "a") == "1");
}

TEST_CASE("whole: a restore that never had a commit is begun again, and nothing else is made there") {
  temporary_directory d;
  lmdb_options restoring;
  restoring.to_restore = true;
  run_and_kill([&] { open_lmdb(d.path, restoring).release(); });
  for (const auto& options : {lmdb_options{}, reading()}) {
    CHECK(opening(d.path, options).code == storage_errc::format);
    CHECK_THAT(opening(d.path, options).text, Catch::Contains("run 'crema restore' again"));
  }
  put(*open_lmdb(d.path, restoring), "a", "1");
  CHECK(open_lmdb(d.path)->read()->count(table::state) == 1);
}

TEST_CASE("whole: nothing is read, and nothing made, where nothing has to be") {
  temporary_directory d;
  auto existing = lmdb_options{};
  existing.must_exist = true;
  for (const auto& options : {reading(), existing})
    for (const auto& where : {d.path, d.path / "not there"}) {
      CHECK(opening(where, options).code == storage_errc::format);
      CHECK_THAT(opening(where, options).text, Catch::Contains("there is no crema data in"));
      CHECK_FALSE(fs::exists(where / "data.mdb"));
    }
  CHECK_FALSE(fs::exists(d.path / "not there"));
}

TEST_CASE("whole: a copy of a closed store is as good as the store, and one of a killed process's goes on where it is") {
  temporary_directory closed, killed, copied;
  fill(*open_lmdb(closed.path), 20);
  fs::copy_file(closed.path / "data.mdb", copied.path / "data.mdb");
  {
    const auto s = open_lmdb(copied.path);
    CHECK(s->doubt().empty());
    put(*s, "more", "1");
    CHECK(s->read()->count(table::state) == 21);
  }
  CHECK(read_contents(copied.path)->state == directory_state::whole);

  run_and_kill([&] { fill(*open_lmdb(killed.path).release(), 20); });
  const auto s = open_lmdb(killed.path);
  CHECK(s->doubt().empty());
  put(*s, "more", "1");
  CHECK(s->read()->count(table::state) == 21);
}

TEST_CASE("whole: a copy of an open store is in doubt, and takes nothing before it was accepted") {
  temporary_directory d, copied;
  run_and_kill([&] { fill(*open_lmdb(d.path).release(), 20); });
  fs::copy_file(d.path / "data.mdb", copied.path / "data.mdb");
  for (int again = 0; again < 2; ++again) {
    const auto s = open_lmdb(copied.path);
    CHECK_THAT(s->doubt(), Catch::Contains("copied while a node had it open"));
    CHECK(s->read()->count(table::state) == 20);
    CHECK(refusal_of([&] { put(*s, "more", "1"); }).code == storage_errc::corrupt);
  }
  {
    const auto s = open_lmdb(copied.path);
    s->accept();
    CHECK(s->doubt().empty());
    put(*s, "more", "1");
  }
  CHECK(open_lmdb(copied.path)->doubt().empty());
  const auto reader = open_lmdb(copied.path, reading());
  CHECK(reader->read()->count(table::state) == 21);
  CHECK(refusal_of([&] { put(*reader, "more", "1"); }).code == storage_errc::unsupported);
}

TEST_CASE("whole: copies taken while the store is written to are refused or in doubt, and never empty") {
  temporary_directory d;
  const auto s = open_lmdb(d.path);
  fill(*s, 300, 3000);
  std::jthread writer([&](const std::stop_token& stop) {
    for (int round = 0; !stop.stop_requested(); ++round) {
      const auto tx = s->write();
      for (int i = 0; i < 40; ++i) tx->put(table::state, "key " + std::to_string((round * 7 + i * 13) % 300), std::string(3000, 'y'));
      tx->put(table::meta, "round", std::to_string(round));
      tx->commit();
    }
  });
  int opened = 0;
  for (int i = 0; i < 30; ++i) {
    CAPTURE(i);
    temporary_directory copied;
    copy_in_pieces(d.path / "data.mdb", copied.path / "data.mdb");
    const auto why = refusal_of([&] {
      const auto copy = open_lmdb(copied.path);
      ++opened;
      CHECK_FALSE(copy->doubt().empty());
      CHECK(refusal_of([&] { put(*copy, "a", "1"); }).code == storage_errc::corrupt);
    });
    if (why.code) CHECK(why.code == storage_errc::corrupt);
  }
  CHECK(opened > 0);
}

TEST_CASE("whole: a closed file that was cut short is refused, a killed process's one is in doubt, and both can be read") {
  temporary_directory closed, killed;
  fill(*open_lmdb(closed.path), 100, 5000);
  run_and_kill([&] { fill(*open_lmdb(killed.path).release(), 100, 5000); });
  for (const auto& at : {closed.path, killed.path}) {
    const auto file = at / "data.mdb";
    const auto cut = fs::file_size(file) * 9 / 10;
    fs::resize_file(file, cut);
    for (int again = 0; again < 2; ++again) {
      if (at == closed.path) {
        CHECK_THAT(opening(at).text, Catch::Contains("it ends before what is in it"));
      } else {
        const auto s = open_lmdb(at);
        CHECK_FALSE(s->doubt().empty());
        CHECK(s->read()->get(table::state, "key 1"));
      }
      CHECK(fs::file_size(file) == cut);  // what is found there is not changed
    }
    const auto s = open_lmdb(at, reading());
    std::ptrdiff_t read = 0;
    const auto why = refusal_of([&] {
      const auto now = s->read();
      for (const auto c = now->open(table::state); c->next();) read += std::count(c->value().begin(), c->value().end(), 'x');
    });
    CHECK((why.code == storage_errc::corrupt || read < 500'000));
    CHECK(fs::file_size(file) == cut);
  }
}

TEST_CASE("whole: a file may end before pages that were taken and given back by one transaction") {
  temporary_directory d;
  const auto shorten = [&](std::unique_ptr<store> s) {
    fill(*s, 10);
    const auto tx = s->write();
    tx->put(table::journal, "big", std::string(2'000'000, 'x'));
    tx->erase(table::journal, "big");
    tx->put(table::state, "small", "1");
    tx->commit();
    return s;
  };
  run_and_kill([&] { shorten(open_lmdb(d.path)).release(); });
  const auto length = fs::file_size(d.path / "data.mdb");
  {
    const auto s = open_lmdb(d.path);
    CHECK(s->doubt().empty());
    CHECK(fs::file_size(d.path / "data.mdb") > length);
    put(*s, "on", std::string(3'000'000, 'x'));
  }
  shorten(open_lmdb(d.path)).reset();
  CHECK(open_lmdb(d.path)->read()->get(table::state, "on")->size() == 3'000'000);
}

TEST_CASE("whole: one that reads takes no file, writes none, and keeps writers out") {
  temporary_directory d;
  fill(*open_lmdb(d.path), 10);
  fs::remove(d.path / "lock");
  fs::remove(d.path / "lock.mdb");
  const auto files = [&] {
    std::size_t n = 0;
    for (const auto& f : fs::directory_iterator(d.path)) n += f.exists() ? 1U : 0U;
    return n;
  };
  const auto before = files();
  {
    const auto one = open_lmdb(d.path, reading()), other = open_lmdb(d.path, reading());
    CHECK(one->read()->count(table::state) == 10);
    CHECK(other->read()->count(table::state) == 10);
    CHECK(opening(d.path).code == storage_errc::locked);
    fs::remove(d.path / "lock");
    CHECK(files() == before);
  }
  const auto writer = open_lmdb(d.path);
  CHECK(opening(d.path, reading()).code == storage_errc::locked);
  CHECK_THAT(opening(d.path, reading()).text, Catch::Contains("process " + std::to_string(getpid())));
}

TEST_CASE("whole: what is made is its owner's alone") {
  temporary_directory d;
  const auto at = d.path / "deep" / "data";
  const auto s = open_lmdb(at);
  put(*s, "a", "1");
  s->copy_to(d.path / "deep" / "copy", {});
  std::size_t looked_at = 0;
  for (const auto& f : fs::recursive_directory_iterator(d.path)) {
    struct stat found {};
    REQUIRE(stat(f.path().c_str(), &found) == 0);
    INFO(f.path());
    CHECK((found.st_mode & 0777U) == (f.is_directory() ? 0700U : 0600U));
    ++looked_at;
  }
  CHECK(looked_at >= 8);
}

// ---- one system or several

TEST_CASE("whole: a directory of one system is not one of several, nor the other way round") {
  const std::vector<std::string> known{"one", "two"};
  temporary_directory single, several, old;
  put(*open_lmdb(single.path), "a", "1");
  CHECK_THAT(refusal_of([&] { directory_of_several both(single.path); }).text, Catch::Contains("holds one system"));
  CHECK(refusal_of([&] { require_one_system(single.path, known); }).text.empty());
  {
    directory_of_several both(several.path);
    CHECK_FALSE(both.has("one"));
    CHECK_THAT(refusal_of([&] { directory_of_several again(several.path); }).text, Catch::Contains("Another process"));
    CHECK(opening(several.path).code == storage_errc::locked);
    put(*open_lmdb(several.path / "one"), "a", "1");
    both.note_made({"one"});
  }
  CHECK_THAT(opening(several.path).text, Catch::Contains("holds several systems"));
  CHECK_THAT(opening(several.path, reading()).text, Catch::Contains("holds several systems"));
  CHECK_THAT(refusal_of([&] { require_one_system(several.path, known); }).text, Catch::Contains((several.path / "one").string()));
  CHECK(refusal_of([&] { require_one_system(several.path / "one", known); }).text.empty());
  directory_of_several again(several.path);
  CHECK(again.has("one"));
  CHECK_FALSE(again.has("two"));

  put(*open_lmdb(old.path / "two"), "a", "1");  // without a note of its own
  CHECK_THAT(refusal_of([&] { require_one_system(old.path, known); }).text, Catch::Contains("--all"));
}

TEST_CASE("whole: a note of contents that cannot be understood is refused") {
  temporary_directory d;
  put(*open_lmdb(d.path), "a", "1");
  for (const auto* text : {"", "holds one\n", "holds three\nstate whole\n", "holds one\nstate whole\ncolor blue\n", "\n"}) {
    std::ofstream(d.path / "contents") << text;
    CAPTURE(text);
    CHECK(opening(d.path).code == storage_errc::format);
  }
  fs::remove(d.path / "contents");
  CHECK(open_lmdb(d.path)->doubt().empty());
}

// ---- copies

TEST_CASE("whole: a copy takes its final name when it is whole, needs no check, and can be stopped") {
  temporary_directory d, other;
  const auto s = open_lmdb(d.path);
  fill(*s, 300, 20'000);
  const auto stopped_at = [&](std::uintmax_t bytes) {
    temporary_directory target;
    std::stop_source stop;
    std::jthread watcher([&](const std::stop_token& over) {
      std::error_code error;
      while (!over.stop_requested() && (fs::file_size(target.path / "data.mdb.part", error) < bytes || error)) std::this_thread::yield();
      stop.request_stop();
    });
    const auto why = refusal_of([&] { s->copy_to(target.path, stop.get_token()); });
    CHECK(fs::is_empty(target.path) == why.code.has_value());
    return why.code == storage_errc::stopped;
  };
  std::stop_source before;
  before.request_stop();
  CHECK(refusal_of([&] { s->copy_to(other.path / "stopped", before.get_token()); }).code == storage_errc::stopped);
  CHECK(fs::is_empty(other.path / "stopped"));
  bool half_way = false;
  for (int tries = 0; tries < 100 && !half_way; ++tries) half_way = stopped_at(1U << 20U);
  CHECK(half_way);

  s->copy_to(other.path / "copy", {});
  const auto copy = open_lmdb(other.path / "copy");
  CHECK(copy->doubt().empty());
  CHECK(copy->read()->count(table::state) == 300);
  put(*copy, "more", "1");

  temporary_directory half;
  std::ofstream(half.path / "data.mdb.part") << "x";
  CHECK_THAT(opening(half.path).text, Catch::Contains("was not finished"));
  CHECK_THAT(opening(half.path, reading()).text, Catch::Contains("was not finished"));
}
