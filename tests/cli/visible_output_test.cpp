// What the command line prints, whatever a node or a customer made it of.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/table.hpp"
#include "cli/visible_output.hpp"

using namespace crema::cli;
using nlohmann::json;

namespace {

constexpr auto wicked = "a\x1b[2Jb\u009b31mc\u202etxt\u2066d\u200fe\x7f";
constexpr auto seen = "a\\u001b[2Jb\\u009b31mc\\u202etxt\\u2066d\\u200fe\\u007f";

template <class Print>
std::string printed(Print print) {
  std::ostringstream out;
  {
    const visible_output visible(out);
    print(out);
  }
  return out.str();
}

}  // namespace

TEST_CASE("visible output: what would drive a terminal is written out, lines and tabs stay") {
  CHECK(printed([](auto& out) { out << wicked << "\n\tnext ☕\n"; }) == std::string(seen) + "\n\tnext ☕\n");
  CHECK(printed([](auto& out) { out << "no end of line \x9b"; }) == "no end of line \\x9b");
}

TEST_CASE("visible output: a character that comes in pieces is one") {
  CHECK(printed([](auto& out) {
          for (const char c : std::string("\u202e ☕\n")) out << c;
        }) == "\\u202e ☕\n");
}

TEST_CASE("visible output: a flush passes on what there is, in order") {
  std::stringbuf below;
  std::ostream out(&below);
  const visible_output visible(out);
  out << "half\a line" << std::flush;
  CHECK(below.str() == "half\\u0007 line");
  out << " and more";
  CHECK(below.str() == "half\\u0007 line");
}

TEST_CASE("visible output: JSON is JSON still, and says the same") {
  const json document{{"name", wicked}, {"text", "line\nnext\t\"quoted\" \\ \u0085"}};
  const auto text = printed([&](auto& out) { out << document.dump(2) << '\n'; });
  CHECK(json::parse(text) == document);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\u202e") == std::string::npos);
}

TEST_CASE("visible output: a cell of a table is as wide as what is seen") {
  std::ostringstream out;
  print_table(out, json::array({{{"a", "\u202ex"}, {"b", 1}}, {{"a", "yy"}, {"b", 2}}}), {"a", "b"}, "");
  CHECK(out.str() == "a        b\n\\u202ex  1\nyy       2\n");
}
