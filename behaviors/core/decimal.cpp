#include "behaviors/core/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace crema {

namespace {

__extension__ using int128 = __int128;

constexpr int decimal_places = 6;
constexpr int int128_digits = 38;                   // of any number that is below 10^38
constexpr std::size_t double_digits = 17;           // no double needs more to be told from its neighbours
constexpr std::int64_t exponent_limit = 1'000'000;  // farther away than the longest text has digits

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::string_view take_digits(std::string_view& text) noexcept {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

// digits × 10^exponent, without a zero at either end of the digits; none at all: zero.
struct parts {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;

  void trim() {
    const auto first = std::min(digits.find_first_not_of('0'), digits.size());
    digits.erase(0, first);
    while (!digits.empty() && digits.back() == '0') {
      digits.pop_back();
      ++exponent;
    }
  }
};

// Where it is too large to matter how large it is, `exponent_limit`.
bool take_exponent(std::string_view& text, std::int64_t& out) {
  if (!take(text, 'e') && !take(text, 'E')) return true;
  const bool negative = take(text, '-');
  if (!negative) (void)take(text, '+');
  const auto digits = take_digits(text);
  for (const char c : digits) out = std::min(exponent_limit, out * 10 + (c - '0'));
  if (negative) out = -out;
  return !digits.empty();
}

bool split(std::string_view text, parts& out) {
  out.negative = take(text, '-');
  if (!out.negative) (void)take(text, '+');
  out.digits = take_digits(text);
  if (out.digits.empty()) return false;
  std::size_t places = 0;
  if (take(text, '.')) {
    const auto fraction = take_digits(text);
    if (fraction.empty()) return false;
    out.digits.append(fraction);
    places = fraction.size();
  }
  if (!take_exponent(text, out.exponent) || !text.empty()) return false;
  out.exponent -= static_cast<std::int64_t>(places);
  out.trim();
  return true;
}

// The number in units of 10^-places.
numeral scale(const parts& p, int places, int128& out) {
  out = 0;
  if (p.digits.empty()) return numeral::ok;
  const auto zeros = p.exponent + places;
  if (zeros < 0) return numeral::too_fine;
  if (static_cast<std::int64_t>(p.digits.size()) + zeros > int128_digits) return numeral::out_of_range;
  for (const char c : p.digits) out = out * 10 + (c - '0');
  for (auto i = zeros; i > 0; --i) out *= 10;
  if (p.negative) out = -out;
  return numeral::ok;
}

// The six-place number that is this one to within two units of a double's last bit: 0.30000000000000004 is what 0.1 + 0.2 comes to.
numeral without_noise(const parts& p, int128& millionths) {
  std::int64_t first = 0;
  for (std::size_t i = 0; i < double_digits; ++i) first = first * 10 + (i < p.digits.size() ? p.digits[i] - '0' : 0);
  const auto exponent = p.exponent + static_cast<std::int64_t>(p.digits.size()) - static_cast<std::int64_t>(double_digits);
  const auto beyond = -decimal_places - exponent;  // digits behind the sixth place
  if (beyond <= 0 || beyond >= static_cast<std::int64_t>(double_digits)) return numeral::too_fine;
  std::int64_t unit = 1;
  for (auto i = beyond; i > 0; --i) unit *= 10;
  const auto nearest = (first + unit / 2) / unit;
  if (std::abs(first - nearest * unit) > first >> 51) return numeral::too_fine;
  millionths = p.negative ? -nearest : nearest;
  return numeral::ok;
}

bool to_decimal(int128 millionths, decimal& out) {
  auto whole = millionths / millionths_end;
  auto rest = millionths % millionths_end;
  if (rest < 0) {
    rest += millionths_end;
    --whole;
  }
  if (whole < std::numeric_limits<std::int64_t>::min() || whole > std::numeric_limits<std::int64_t>::max()) return false;
  out = decimal(static_cast<std::int64_t>(whole), static_cast<std::uint32_t>(rest));
  return true;
}

int128 to_millionths(decimal d) { return static_cast<int128>(d.whole) * millionths_end + d.millionths; }

}  // namespace

decimal operator*(decimal a, std::int64_t times) {
  // |a| < 2^63 × 10^6 + 10^6, so the product may be beyond 128 bits: first the whole part, which decides.
  decimal product;
  const auto whole = static_cast<int128>(a.whole) * times;
  const auto parts_of_one = static_cast<int128>(a.millionths) * times;
  const auto carried = whole + parts_of_one / millionths_end;
  const bool fits = carried >= std::numeric_limits<std::int64_t>::min() && carried <= std::numeric_limits<std::int64_t>::max();
  if (!fits || !to_decimal(carried * millionths_end + parts_of_one % millionths_end, product))
    throw std::overflow_error("a product of decimals is beyond 64 bits before the point");
  return product;
}

void append_text(std::string& out, decimal d) {
  auto value = to_millionths(d);
  if (value < 0) {
    out.push_back('-');
    value = -value;
  }
  char digits[24];
  const auto whole = static_cast<std::uint64_t>(value / millionths_end);
  out.append(digits, std::to_chars(std::begin(digits), std::end(digits), whole).ptr);
  auto fraction = std::to_string(static_cast<std::uint32_t>(value % millionths_end) + millionths_end);
  fraction.front() = '.';
  while (fraction.size() > 2 && fraction.back() == '0') fraction.pop_back();
  out.append(fraction);
}

numeral parse_decimal(std::string_view text, decimal& out) {
  parts p;
  if (!split(text, p)) return numeral::malformed;
  int128 millionths = 0;
  auto found = scale(p, decimal_places, millionths);
  if (found == numeral::too_fine) found = without_noise(p, millionths);
  if (found != numeral::ok) return found;
  return to_decimal(millionths, out) ? numeral::ok : numeral::out_of_range;
}

numeral parse_whole(std::string_view text, std::int64_t& out) {
  parts p;
  if (!split(text, p)) return numeral::malformed;
  int128 v = 0;
  if (const auto found = scale(p, 0, v); found != numeral::ok) return found;
  if (v < std::numeric_limits<std::int64_t>::min() || v > std::numeric_limits<std::int64_t>::max()) return numeral::out_of_range;
  out = static_cast<std::int64_t>(v);
  return numeral::ok;
}

inline namespace literals {

decimal operator""_dec(const char* text) {
  decimal d;
  if (parse_decimal(text, d) != numeral::ok) throw std::invalid_argument(std::string(text) + " is no decimal");
  return d;
}

}  // namespace literals

}  // namespace crema
