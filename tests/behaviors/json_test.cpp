// The JSON form of records, both ways, and the trace context's text form.
#include "behaviors/core/json.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "behaviors/core/front_door.hpp"

namespace {
enum class cup_size { small_cup, large_cup };
}

namespace crema {
template <>
inline constexpr std::array literals_of<cup_size>{std::string_view("Small"), std::string_view("Large")};
}

namespace {

using namespace crema;
using nlohmann::json;

struct cup {
  static constexpr std::string_view type_name = "cup";
  std::string phone_number;
  std::int64_t qty = 1;
  decimal amt{};
  bool hot = false;
  cup_size size = cup_size::small_cup;
  timestamp made_at;
  calendar_date day;
  std::optional<std::string> note;
  std::optional<std::int64_t> discount;
  std::string secret;
  std::int32_t shelf = 0;

  static std::vector<field_spec> fields() {
    return {field<&cup::phone_number>("phoneNumber").must().length(1, 20).alias("phone").means("Whom to call."),
            field<&cup::qty>("qty").at_least(1).at_most(100),
            field<&cup::amt>("amt").at_least(0),
            field<&cup::hot>("hot"),
            field<&cup::size>("size"),
            field<&cup::made_at>("madeAt"),
            field<&cup::day>("day"),
            field<&cup::note>("note"),
            field<&cup::discount>("discount"),
            field<&cup::secret>("secret").hide(),
            field<&cup::shelf>("shelf")};
  }
};

struct empty_record {
  static constexpr std::string_view type_name = "empty_record";
  static std::vector<field_spec> fields() { return {}; }
};

std::string text_of(const cup& c) {
  std::string out = "{";
  append_json_fields(out, type_of<cup>(), &c);
  return out + "}";
}

json with(const char* name, json v) {
  json j{{"phoneNumber", "010"}};
  j[name] = std::move(v);
  return j;
}

result<value> read(const json& j) { return from_json(type_of<cup>(), j); }

cup good(const json& j) {
  const auto read_value = read(j);
  if (!read_value) FAIL(read_value.why().detail);
  return *read_value->as<cup>();
}

rejection bad(const json& j) {
  const auto read_value = read(j);
  if (read_value) FAIL("accepted: " << j.dump());
  return read_value.why();
}

std::string escaped(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

const field_spec& spec(std::string_view name) { return *type_of<cup>().find(name); }

}  // namespace

TEST_CASE("json: a time is written in UTC with milliseconds") {
  CHECK(to_iso_text({1614227304716}) == "2021-02-25T04:28:24.716+0000");
  CHECK(to_iso_text({0}) == "1970-01-01T00:00:00.000+0000");
  CHECK(to_iso_text({-1}) == "1969-12-31T23:59:59.999+0000");
  CHECK(to_compact_text({1611064919000}) == "20210119140159");
  CHECK(to_month_text({1614227304716}) == "202102");
}

TEST_CASE("json: a stored time that no four-digit year can say is clamped, not a crash") {
  CHECK(to_iso_text({std::numeric_limits<std::int64_t>::max()}) == "9999-12-31T23:59:59.999+0000");
  CHECK(to_iso_text({std::numeric_limits<std::int64_t>::min()}) == "0000-01-01T00:00:00.000+0000");
}

TEST_CASE("json: a time is read with its zone") {
  const auto at = [](std::string_view text) {
    timestamp t{-7};
    return parse_iso_text(text, t) ? t.ms : -7;
  };
  CHECK(at("2021-02-25T04:28:24.716+0000") == 1614227304716);
  CHECK(at("2021-02-25T04:28:24.716Z") == 1614227304716);
  CHECK(at("2021-02-25T13:28:24.716+09:00") == 1614227304716);
  CHECK(at("2021-02-24T23:58:24.716-0430") == 1614227304716);
  CHECK(at("2021-02-25T04:28:24Z") == 1614227304000);
  CHECK(at("2021-02-25T04:28:24.7Z") == 1614227304700);
  CHECK(at("2021-02-25T04:28:24.716999Z") == 1614227304716);
  for (const auto* wrong : {"", "2021-02-25", "2021-02-25T04:28:24", "2021-02-30T04:28:24Z", "2021-02-25T24:00:00Z", "2021-02-25T04:60:00Z",
                            "2021-02-25T04:28:24.Z", "2021-02-25T04:28:24Zx", "2021-02-25 04:28:24Z", "2021-02-25T04:28:24+9:00",
                            "0000-01-01T00:00:00+01:00", "-021-02-25T04:28:24Z"}) {
    INFO(wrong);
    CHECK(at(wrong) == -7);
  }
}

TEST_CASE("json: a text is escaped so that any reader gives it back") {
  CHECK(escaped("plain") == "\"plain\"");
  CHECK(escaped("") == "\"\"");
  CHECK(escaped("\"\\\b\f\n\r\t") == R"("\"\\\b\f\n\r\t")");
  CHECK(escaped(std::string_view("\0\x1f", 2)) == R"("\u0000\u001f")");
  CHECK(escaped("커피 ☕") == "\"커피 ☕\"");
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  CHECK(json::parse(escaped(all)).get<std::string>() == all);
}

TEST_CASE("json: every kind of field is written in its form, hidden ones are not") {
  cup c;
  c.phone_number = "010";
  c.qty = std::numeric_limits<std::int64_t>::min();
  c.amt = 1000_dec;
  c.hot = true;
  c.size = cup_size::large_cup;
  c.made_at = {1614227304716};
  c.day = {20210505};
  c.secret = "s";
  CHECK(text_of(c) == R"({"phoneNumber":"010","qty":-9223372036854775808,"amt":1000.0,"hot":true,"size":"Large",)"
                      R"("madeAt":"2021-02-25T04:28:24.716+0000","day":"2021-05-05","note":null,"discount":null,"shelf":0})");
  c.note = "n";
  c.discount = 0;
  c.day = {};
  const auto j = json::parse(text_of(c));
  CHECK(j["note"] == "n");
  CHECK(j["discount"] == 0);
  CHECK(j["day"].is_null());
}

TEST_CASE("json: a decimal is kept and shown as its digits say") {
  for (const auto& [sent, kept] : std::vector<std::pair<json, decimal>>{{12, 12_dec},
                                                                        {"12.5", 12.5_dec},
                                                                        {179006636.3, 179006636.3_dec},
                                                                        {"1e3", 1000_dec},
                                                                        {"-0", 0_dec},
                                                                        {"1000000000.000001", 1000000000.000001_dec},
                                                                        {9007199254740993, 9007199254740993_dec}})
    CHECK(good(with("amt", sent)).amt == kept);
  CHECK(text_of(good(with("amt", "1e3"))).find(R"("amt":1000.0,)") != std::string::npos);
  CHECK(bad(with("amt", "0.0000001")).detail == "Field 'amt' must have at most six places behind the point.");
}

TEST_CASE("json: a record without fields is nothing") {
  const empty_record e;
  std::string out;
  append_json_fields(out, type_of<empty_record>(), &e);
  CHECK(out.empty());
}

TEST_CASE("json: what was written is read back") {
  cup c;
  c.phone_number = "010-1234";
  c.qty = 3;
  c.amt = 12.5_dec;
  c.hot = true;
  c.size = cup_size::large_cup;
  c.made_at = {1614227304716};
  c.day = {20210505};
  c.note = "no sugar";
  CHECK(text_of(good(json::parse(text_of(c)))) == text_of(c));
}

TEST_CASE("json: a number or a boolean sent as a text is one") {
  CHECK(good(with("qty", "2")).qty == 2);
  CHECK(good(with("qty", "+2")).qty == 2);
  CHECK(good(with("qty", "2.0")).qty == 2);
  CHECK(good(with("qty", 2.0)).qty == 2);
  CHECK(good(with("amt", "12.5")).amt == 12.5_dec);
  CHECK(good(with("amt", 12)).amt == 12_dec);
  CHECK(good(with("hot", "true")).hot);
  CHECK_FALSE(good(with("hot", "false")).hot);
}

TEST_CASE("json: an integer sent for a text is a text") {
  CHECK(good(json{{"phoneNumber", 1033}}).phone_number == "1033");
  CHECK(good(json{{"phoneNumber", 1033.0}}).phone_number == "1033");
  CHECK(bad(json{{"phoneNumber", 10.5}}).kind == rejection_kind::malformed);
  CHECK(bad(json{{"phoneNumber", 1e300}}).kind == rejection_kind::malformed);
  CHECK(good(json{{"phoneNumber", 18446744073709551615ULL}}).phone_number == "18446744073709551615");
  CHECK(bad(json{{"phoneNumber", 10.5}}).kind == rejection_kind::malformed);
  CHECK(bad(json{{"phoneNumber", true}}).kind == rejection_kind::malformed);
}

TEST_CASE("json: a wrong type is malformed and says what is wanted") {
  const auto why = bad(with("qty", "two"));
  CHECK(why.kind == rejection_kind::malformed);
  CHECK(why.field == "qty");
  CHECK(why.detail == "Field 'qty' must be an integer, such as 2.");
  for (const auto& j : {json(2.5), json("2.5"), json(""), json(" 2"), json("0x10"), json("1e"), json("--1"), json("+-1"), json(true),
                        json::array(), json::object()}) {
    INFO(j.dump());
    CHECK(bad(with("qty", j)).kind == rejection_kind::malformed);
  }
  for (const auto& j : {json("nan"), json("inf"), json("-inf"), json("1."), json(false)}) {
    INFO(j.dump());
    CHECK(bad(with("amt", j)).kind == rejection_kind::malformed);
  }
  CHECK(bad(with("hot", 1)).detail == "Field 'hot' must be true or false.");
  CHECK(bad(with("size", 1)).kind == rejection_kind::malformed);
  CHECK(bad(with("madeAt", "yesterday")).kind == rejection_kind::malformed);
  CHECK(bad(json::array()).detail == "The body must be a JSON object.");
}

TEST_CASE("json: a value beyond its limits is invalid and names them") {
  CHECK(bad(with("qty", 0)).detail == "Field 'qty' must be between 1 and 100.");
  CHECK(bad(with("qty", 101)).kind == rejection_kind::invalid);
  CHECK(bad(with("amt", -0.5)).detail == "Field 'amt' must be at least 0.");
  CHECK(good(with("amt", "9223372036854775807")).amt == decimal{std::numeric_limits<std::int64_t>::max()});
  CHECK(bad(with("amt", 1e300)).detail == "Field 'amt' must be at least 0.");
  for (const auto& j : {json(9223372036854775808ULL), json(1e30), json("9223372036854775808"), json("1e30"), json(-1e30)}) {
    INFO(j.dump());
    CHECK(bad(with("qty", j)).kind == rejection_kind::invalid);
    CHECK(bad(with("discount", j)).detail == "Field 'discount' must be between -9223372036854775808 and 9223372036854775807.");
  }
  CHECK(bad(with("shelf", 2147483648)).detail == "Field 'shelf' must be between -2147483648 and 2147483647.");
}

TEST_CASE("json: a text is bounded in characters, and free of control characters") {
  CHECK(bad(json{{"phoneNumber", ""}}).detail == "Field 'phoneNumber' must have between 1 and 20 characters; it has 0.");
  CHECK(bad(json{{"phoneNumber", std::string(21, '1')}}).kind == rejection_kind::invalid);
  CHECK(good(json{{"phoneNumber", std::string(20, '1')}}).phone_number.size() == 20);
  std::string coffees;
  for (int i = 0; i < 20; ++i) coffees += "☕";
  CHECK(good(json{{"phoneNumber", coffees}}).phone_number == coffees);
  CHECK(bad(json{{"phoneNumber", coffees + "☕"}}).detail == "Field 'phoneNumber' must have between 1 and 20 characters; it has 21.");
  CHECK(from_text(spec("phoneNumber"), coffees).ok());
  CHECK_FALSE(from_text(spec("phoneNumber"), coffees + "x").ok());
  CHECK(bad(with("note", std::string(256, 'n'))).detail == "Field 'note' must have at most 255 characters; it has 256.");
  CHECK(bad(with("note", std::string("a\0b", 3))).kind == rejection_kind::invalid);
  CHECK(bad(with("note", "a\rb")).kind == rejection_kind::invalid);
  CHECK(good(with("note", "a\tb\n")).note == "a\tb\n");
}

TEST_CASE("json: an unknown field is named with the nearest known one") {
  const auto why = bad(with("qyt", 1));
  CHECK(why.kind == rejection_kind::invalid);
  CHECK(why.field == "qyt");
  CHECK(why.detail == "There is no field 'qyt'; did you mean 'qty'?");
  CHECK(bad(with("PHONENUMBER", "1")).detail == "There is no field 'PHONENUMBER'; did you mean 'phoneNumber'?");
  CHECK(bad(with("colour", 1)).detail.find("; the fields are 'phoneNumber', 'qty'") != std::string::npos);
  CHECK(bad(with("colour", 1)).detail.find("secret") == std::string::npos);
  CHECK(bad(with(std::string(70000, 'x').c_str(), 1)).detail.size() < 400);
  CHECK(from_json(type_of<cup>(), with("colour", 1), {"colour"}).ok());
  CHECK(from_json(type_of<empty_record>(), json{{"a", 1}}).why().detail == "There is no field 'a'; leave it out.");
}

TEST_CASE("json: a required field must be there, and null is not there") {
  CHECK(bad(json::object()).detail == "Field 'phoneNumber' is required; send a text.");
  CHECK(bad(json{{"phoneNumber", nullptr}}).kind == rejection_kind::invalid);
  CHECK(good(with("qty", nullptr)).qty == 1);
  CHECK_FALSE(good(with("note", nullptr)).note.has_value());
}

TEST_CASE("json: an alias is another name for the same field") {
  CHECK(good(json{{"phone", "010"}}).phone_number == "010");
  CHECK(bad(json{{"phone", "010"}, {"phoneNumber", "011"}}).detail == "Field 'phoneNumber' must be sent once, under one of its names.");
}

TEST_CASE("json: an unknown literal is told the known ones") {
  CHECK(good(with("size", "Large")).size == cup_size::large_cup);
  const auto why = bad(with("size", "large"));
  CHECK(why.kind == rejection_kind::invalid);
  CHECK(why.detail == "Field 'size' must be one of 'Small', 'Large'; did you mean 'Large'?");
  CHECK(bad(with("size", "Bucket")).detail == "Field 'size' must be one of 'Small', 'Large'.");
}

TEST_CASE("json: a date is read in three forms and must be in the calendar") {
  for (const auto& j : {json(20210505), json("20210505"), json("2021-05-05")}) CHECK(good(with("day", j)).day.yyyymmdd == 20210505);
  CHECK(good(with("day", "2024-02-29")).day.yyyymmdd == 20240229);
  for (const auto* text : {"2021-02-29", "20211301", "2021-04-31", "00000000"}) {
    INFO(text);
    CHECK(bad(with("day", text)).kind == rejection_kind::invalid);
  }
  for (const auto& j : {json("2021-5-5"), json("5 May"), json(""), json(210505), json(-20210505), json("2021-05-055"), json(0)}) {
    INFO(j.dump());
    CHECK(bad(with("day", j)).kind == rejection_kind::malformed);
  }
}

TEST_CASE("json: a time may be given in milliseconds, within what can be written") {
  CHECK(good(with("madeAt", 1614227304716)).made_at.ms == 1614227304716);
  CHECK(bad(with("madeAt", 253402300800000)).kind == rejection_kind::malformed);
}

TEST_CASE("json: a query parameter takes the field's form") {
  CHECK(std::get<std::int64_t>(*from_text(spec("qty"), "7")) == 7);
  CHECK(std::get<std::int64_t>(*from_text(spec("qty"), "0")) == 0);
  CHECK(std::get<std::string_view>(*from_text(spec("phoneNumber"), "")).empty());
  CHECK_FALSE(from_text(spec("phoneNumber"), std::string(21, '1')).ok());
  CHECK(std::get<std::int64_t>(*from_text(spec("size"), "Large")) == 1);
  CHECK_FALSE(from_text(spec("qty"), "x").ok());
}

TEST_CASE("json: a text that is not UTF-8 is malformed") {
  for (const auto* text : {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x98", "a\x80"}) {
    const auto read_text = from_text(spec("note"), text);
    REQUIRE_FALSE(read_text.ok());
    CHECK(read_text.why().kind == rejection_kind::malformed);
  }
  CHECK(from_text(spec("note"), "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xc2\x80").ok());
}

TEST_CASE("json: the nearest name is near") {
  const std::vector<std::string_view> known{"qty", "amt", "status"};
  CHECK(nearest("qt", known) == "qty");
  CHECK(nearest("QTY", known) == "qty");
  CHECK(nearest("statsu", known) == "status");
  CHECK(nearest("state", known).empty());
  CHECK(nearest("x", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest(std::string(65, 's'), known).empty());
}

TEST_CASE("json: the schema tells types, limits and what is required") {
  const auto schema = json_schema(type_of<cup>());
  const auto& p = schema["properties"];
  CHECK(schema["title"] == "cup");
  CHECK(schema["required"] == json::array({"phoneNumber"}));
  CHECK_FALSE(p.contains("secret"));
  CHECK(p["phoneNumber"] == json{{"type", "string"}, {"minLength", 1}, {"maxLength", 20}, {"description", "Whom to call."}});
  CHECK(p["qty"] == json{{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"maximum", 100}});
  CHECK(p["amt"] == json{{"type", "number"}, {"minimum", 0}});
  CHECK(p["hot"] == json{{"type", "boolean"}});
  CHECK(p["size"] == json{{"enum", {"Small", "Large"}}});
  CHECK(p["day"] == json{{"type", "string"}, {"format", "date"}});
  CHECK(p["discount"]["type"] == json::array({"integer", "null"}));
}

TEST_CASE("trace context: a traceparent is read strictly and written back") {
  const std::string_view text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto t = parse_traceparent(text);
  REQUIRE(t.has_value());
  CHECK(t->sampled);
  CHECK(to_traceparent(*t) == text);
  CHECK(trace_id_text(*t) == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK_FALSE(parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")->sampled);
  CHECK(parse_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-later")->sampled);
}

TEST_CASE("trace context: a tracestate is carried along as it is, less the blanks; what is none, or too long, is not") {
  CHECK(*parse_tracestate("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE") == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  CHECK(*parse_tracestate(" a=1 ,, b=2\t") == "a=1,b=2");
  const std::string at_the_limit = "a=" + std::string(510, 'x');
  CHECK(*parse_tracestate(at_the_limit) == at_the_limit);
  for (const std::string& wrong : {std::string(), std::string(" , "), std::string("a"), std::string("a="), std::string("=1"),
                                   std::string("a=1=2"), std::string("a=\r\nX: y"), std::string("a=\xc3\xa9"), at_the_limit + "x"}) {
    INFO(wrong);
    CHECK(parse_tracestate(wrong) == nullptr);
  }
}

TEST_CASE("trace context: what is not a traceparent is none") {
  for (const auto* wrong :
       {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    INFO(wrong);
    CHECK_FALSE(parse_traceparent(wrong).has_value());
  }
}
