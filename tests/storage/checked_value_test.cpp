// Every value read from disk is checked: a flipped bit is an error that says where, whatever way it is read.
#include "storage/lmdb/checked_value.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "storage/layout.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "tests/storage/temporary_directory.hpp"

using namespace crema::storage;
using crema::tests::temporary_directory;
namespace fs = std::filesystem;

namespace {

std::string stored(table t, std::string_view key, std::string_view value) {
  std::string out;
  append_check(t, key, value, out);
  return out;
}

std::string flipped(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

// What a failure says; empty where there is none.
template <class F>
std::string damage(F f) {
  try {
    f();
  } catch (const storage_error& e) {
    CHECK(e.code() == storage_errc::corrupt);
    return e.what();
  }
  return {};
}

// Flips a bit of each place of the file that holds `what`: of the pages that are in use and those that were.
void flip_in_file(const fs::path& file, const std::string& what) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::size_t found = 0;
  for (auto at = bytes.find(what); at != std::string::npos; at = bytes.find(what, at + 1), ++found)
    bytes[at + what.size() / 2] = static_cast<char>(bytes[at + what.size() / 2] ^ 4);
  REQUIRE(found > 0);
  std::ofstream(file, std::ios::binary) << bytes;
}

std::string key_in(table t) {
  switch (t) {
    case table::state:
    case table::views: return row_key({t == table::views, 3}, 11);
    case table::outbox: return outbox_key({{2, 1}, {77, 4}});
    case table::timers: return timer_key(5000, {78, 2});
    case table::idempotency: return std::string(16, '\x5a');
    case table::index:
    case table::meta:
    case table::schemas: return "a name";
    default: return number_key(4711);
  }
}

constexpr auto every_table = [] {
  std::array<table, table_count> all{};
  for (std::size_t i = 0; i < table_count; ++i) all[i] = static_cast<table>(i);
  return all;
}();

}  // namespace

TEST_CASE("checked value: what was written comes back, and each flipped bit of it is noticed") {
  for (const auto size : {0U, 1U, 16U, 100U, 300U, 5000U}) {
    const std::string value(size, 'v');
    const auto bytes = stored(table::state, "a key", value);
    REQUIRE(bytes.size() == size + check_bytes);
    CHECK(checked_value(table::state, "a key", bytes) == value);
    for (std::size_t bit = 0; bit<8 * bytes.size(); bit += size> 1000 ? 97 : 1)
      CHECK_FALSE(damage([&] { checked_value(table::state, "a key", flipped(bytes, bit)); }).empty());
  }
}

TEST_CASE("checked value: a value under another key, in another table or cut short is not taken") {
  const auto bytes = stored(table::state, "a key", "value");
  for (std::size_t bit = 0; bit < 40; ++bit)
    CHECK_FALSE(damage([&] { checked_value(table::state, flipped("a key", bit), bytes); }).empty());
  CHECK_FALSE(damage([&] { checked_value(table::views, "a key", bytes); }).empty());
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK_FALSE(damage([&] { checked_value(table::state, "a key", bytes.substr(0, n)); }).empty());
}

TEST_CASE("checked value: the bytes on disk are frozen") {
  CHECK(stored(table::state, row_key({false, 0}, 1), "row") == "row\xee\x44\xce\x51");
  CHECK(stored(table::meta, "system", "cafeteria") == "cafeteria\xe2\x19\x6f\xef");
}

TEST_CASE("lmdb: given a bit flipped in a value of any table, then whoever reads it hears table and key, and no other is touched") {
  for (const auto t : every_table) {
    CAPTURE(name_of(t));
    temporary_directory d;
    const std::string value = "what is flipped in " + std::string(name_of(t));
    const auto key = key_in(t), before = std::string(1, '\0'), behind = std::string(20, '\xfe');
    {
      const auto s = open_lmdb(d.path);
      const auto tx = s->write();
      for (const auto& k : {before, key, behind}) tx->put(t, k, k == key ? value : "sound");
      tx->commit();
    }
    flip_in_file(d.path / "data.mdb", value);
    const auto s = open_lmdb(d.path);
    const auto names_place = [&](const std::string& text) {
      return text.find("in '" + std::string(name_of(t)) + "'") != std::string::npos && text.starts_with(describe_entry(t, key)) &&
             text.find("does not match its checksum") != std::string::npos;
    };
    const auto reads_nothing_else = [&](const snapshot& at) {
      CHECK(names_place(damage([&] { (void)at.get(t, key); })));
      CHECK(at.get(t, before) == "sound");
      CHECK(at.get(t, behind) == "sound");
      const auto c = at.open(t);
      REQUIRE(c->seek(key));
      CHECK(c->key() == key);  // who needs only keys goes on
      CHECK(names_place(damage([&] { (void)c->value(); })));
      REQUIRE(c->next());
      CHECK(c->value() == "sound");
      REQUIRE(c->seek_before(key));
      CHECK(c->value() == "sound");
      REQUIRE(c->next());
      CHECK(names_place(damage([&] { (void)c->value(); })));
    };
    reads_nothing_else(*s->read());
    const auto tx = s->write();
    reads_nothing_else(*tx);
    tx->put(t, key, "anew");
    CHECK(tx->get(t, key) == "anew");
    CHECK(tx->erase(t, key));
    tx->commit();
    CHECK(s->read()->get(t, key) == std::nullopt);
  }
}

TEST_CASE("lmdb: given a bit flipped in a key, then its entry is damaged, not missing") {
  temporary_directory d;
  const auto key = [](char n) { return std::string("the key number ") + n; };
  {
    const auto s = open_lmdb(d.path);
    const auto tx = s->write();
    for (char n = 'a'; n <= 'i'; ++n) tx->put(table::state, key(n), "value");
    tx->commit();
  }
  std::string bytes;
  {
    std::ifstream in(d.path / "data.mdb", std::ios::binary);
    bytes = {std::istreambuf_iterator<char>(in), {}};
  }
  for (const char damaged : {'d', 'g', 'f', 'b'}) {  // to one before, beyond and between its neighbours
    CAPTURE(damaged);
    std::string broken = bytes;
    const auto at = broken.find(key('e'));
    REQUIRE(at != std::string::npos);
    broken[at + key('e').size() - 1] = damaged;
    std::ofstream(d.path / "data.mdb", std::ios::binary) << broken;
    const auto s = open_lmdb(d.path);
    CHECK_FALSE(damage([&] { (void)s->read()->get(table::state, key('e')); }).empty());
    CHECK(s->read()->get(table::state, key('a')) == "value");
    CHECK(s->read()->get(table::state, key('z')) == std::nullopt);
  }
}
