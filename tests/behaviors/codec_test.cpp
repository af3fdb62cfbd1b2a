// The binary form: what is written is read back, by an older and by a newer reader, and damaged bytes are an error and nothing else.
#include "behaviors/core/codec.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <random>

namespace {
enum class colour { red, green };
}

namespace crema {
template <>
inline constexpr std::array literals_of<colour>{std::string_view("Red"), std::string_view("Green")};
}

namespace {

using namespace crema;

struct item {
  static constexpr std::string_view type_name = "item";
  std::int64_t number = 0;
  decimal price{};
  bool sold = false;
  std::string title;
  colour paint = colour::red;
  timestamp at;
  calendar_date day;
  std::optional<std::int64_t> shelf;
  std::optional<std::string> note;
  friend bool operator==(const item&, const item&) = default;
  static std::vector<field_spec> fields() {
    return {field<&item::number>("number"), field<&item::price>("price"), field<&item::sold>("sold"),
            field<&item::title>("title"),   field<&item::paint>("paint"), field<&item::at>("at"),
            field<&item::day>("day"),       field<&item::shelf>("shelf"), field<&item::note>("note")};
  }
};

// As `item` was before its later fields were added.
struct old_item {
  static constexpr std::string_view type_name = "item";
  std::int64_t number = 7;
  decimal price{};
  static std::vector<field_spec> fields() { return {field<&old_item::number>("number"), field<&old_item::price>("price")}; }
};

// Version 1 counted in dozens.
struct eggs {
  static constexpr std::string_view type_name = "eggs";
  static constexpr std::uint16_t version = 2;
  std::int64_t count = 0;
  static std::vector<field_spec> fields() { return {field<&eggs::count>("count")}; }
  static void upcast(std::uint16_t from, eggs& e) {
    if (from == 1) e.count *= 12;
  }
};

item full() { return {-5, 12.5_dec, true, "Latte", colour::green, {1614227304716}, {20210505}, 0, ""}; }

template <record T>
std::string fields_of(const T& object) {
  std::string out;
  encode_fields(type_of<T>(), &object, out);
  return out;
}

template <record T>
T read(std::string_view bytes, std::uint16_t version = 1) {
  return *decode_fields(type_of<T>(), version, bytes).template as<T>();
}

// An exact copy on the heap, so that a sanitizer sees a read beyond the end.
struct exact {
  explicit exact(std::string_view bytes) : size(bytes.size()), data(new char[bytes.size()]) {
    std::copy(bytes.begin(), bytes.end(), data.get());
  }
  std::string_view view() const { return {data.get(), size}; }
  std::size_t size;
  std::unique_ptr<char[]> data;
};

template <class F>
bool decodes(F f) {
  try {
    f();
    return true;
  } catch (const decode_error&) { return false; }
}

}  // namespace

TEST_CASE("codec: every kind of field comes back") {
  CHECK(read<item>(fields_of(full())) == full());
  CHECK(read<item>(fields_of(item{})) == item{});
  item edge;
  edge.number = std::numeric_limits<std::int64_t>::min();
  edge.price = decimal(std::numeric_limits<std::int64_t>::min(), 999'999);
  edge.title = std::string("\0\xff", 2);
  edge.at.ms = std::numeric_limits<std::int64_t>::max();
  CHECK(read<item>(fields_of(edge)) == edge);
}

TEST_CASE("codec: a default takes no byte, a set optional says so") {
  CHECK(fields_of(item{}).empty());
  item zero;
  zero.shelf = 0;
  zero.note = "";
  CHECK(read<item>(fields_of(zero)).shelf == 0);
  CHECK(read<item>(fields_of(zero)).note == "");
}

TEST_CASE("codec: the bytes are the documented ones") {
  item i;
  i.number = 1;
  i.title = "ab";
  CHECK(fields_of(i) == std::string("\x04\x02\x12\x02"
                                    "ab"));
}

TEST_CASE("codec: an older reader skips what it does not know, a newer one keeps its defaults") {
  CHECK(read<old_item>(fields_of(full())).number == -5);
  old_item old;
  old.number = 3;
  const auto newer = read<item>(fields_of(old));
  CHECK(newer.number == 3);
  CHECK(newer.title.empty());
  CHECK_FALSE(newer.shelf.has_value());
}

TEST_CASE("codec: an older version is raised, a newer one is refused") {
  const auto bytes = fields_of(eggs{2});
  CHECK(read<eggs>(bytes, 1).count == 24);
  CHECK(read<eggs>(bytes, 2).count == 2);
  CHECK_THROWS_AS(read<eggs>(bytes, 3), decode_error);
}

TEST_CASE("codec: a value carries its type") {
  const type_catalog types{{"item", &type_of<item>()}, {"eggs", &type_of<eggs>()}};
  std::string bytes;
  encode_value(value::of(full()), bytes);
  encode_value(value::of(eggs{12}), bytes);
  wire::reader in(bytes);
  CHECK(*decode_value(in, types).as<item>() == full());
  CHECK(decode_value(in, types).as<eggs>()->count == 12);
  CHECK(in.done());
  wire::reader again(bytes);
  CHECK_THROWS_AS(decode_value(again, type_catalog{}), decode_error);
}

TEST_CASE("codec: a value cut off at any byte is an error") {
  const type_catalog types{{"item", &type_of<item>()}};
  std::string bytes;
  encode_value(value::of(full()), bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const exact cut(std::string_view(bytes).substr(0, n));
    wire::reader in(cut.view());
    INFO(n);
    CHECK_THROWS_AS(decode_value(in, types), decode_error);
  }
}

TEST_CASE("codec: fields cut off at any byte are an error, or a record without its last fields") {
  const auto bytes = fields_of(full());
  std::size_t whole = 0;
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    const exact cut(std::string_view(bytes).substr(0, n));
    if (decodes([&] { read<item>(cut.view()); })) ++whole;
  }
  CHECK(whole == item::fields().size() + 1);  // the cuts between two fields, and the two ends
}

