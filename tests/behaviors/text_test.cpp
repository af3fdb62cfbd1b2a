// Texts as people read them.
#include <catch2/catch.hpp>
#include <string>

#include "behaviors/core/text.hpp"

using namespace crema;

TEST_CASE("text: characters are counted, not bytes") {
  CHECK(character_count("") == 0);
  CHECK(character_count("abc") == 3);
  CHECK(character_count("é☕😀") == 3);
}

TEST_CASE("text: what is no UTF-8 is none") {
  for (const auto* good : {"", "a", "é", "☕", "😀", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) CHECK(is_utf8(good));
  for (const auto* bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xff", "\xe2\x98", "a\xc3("})
    CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("text: what acts on a terminal or turns the direction of writing is written out") {
  CHECK(visible("plain é ☕ 😀 \\u202e") == "plain é ☕ 😀 \\u202e");
  CHECK(visible("\x1b[2J\a\x7f") == "\\u001b[2J\\u0007\\u007f");
  CHECK(visible("a\u0085b\u009bc") == "a\\u0085b\\u009bc");
  CHECK(visible("\u202etxt.exe\u2066x\u2069\u200f\u061c") == "\\u202etxt.exe\\u2066x\\u2069\\u200f\\u061c");
  CHECK(visible("a\u2028b\u2029") == "a\\u2028b\\u2029");
  CHECK(visible("a\x9b"
                "31mb\xff") == "a\\x9b31mb\\xff");
  CHECK(visible("a\n\tb\r") == "a\\u000a\\u0009b\\u000d");
  CHECK(visible("a\n\tb\r", "\n\t") == "a\n\tb\\u000d");
  CHECK(visible(std::string("a\0b", 3)) == "a\\u0000b");
}

TEST_CASE("text: every character is either visible or written out, and then it is visible") {
  for (char32_t c = 0; c < 0x3000; ++c) {
    std::string text;
    if (c < 0x80)
      text = {static_cast<char>(c)};
    else if (c < 0x800)
      text = {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    else
      text = {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    REQUIRE(is_visible(text) == (visible(text) == text));
    REQUIRE(is_visible(visible(text)));
  }
}

TEST_CASE("text: what is quoted is short, whole characters, and harmless") {
  CHECK(in_quotes("qyt") == "'qyt'");
  CHECK(in_quotes("\u202e") == "'\\u202e'");
  std::string coffees;
  for (int i = 0; i < 30; ++i) coffees += "☕";
  CHECK(in_quotes(coffees) == "'" + coffees.substr(0, 63) + "…'");
}
