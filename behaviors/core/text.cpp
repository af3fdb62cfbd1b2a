#include "behaviors/core/text.hpp"

#include <algorithm>
#include <cstdint>

namespace crema {

namespace {

bool is_continuation(std::string_view text, std::size_t at) noexcept {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

// How many bytes follow this one. 4: none can begin so.
unsigned following(unsigned char lead, unsigned char second) noexcept {
  if (lead < 0x80) return 0;
  if (lead >= 0xC2 && lead <= 0xDF) return 1;
  if (lead >= 0xE0 && lead <= 0xEF && !(lead == 0xE0 && second < 0xA0) && !(lead == 0xED && second > 0x9F)) return 2;
  if (lead >= 0xF0 && lead <= 0xF4 && !(lead == 0xF0 && second < 0x90) && !(lead == 0xF4 && second > 0x8F)) return 3;
  return 4;
}

bool is_kept(char32_t c, std::string_view kept) noexcept { return c < 0x80 && kept.find(static_cast<char>(c)) != std::string_view::npos; }

void put_hex(std::string& out, char32_t v, unsigned digits) {
  for (; digits > 0; --digits) out.push_back("0123456789abcdef"[v >> (4U * (digits - 1)) & 15U]);
}

}  // namespace

char32_t take_character(std::string_view text, std::size_t& at) noexcept {
  const auto lead = static_cast<unsigned char>(text[at]);
  const auto more = following(lead, at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0);
  const auto begin = at++;
  if (more == 0) return lead;
  if (more > 3) return no_character;
  char32_t c = lead & (0x3FU >> more);
  for (std::size_t k = 1; k <= more; ++k) {
    if (!is_continuation(text, begin + k)) return no_character;
    c = c << 6U | (static_cast<unsigned char>(text[begin + k]) & 0x3FU);
  }
  at = begin + more + 1;
  return c;
}

// Cc, Bidi_Control and the separators of lines and paragraphs, in the Unicode Character Database's words.
bool is_acting(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

void append_written_out(std::string& out, char32_t acting) {
  out.append("\\u");
  put_hex(out, acting, 4);
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();)
    if (take_character(text, at) == no_character) return false;
  return true;
}

std::size_t character_count(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_visible(std::string_view text, std::string_view kept) noexcept {
  for (std::size_t at = 0; at < text.size();)
    if (const auto c = take_character(text, at); c == no_character || (is_acting(c) && !is_kept(c, kept))) return false;
  return true;
}

std::string visible(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = at;
    const auto c = take_character(text, at);
    if (c == no_character) {
      out.append("\\x");
      put_hex(out, static_cast<unsigned char>(text[begin]), 2);
    } else if (is_acting(c) && !is_kept(c, kept)) {
      append_written_out(out, c);
    } else {
      out.append(text, begin, at - begin);
    }
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= in_quotes_bytes_max) return "'" + visible(text) + "'";
  auto cut = in_quotes_bytes_max;
  while (cut > 0 && is_continuation(text, cut)) --cut;  // not inside a character
  return "'" + visible(text.substr(0, cut)) + "…'";
}

}  // namespace crema
