#include "storage/entry_block.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "behaviors/core/codec.hpp"
#include "storage/layout.hpp"
#include "storage/store.hpp"

using namespace crema::storage;

namespace {

using model = std::map<std::string, std::string>;
constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

std::string encoded(const entry_block& b) {
  std::size_t next = 0;
  auto bytes = b.encode(0, no_limit, next);
  CHECK(next == b.size());
  return bytes;
}

std::string encoded(const model& entries) {
  entry_block b;
  for (const auto& [k, v] : entries) b.put(k, v);
  return encoded(b);
}

model decoded(std::string_view bytes) {
  entry_block b;
  b.load(bytes);
  model all;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (i > 0) CHECK(b.key(i - 1) < b.key(i));
    all.emplace(b.key(i), b.value(i));
  }
  return all;
}

}  // namespace

TEST_CASE("entry block: what is put in comes out, whatever keys and values look like") {
  const std::string longest(max_key_bytes, 'k');
  const auto number = [](std::uint64_t n) { return "n" + number_key(n); };
  constexpr auto all_bits = std::numeric_limits<std::uint64_t>::max();
  const auto kept =
      GENERATE_COPY(model{}, model{{"a", ""}}, model{{"a", "1"}, {"ab", ""}, {"b", std::string(5000, 'v')}},
                    model{{std::string(1, '\0'), ""}, {std::string(3, '\0'), ""}, {std::string(12, '\0'), "zeros"}},
                    model{{longest, "x"}, {longest.substr(1) + "l", "y"}, {longest.substr(9), ""}},
                    model{{number_key(7), ""}, {number_key(8), ""}},  // a key that is a number and nothing else
                    model{{number(0), ""}, {number((1ULL << 49U) - 1), ""}, {number(1ULL << 49U), ""}, {number(all_bits), ""}},
                    model{{std::string(300, 'p') + "1", ""}, {std::string(300, 'p') + "2", ""}});  // alike beyond 255 bytes
  const auto bytes = encoded(kept);
  CHECK(decoded(bytes) == kept);
  CHECK(entries_in_block(bytes) == kept.size());
  for (const auto& [k, v] : kept) CHECK(find_in_block(bytes, k) == v);
  for (const auto* missing : {"", "aa", "zz"}) CHECK_FALSE(find_in_block(bytes, missing));
}

TEST_CASE("entry block: what one customer's rows add takes a third of what its keys do") {
  entry_block b;
  std::size_t plain = 0;
  for (unsigned customer = 0; customer < 20; ++customer)
    for (std::uint8_t finder = 0; finder < 6; ++finder) {
      const auto key = "\1" + std::to_string(1'000'000'000 + customer * 7'919U) + std::string(1, '\0') + "s" + std::string(2, '\0') +
                       static_cast<char>(finder) + number_key(800'000 + customer);
      plain += key.size();
      b.put(key, "");
    }
  CHECK(encoded(b).size() * 5 < plain * 2);
}

TEST_CASE("entry block: puts and erases at random leave what they leave in a map") {
  std::mt19937 rng(7);
  entry_block b;
  model expected;
  for (int n = 0; n < 3000; ++n) {
    const auto key = std::to_string(rng() % 200);
    if (rng() % 3 == 0) {
      CHECK(b.erase(key) == (expected.erase(key) == 1));
    } else {
      const auto value = rng() % 2 == 0 ? "" : std::to_string(n);
      b.put(key, value);
      expected[key] = value;
    }
    if (n % 100 == 0) {
      const auto bytes = encoded(b);
      CHECK(decoded(bytes) == expected);
      b.load(bytes);
    }
  }
  CHECK(decoded(encoded(b)) == expected);
  const auto at = b.lower_bound("5");
  CHECK(b.key(at) == expected.lower_bound("5")->first);
}

TEST_CASE("entry block: a part has as many entries as fit, up to the last byte, and one at least") {
  entry_block b;
  for (const auto* key : {"a", "b", "c"}) b.put(key, "");
  std::size_t next = 0;
  const auto room = encoded(model{{"a", ""}, {"b", ""}}).size() - 1;  // without the number of entries
  CHECK(decoded(b.encode(0, room, next)) == model{{"a", ""}, {"b", ""}});
  CHECK(next == 2);
  CHECK(decoded(b.encode(0, room - 1, next)) == model{{"a", ""}});
  CHECK(next == 1);
  CHECK(decoded(b.encode(1, 0, next)) == model{{"b", ""}});
  CHECK(next == 2);
}

TEST_CASE("entry block: bytes that no block has are refused") {
  const auto whole = encoded(model{{"key 1", "value"}, {"key 2", ""}});
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_THROWS_AS(decoded(whole.substr(0, n)), crema::decode_error);
  const auto refused = GENERATE(std::string("\1\1\0", 3),           // shares a byte with nothing
                                std::string("\1\0\xFC\xFF\1", 5));  // a key of more than 500 bytes
  CHECK_THROWS_AS(decoded(refused), crema::decode_error);
  CHECK_THROWS_AS(find_in_block(refused, "k"), crema::decode_error);
}

TEST_CASE("entry block: the last entry before a key is found in the encoded block as it would be in the entries") {
  std::mt19937 rng(29);
  for (int round = 0; round < 50; ++round) {
    model kept;
    for (auto n = rng() % 40; n > 0; --n) kept.emplace("k" + std::to_string(rng() % 100) + number_key(rng() % 3), n % 2 == 0 ? "v" : "");
    const auto bytes = encoded(kept);
    for (int asked = 0; asked < 60; ++asked) {
      const auto key = asked == 0 ? std::string("a") : asked == 1 ? std::string("z") : "k" + std::to_string(rng() % 110);
      const auto found = last_before_in_block(bytes, key);
      const auto expected = kept.lower_bound(key);
      REQUIRE(found.has_value() == (expected != kept.begin()));
      if (found)
        CHECK(std::pair(found->key, std::string(found->value)) == std::pair(std::prev(expected)->first, std::prev(expected)->second));
    }
  }
}