TEST_CASE("codec: damaged bytes are an error or another record, never a crash") {
  std::mt19937 random(20210225);
  const auto bytes = fields_of(full());
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    auto damaged = bytes;
    for (auto hits = 1 + random() % 3; hits > 0; --hits) damaged[random() % damaged.size()] = static_cast<char>(random());
    const exact copy(damaged);
    if (!decodes([&] { read<item>(copy.view()); })) ++refused;
  }
  CHECK(refused > 0);
}

TEST_CASE("codec: a field of another type, an unknown literal, tag 0 and an endless number are errors") {
  const auto refused = [](std::string_view bytes) { return !decodes([&] { read<item>(bytes); }); };
  CHECK(refused(std::string_view("\x06\x00", 2)));            // number as bytes
  CHECK(refused(std::string_view("\x07", 1)));                // number as null
  CHECK(refused(std::string_view("\x14\x04", 2)));            // colour 2
  CHECK(refused(std::string_view("\x14\x01", 2)));            // colour -1
  CHECK(refused(std::string_view("\x00\x02", 2)));            // tag 0
  CHECK(refused("\x04" + std::string(10, '\xff') + "\x01"));  // 11 bytes of varint
  CHECK(refused("\x12\xff\xff\xff\xff\x0f"));                 // a text of 4 GiB
  CHECK(decodes([] { read<item>("\x1f"); }) == false);        // a non-nullable text as null
}

TEST_CASE("codec: the pieces of an envelope come back and end with an error") {
  std::string out;
  const std::vector<std::uint64_t> numbers{0, 1, 127, 128, 300, 1ULL << 32U, std::numeric_limits<std::uint64_t>::max()};
  for (const auto n : numbers) wire::put_varint(out, n);
  wire::put_fixed64(out, 0x0102030405060708ULL);
  wire::put_bytes(out, "abc");
  wire::reader in(out);
  for (const auto n : numbers) CHECK(in.varint() == n);
  CHECK(in.fixed64() == 0x0102030405060708ULL);
  CHECK(in.bytes() == "abc");
  CHECK(in.done());
  CHECK_THROWS_AS(in.byte(), decode_error);
  CHECK_THROWS_AS(in.varint(), decode_error);
  CHECK_THROWS_AS(in.fixed64(), decode_error);
  CHECK_THROWS_AS(in.bytes(), decode_error);
}

TEST_CASE("codec: keys sort as their values do") {
  const auto sorted = [](const std::vector<scalar>& values) {
    for (std::size_t i = 1; i < values.size(); ++i)
      if (!(ordered_key(values[i - 1]) < ordered_key(values[i]))) return false;
    return true;
  };
  const auto lowest = std::numeric_limits<std::int64_t>::min(), highest = std::numeric_limits<std::int64_t>::max();
  CHECK(sorted(
      {lowest, std::int64_t{-256}, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{255}, std::int64_t{256}, highest}));
  CHECK(sorted({decimal{lowest, 0}, -2_dec, -1.5_dec, -0.000001_dec, 0_dec, 0.000001_dec, 1.5_dec, 2_dec, decimal{highest, 999'999}}));
  CHECK(sorted({false, true}));
  CHECK(sorted({std::string_view(""), std::string_view("a"), std::string_view("aa"), std::string_view("b"), std::string_view("\xff")}));
  CHECK(ordered_key(std::monostate{}).empty());
}
