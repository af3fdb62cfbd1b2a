// Money: what is read is kept, multiplied and shown exactly, or refused.
#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "behaviors/core/decimal.hpp"
#include "tests/support/chance.hpp"

using namespace crema;

namespace {

constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
constexpr auto highest = std::numeric_limits<std::int64_t>::max();

std::string text_of(decimal d) {
  std::string out;
  append_text(out, d);
  return out;
}

numeral read(std::string_view text) {
  decimal d;
  return parse_decimal(text, d);
}

std::string shown(std::string_view text) {
  decimal d;
  if (parse_decimal(text, d) != numeral::ok) FAIL("refused: " << text);
  return text_of(d);
}

}  // namespace

TEST_CASE("decimal: what is read is shown, with a point and no zeros that say nothing") {
  CHECK(shown("0") == "0.0");
  CHECK(shown("1000") == "1000.0");
  CHECK(shown("12.50") == "12.5");
  CHECK(shown("-2.5") == "-2.5");
  CHECK(shown("-0.000001") == "-0.000001");
  CHECK(shown("179006636.3") == "179006636.3");
  CHECK(shown("1000000000.000001") == "1000000000.000001");
  CHECK(shown("9223372036854775807.999999") == "9223372036854775807.999999");
  CHECK(shown("-9223372036854775808") == "-9223372036854775808.0");
}

TEST_CASE("decimal: a number has many spellings") {
  for (const auto* zero : {"-0", "0.0", "-0.000", "0e999999999999999999999", "0.000000000000000000000000000000000000000000000"})
    CHECK(shown(zero) == "0.0");
  for (const auto* thousand : {"1e3", "1E+3", "0.001e6", "1000000e-3", "+1000", "0001000", "1000.000000000000000000000000000000"})
    CHECK(shown(thousand) == "1000.0");
  CHECK(shown("1e-6") == "0.000001");
  for (const auto* wrong : {"", "-", "+-1", "--1", "1.", ".5", "1e", "1e+", " 1", "1 ", "0x1", "nan", "inf", "1,5", "1.2.3"})
    CHECK(read(wrong) == numeral::malformed);
}

TEST_CASE("decimal: what cannot be kept exactly is refused, however it is written") {
  CHECK(read("0.0000001") == numeral::too_fine);
  CHECK(read("1.17e-38") == numeral::too_fine);
  CHECK(read("1e-999999999999999999999") == numeral::too_fine);
  CHECK(read("0.1234567") == numeral::too_fine);
  CHECK(read("9223372036854775808") == numeral::out_of_range);
  CHECK(read("-9223372036854775808.000001") == numeral::out_of_range);
  CHECK(read("1e19") == numeral::out_of_range);
  CHECK(read("1e999999999999999999999") == numeral::out_of_range);
  CHECK(read("1" + std::string(60'000, '0')) == numeral::out_of_range);
}

TEST_CASE("decimal: a client that computes with doubles is understood") {
  CHECK(shown("0.30000000000000004") == "0.3");
  CHECK(shown("0.7999999999999999") == "0.8");
  CHECK(shown("-1.2345669999999999") == "-1.234567");
  CHECK(shown("2148079635.6000001") == "2148079635.6");
  CHECK(read("0.30000000000004") == numeral::too_fine);
  CHECK(read("1234567.0000004") == numeral::too_fine);
}

TEST_CASE("decimal: a product is exact, or the one who multiplies hears of it") {
  CHECK(text_of(179006636.3_dec * 12) == "2148079635.6");
  CHECK(0.1_dec * 3 == 0.3_dec);
  CHECK(text_of(999999999.999999_dec * 1'000'000) == "999999999999999.0");
  CHECK(-2.5_dec * 3 == -7.5_dec);
  CHECK(decimal{highest, 0} * 1 == decimal{highest, 0});
  CHECK(decimal{lowest, 0} * 1 == decimal{lowest, 0});
  CHECK_THROWS_AS((decimal{highest, 0} * 2), std::overflow_error);
  CHECK_THROWS_AS((decimal{lowest, 0} * lowest), std::overflow_error);
}

TEST_CASE("decimal: in every order of size, what is shown is read back, and sorts as its value") {
  testing::chance random(20261128);
  for (int i = 0; i < 20'000; ++i) {
    const auto some = [&] {
      return decimal{static_cast<std::int64_t>(random.below(~0ULL)) >> random.below(64),
                     static_cast<std::uint32_t>(random.below(millionths_end))};
    };
    const auto a = some(), b = some();
    REQUIRE(shown(text_of(a)) == text_of(a));
    decimal back;
    REQUIRE(parse_decimal(text_of(a), back) == numeral::ok);
    REQUIRE(back == a);
    REQUIRE((a < b) == (std::make_pair(a.whole, a.millionths) < std::make_pair(b.whole, b.millionths)));
  }
}

TEST_CASE("decimal: a whole number is exact beyond what a double can tell apart") {
  std::int64_t v = 0;
  CHECK(parse_whole("9007199254740993.0", v) == numeral::ok);
  CHECK(v == 9007199254740993);
  CHECK(parse_whole("1e3", v) == numeral::ok);
  CHECK(v == 1000);
  CHECK(parse_whole("-0.0", v) == numeral::ok);
  CHECK(v == 0);
  CHECK(parse_whole("9007199254740993.5", v) == numeral::too_fine);
  CHECK(parse_whole("9223372036854775807.0", v) == numeral::ok);
  CHECK(v == highest);
  CHECK(parse_whole("9223372036854775808.0", v) == numeral::out_of_range);
}
