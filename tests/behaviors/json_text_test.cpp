// What a caller sends as JSON, before anything is known about its fields.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "behaviors/core/json_text.hpp"

using namespace crema;
using nlohmann::json;

namespace {

rejection refused(std::string_view text) {
  auto read = parse_json(text, 8);
  if (read) FAIL("accepted: " << text);
  return read.why();
}

}  // namespace

TEST_CASE("json text: a document is what its text says") {
  const std::string_view text = R"({"a":[1,-2,18446744073709551615,"x",null,true,{"b":{}}],"c":{"a":"é"}})";
  CHECK(*parse_json(text, 8) == json::parse(text));
  CHECK(*parse_json("[]", 8) == json::array());
  CHECK(*parse_json("7", 8) == 7);
}

TEST_CASE("json text: a number that a double would round keeps its characters") {
  const auto read = *parse_json(R"({"a":9007199254740993.0,"b":[0.10,1e3],"c":123456789012345678901234567890,"d":-0})", 8);
  CHECK(number_text(read["a"]) == "9007199254740993.0");
  CHECK(number_text(read["b"][0]) == "0.10");
  CHECK(number_text(read["b"][1]) == "1e3");
  CHECK(number_text(read["c"]) == "123456789012345678901234567890");
  CHECK(read["d"] == 0);
  CHECK(number_text(read["d"]).empty());
}

TEST_CASE("json text: a member that is named twice is refused by its name, at any depth") {
  CHECK(refused(R"({"qty":1,"qty":2})").detail == "The body names 'qty' twice; send it once.");
  CHECK(refused(R"({"qty":1,"qty":1})").kind == rejection_kind::malformed);
  CHECK(refused(R"({"qty":1,"\u0071ty":1})").field == "qty");
  CHECK(refused(R"({"a":[{"b":{"c":1,"d":2,"c":3}}]})").field == "c");
  CHECK(parse_json(R"({"a":{"a":1},"b":{"a":2}})", 8).ok());
}

TEST_CASE("json text: what is no JSON, too deep or beyond any number is refused") {
  for (const auto* wrong : {"", "{", "{}}", "{'a':1}", R"({"a":01})", R"({"a":1.})", R"({"a":+1})", R"({"a":.5})", R"({"a":NaN})",
                            "{\"a\":\"\xff\"}", R"({"a":1,})", R"({"a" 1})", "// no\n{}"}) {
    INFO(wrong);
    CHECK(refused(wrong).detail.find("is not JSON in UTF-8: error at byte") != std::string::npos);
  }
  CHECK(parse_json(std::string(8, '[') + std::string(8, ']'), 8).ok());
  CHECK(refused(std::string(9, '[') + std::string(9, ']')).detail == "The body is nested more than 8 deep.");
  CHECK(refused(std::string(100'000, '[')).detail == "The body is nested more than 8 deep.");
  CHECK(refused(R"({"a":1e999})").detail == "The body holds a number that is out of range.");
}
