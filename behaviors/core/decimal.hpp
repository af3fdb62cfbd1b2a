// Money and other decimals: exact, to six places. Nothing between a caller's digits and the answer's goes through a binary fraction.
//
// Pure; any thread. Limits: 64 bits before the point, six places behind it. A product beyond that throws: who multiplies bounds his fields.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace crema {

/// whole + millionths / 1,000,000. The millionths are always added: -2.5 is -3 and 500,000.
struct decimal {
  constexpr decimal() = default;
  constexpr explicit decimal(std::int64_t w, std::uint32_t m = 0) : whole(w), millionths(m) {}

  std::int64_t whole = 0;
  std::uint32_t millionths = 0;  ///< below millionths_end
  friend auto operator<=>(const decimal&, const decimal&) = default;
};

inline constexpr std::uint32_t millionths_end = 1'000'000;

/// Exact. Throws std::overflow_error beyond the limits.
decimal operator*(decimal a, std::int64_t times);
inline decimal operator-(decimal a) { return a * -1; }

/// The nearest double: for chances and shares, never for money.
inline double to_double(decimal d) { return static_cast<double>(d.whole) + static_cast<double>(d.millionths) / millionths_end; }

/// Appends it with a point, so that a reader sees a decimal: "1000.0", "-2.5", "0.000001".
void append_text(std::string& out, decimal d);

enum class numeral : std::uint8_t { ok, malformed, out_of_range, too_fine };

/// A number in JSON's spirit (a "+" and leading zeros may be there): exact, or why not. "1e3" is 1000, "-0" is 0.
/// With more than six places it is too_fine, unless it is a six-place number to within a double's last bits: a client that computes
/// with doubles sends 0.30000000000000004 for 0.3.
numeral parse_decimal(std::string_view text, decimal& out);
/// The same for whole numbers: "2.0" and "1e3" are, "2.5" is too_fine.
numeral parse_whole(std::string_view text, std::int64_t& out);

inline namespace literals {
/// 12.5_dec. Throws std::invalid_argument for what is none.
decimal operator""_dec(const char* text);
}  // namespace literals

}  // namespace crema
