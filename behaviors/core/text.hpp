// Texts as people read them: characters, not bytes, and none that plays tricks on a terminal or on a reader of a log.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace crema {

/// Well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

inline constexpr char32_t no_character = 0xFFFFFFFF;
/// The character at `at`, which is moved behind it. Where there is none: no_character, and one byte.
char32_t take_character(std::string_view text, std::size_t& at) noexcept;

/// Acts instead of being read: see visible().
bool is_acting(char32_t c) noexcept;
/// "\u202e".
void append_written_out(std::string& out, char32_t acting);

/// Unicode code points, as JSON Schema counts a length. `text` is UTF-8.
std::size_t character_count(std::string_view text) noexcept;

/// `text` with what acts instead of being read written out: control characters (C0, DEL, C1), those that turn the direction of writing,
/// and the line and paragraph separators as "\u202e", bytes that are no UTF-8 as "\x9b". Characters of `kept` stay.
std::string visible(std::string_view text, std::string_view kept = {});
bool is_visible(std::string_view text, std::string_view kept = {}) noexcept;  ///< visible() would change nothing

/// What of a caller's text an answer repeats: 'visible, in quotes, and cut …'
std::string in_quotes(std::string_view text);
inline constexpr std::size_t in_quotes_bytes_max = 64;

}  // namespace crema
