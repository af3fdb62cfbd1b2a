#include "storage/journal_block.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "storage/store.hpp"

using namespace crema::storage;

namespace {

struct written {
  std::uint64_t first = 0;
  std::string value;
};

raw_record record(std::uint64_t sequence, std::uint16_t partition, std::string_view body) {
  const std::uint64_t previous = sequence * 7;
  return {partition, sequence, previous, seal(body, previous, partition, sequence), body};
}

written block_of(const std::vector<raw_record>& records) {
  block_builder b;
  for (const auto& r : records) b.add(r);
  const auto first = b.first();
  auto value = b.finish();
  CHECK(b.empty());
  return {first, std::move(value)};
}

void check_same(const written& w, const std::vector<raw_record>& records) {
  block_reader in(w.first, w.value);
  for (const auto& expected : records) {
    const auto r = in.next();
    REQUIRE(r);
    CHECK(r->sequence == expected.sequence);
    CHECK(r->partition == expected.partition);
    CHECK(r->previous_checksum == expected.previous_checksum);
    CHECK(r->body == expected.body);
    CHECK(r->intact());
  }
  CHECK_FALSE(in.next());
}

storage_errc reading(std::uint64_t first, std::string_view value) {
  try {
    for (block_reader in(first, value); in.next();) {}
  } catch (const storage_error& e) {
    CHECK(std::string(e.what()).find("offset " + std::to_string(first)) != std::string::npos);
    return e.code();
  }
  FAIL("it was read");
  return {};
}

// Text that compresses well, and is different for each record.
std::string prose(std::size_t bytes, std::uint64_t n) {
  std::string s;
  while (s.size() < bytes) s += "Ordered 0101234" + std::to_string(n += 17) + " americano; ";
  s.resize(bytes);
  return s;
}

}  // namespace

TEST_CASE("block: given records with gaps between their offsets, then they are read as they were written") {
  const std::vector<raw_record> few{record(40, 3, "one"), record(42, 15, ""), record(43, 0, "three")};
  const auto w = block_of(few);
  CHECK(w.first == 40);
  CHECK(w.value.front() == 0);
  check_same(w, few);
}

TEST_CASE("block: given many records, then they take less room, and are read as they were written") {
  std::vector<std::string> bodies;
  for (std::uint64_t n = 0; n < 100; ++n) bodies.push_back(prose(200, n));
  std::vector<raw_record> many;
  for (std::size_t n = 0; n < bodies.size(); ++n) many.push_back(record(1000 + 2 * n, static_cast<std::uint16_t>(n % 16), bodies[n]));
  const auto w = block_of(many);
  CHECK(w.value.front() == 1);
  CHECK(w.value.size() < 100 * 200 / 3);
  check_same(w, many);
}

TEST_CASE("block: given what does not get smaller, or is small, then it is kept as it is") {
  std::string noise;
  for (std::uint64_t n = 1; noise.size() < 4000; n = n * 6364136223846793005ULL + 1442695040888963407ULL)
    noise.push_back(static_cast<char>(n >> 56U));
  const std::vector<raw_record> incompressible{record(1, 1, noise)};
  CHECK(block_of(incompressible).value.front() == 0);
  check_same(block_of(incompressible), incompressible);

  constexpr std::size_t head = 1 + 1 + 16 + 2;  // gap, partition, checksums, length
  for (const std::size_t all : {std::size_t{1023}, std::size_t{1024}}) {
    const auto body = prose(all - head, 1);
    const std::vector<raw_record> edge{record(1, 1, body)};
    CHECK(block_of(edge).value.front() == (all < 1024 ? 0 : 1));
    check_same(block_of(edge), edge);
  }
}

TEST_CASE("block: it is full from 16 KiB on") {
  constexpr std::size_t head = 1 + 1 + 16 + 2;  // gap, partition, checksums, length
  for (const std::size_t all : {std::size_t{16'383}, std::size_t{16'384}}) {
    const auto body = prose(all - head, 1);
    block_builder b;
    CHECK(b.empty());
    b.add(record(1, 1, body));
    CHECK(b.full() == (all == 16'384));
  }
}

TEST_CASE("block: given a record that is elsewhere than it was written, then it is not intact") {
  const auto w = block_of({record(1, 0, "a body")});
  CHECK(block_reader(1, w.value).next()->intact());
  CHECK_FALSE(block_reader(2, w.value).next()->intact());
  auto moved = w.value;
  moved[2] = '\1';
  const auto r = block_reader(1, moved).next();
  CHECK(r->partition == 1);
  CHECK_FALSE(r->intact());
}

TEST_CASE("block: given damage, then it is said where") {
  const auto body = prose(3000, 1);
  for (const auto& w : {block_of({record(7, 0, "a body"), record(8, 0, "another")}), block_of({record(7, 0, body)})}) {
    CHECK(reading(7, "") == storage_errc::corrupt);
    CHECK(reading(7, w.value.substr(0, 1)) == storage_errc::corrupt);
    CHECK(reading(7, w.value.substr(0, w.value.size() - 1)) == storage_errc::corrupt);
    CHECK(reading(7, "\x07" + w.value.substr(1)) == storage_errc::corrupt);
  }
  // A frame that claims to hold more than any block.
  CHECK(reading(7, std::string("\x01\x28\xB5\x2F\xFD\xE0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x01\x00\x00", 17)) == storage_errc::corrupt);
}
