// Rows of `deferred`, and what became of their changes.
#include "storage/deferred/deferred_row.hpp"

#include <catch2/catch.hpp>

#include "behaviors/core/codec.hpp"

using namespace crema::storage;

TEST_CASE("deferred row: what is put and what is erased comes back, with the place of the moves") {
  const key_changes changes{{"a1", "x"}, {"a2", std::nullopt}, {"a3", ""}, {"b", std::nullopt}};
  const auto encoded = encode_deferred_row(changes, {7, "a9"});
  CHECK(written_at(encoded).round == 7);
  CHECK(written_at(encoded).after == "a9");
  const deferred_row row(encoded);
  CHECK(row.written_at.after == "a9");
  REQUIRE(row.put.size() == 2);
  CHECK(row.put.key(0) == "a1");
  CHECK(row.put.value(0) == "x");
  CHECK(row.put.key(1) == "a3");
  CHECK(row.put.value(1).empty());
  REQUIRE(row.erased.size() == 2);
  CHECK(row.erased.key(0) == "a2");
  CHECK(row.erased.key(1) == "b");
}

TEST_CASE("deferred row: one that ends too early is refused") {
  const auto encoded = encode_deferred_row({{"a1", "x"}, {"a2", std::nullopt}}, {7, "a9"});
  for (std::size_t size = 0; size < encoded.size(); ++size) CHECK_THROWS_AS(deferred_row(encoded.substr(0, size)), crema::decode_error);
}

TEST_CASE("deferred row: a change is settled once the moves have passed its key") {
  struct example {
    moves_position then, now;
    std::string settled;  // of the keys a, c and e
  };
  const example each[] = {
      {{1, "c"}, {1, "c"}, ""},   {{1, "c"}, {1, "d"}, ""},   {{1, "c"}, {1, "e"}, "e"},   {{1, "c"}, {2, ""}, "e"},
      {{1, "c"}, {2, "a"}, "ae"}, {{1, "c"}, {2, "b"}, "ae"}, {{1, "c"}, {2, "c"}, "ace"}, {{1, "c"}, {3, ""}, "ace"},
      {{1, ""}, {2, ""}, "ace"},  {{1, ""}, {1, "d"}, "ac"},
  };
  for (const auto& e : each) {
    CAPTURE(e.then.round, e.then.after, e.now.round, e.now.after);
    std::string settled;
    for (const std::string key : {"a", "c", "e"})
      if (is_settled(key, e.then, e.now)) settled += key;
    CHECK(settled == e.settled);
    if (all_is_settled(e.then, e.now)) CHECK(settled == "ace");
  }
  CHECK(all_is_settled({1, "c"}, {2, "c"}));
  CHECK(all_is_settled({1, "c"}, {3, ""}));
  CHECK(all_is_settled({1, ""}, {2, ""}));
  CHECK_FALSE(all_is_settled({1, "c"}, {2, "b"}));
  CHECK_FALSE(all_is_settled({1, "c"}, {1, "z"}));
}
