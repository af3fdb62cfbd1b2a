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

// Seventeen entries, then one like the sixteenth before it: no reader keeps as many.
std::string too_far_back() {
  std::string bytes(1, '\x12');
  for (char c = 'a'; c < 'a' + 17; ++c) bytes.append(1, '\0').append(1, 1 << 3).append(1, c);
  return bytes.append(1, 16 << 1 | 1);
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

TEST_CASE("entry block: what one customer's rows add takes a sixth of what its keys do, as it is like the customer's before") {
  entry_block b;
  std::size_t plain = 0;
  const auto put = [&](const std::string& key, const std::string& value) {
    plain += key.size() + value.size();
    b.put(key, value);
  };
  for (unsigned customer = 0; customer < 20; ++customer) {
    const auto text = "\1" + std::to_string(1'000'000'000 + customer * 7'919U);
    for (std::uint8_t finder = 0; finder < 5; ++finder)
      put(text + std::string(1, '\0') + "s" + std::string(2, '\0') + static_cast<char>(finder) + number_key(800'000 + customer), "");
    put(text + "|key" + std::string(1, '\0') + "k" + std::string(3, '\0'), number_key(800'000 + customer));
  }
  CHECK(encoded(b).size() * 6 < plain);
}

TEST_CASE("entry block: an entry is written as one before it, up to fifteen back") {
  const auto shapes = GENERATE(14U, 15U, 16U, 17U);
  CAPTURE(shapes);
  model kept, first;
  for (unsigned text = 0; text < 3; ++text)
    for (unsigned n = 0; n < shapes; ++n) kept.emplace(std::to_string(text) + "-" + static_cast<char>('a' + n) + "-", "");
  for (auto e = kept.begin(); first.size() < shapes; ++e) first.insert(*e);
  const auto bytes = encoded(kept);
  CHECK(decoded(bytes) == kept);
  const auto others = bytes.size() - encoded(first).size();  // a byte an entry, or four
  CHECK((others < std::size_t{2} * shapes * 2) == (shapes <= 15));
}

TEST_CASE("entry block: what had no room leaves no trace in what comes after it") {
  const std::string first = "a" + number_key(7), too_long = "b" + number_key(1'000'000), second = "c" + number_key(8);
  entry_writer out;
  REQUIRE(out.add(first, "", no_limit));
  REQUIRE_FALSE(out.add(too_long, "", 8));
  REQUIRE(out.add(second, "", no_limit));
  CHECK(decoded(out.finish()) == model{{first, ""}, {second, ""}});
}

TEST_CASE("entry block: numbers are written as differences, whichever way they go, in keys and as values") {
  constexpr auto highest = (std::uint64_t{1} << 49U) - 1;
  model kept;
  char name = 'a';
  for (const auto n : {highest, std::uint64_t{0}, highest + 1, std::uint64_t{7}, highest, std::numeric_limits<std::uint64_t>::max()}) {
    kept.emplace(std::string(1, name) + number_key(n), number_key(n / 2));
    kept.emplace(std::string(1, name) + "k", number_key(n));
    ++name;
  }
  CHECK(decoded(encoded(kept)) == kept);
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
  const auto refused = GENERATE(std::string("\1\2\0", 3),          // shares a byte with nothing
                                std::string("\1\0\xF8\xFF\1", 5),  // a key of more than 500 bytes
                                std::string("\1\3", 2),            // like the entry before the first
                                std::string("\2\0\10k\1", 5),      // like itself
                                std::string("\2\0\10k\5", 5),      // like the one before the first
                                too_far_back());
  CHECK_THROWS_AS(decoded(refused), crema::decode_error);
  CHECK_THROWS_AS(find_in_block(refused, "z"), crema::decode_error);
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
