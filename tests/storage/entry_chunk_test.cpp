#include "storage/deferred/entry_chunk.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <string>

using namespace crema::storage;

namespace {

using model = std::map<std::string, std::optional<std::string>>;

model all_of(const entry_chunk& c) {
  model all;
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (i > 0) CHECK(c.key(i - 1) < c.key(i));
    const auto v = c.value(i);
    all.emplace(c.key(i), v ? std::optional(std::string(*v)) : std::nullopt);
  }
  return all;
}

void put(entry_chunk& c, const std::string& key, const std::optional<std::string>& value) {
  const auto i = c.lower_bound(key);
  if (c.has(i, key))
    c.replace(i, value, 1);
  else
    c.insert(i, key, value, 1);
}

}  // namespace

TEST_CASE("entry chunk: it holds what was put in it, however often that was replaced, erased and divided") {
  std::mt19937 rng(31);
  for (int round = 0; round < 20; ++round) {
    entry_chunk c("");
    model expected;
    for (int step = 0; step < 300; ++step) {
      const auto key = "key " + std::to_string(rng() % 50);
      switch (rng() % 5) {
        case 0: {
          const auto from = c.lower_bound(key), to = c.lower_bound("key 4");
          if (from >= to) break;
          c.erase_if(from, to, [&](std::size_t i) { return c.key(i).back() == '7'; });
          std::erase_if(expected, [&](const auto& e) { return e.first >= key && e.first < "key 4" && e.first.back() == '7'; });
          break;
        }
        case 1:
          if (const auto i = c.lower_bound(key); c.has(i, key)) c.erase(i);
          expected.erase(key);
          break;
        default:
          const auto value = rng() % 4 == 0 ? std::nullopt : std::optional(std::string(rng() % 30, 'v'));
          put(c, key, value);
          expected[key] = value;
      }
      REQUIRE(all_of(c) == expected);
    }
    if (c.size() < 2) continue;
    const auto upper = c.split();
    CHECK(upper.least() == upper.key(0));
    CHECK(c.key(c.size() - 1) < upper.least());
    auto both = all_of(c);
    both.merge(all_of(upper));
    CHECK(both == expected);
  }
}

TEST_CASE("entry chunk: a key is found, and what is behind it") {
  entry_chunk c("");
  for (const auto* key : {"b", "d", "f"}) put(c, key, "");
  CHECK(c.lower_bound("d") == 1);
  CHECK(c.first_behind("d") == 2);
  CHECK(c.lower_bound("c") == 1);
  CHECK(c.first_behind("c") == 1);
  CHECK(c.first_behind("g") == 3);
  CHECK(c.has(0, "b"));
  CHECK_FALSE(c.has(0, "a"));
  CHECK_FALSE(c.has(3, "g"));
}
