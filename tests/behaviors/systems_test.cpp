// What holds of every system that the binary can run: the declaration is sound, and every record comes back from its bytes.
#include "behaviors/systems.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "behaviors/core/codec.hpp"
#include "behaviors/core/json.hpp"

using namespace crema;

namespace {

/// What a field can hold within its limits: the zero value, the ends and something between. Texts are views of `texts`.
std::vector<scalar> samples(const field_spec& f, std::set<std::string>& texts) {
  const auto within = [&](std::initializer_list<std::int64_t> all) {
    std::vector<scalar> some;
    for (const auto v : all)
      if (v >= f.min && v <= f.max) some.emplace_back(v);
    return some;
  };
  std::vector<scalar> some;
  switch (f.kind) {
    case field_kind::integer: some = within({0, 1, -1, 42, f.min, f.max}); break;
    case field_kind::time: some = within({0, 1, 1614227304716, last_timestamp_ms}); break;
    case field_kind::date: some = within({0, 20210505, 99991231}); break;
    case field_kind::decimal:
      for (const auto v : {0_dec, 0.1_dec, 1000_dec, -2.5_dec, decimal{f.max}})
        if (v >= decimal{f.min} && v <= decimal{f.max}) some.emplace_back(v);
      break;
    case field_kind::boolean: some = {false, true}; break;
    case field_kind::literal:
      for (std::size_t i = 0; i < f.literals.size(); ++i) some.emplace_back(static_cast<std::int64_t>(i));
      break;
    case field_kind::text:
      for (const auto length : {std::size_t{0}, std::size_t{1}, std::size_t{3}, f.min_length, f.max_length})
        if (length >= f.min_length && length <= f.max_length)
          some.emplace_back(std::string_view(*texts.insert(std::string(length, 'a')).first));
      break;
  }
  if (f.nullable) some.emplace_back(std::monostate{});
  return some;
}

bool is_zero(const scalar& s) {
  return s == scalar(std::int64_t{0}) || s == scalar(decimal{}) || s == scalar(false) || s == scalar(std::string_view());
}

/// The zero value takes no byte, so a reader would take it for what a fresh object starts as.
bool starts_as_something(const record_type& type, const field_spec& f) {
  const auto fresh = type.make();
  const auto s = f.get(fresh.get());
  return !std::holds_alternative<std::monostate>(s) && !is_zero(s);
}

/// Fields that start as something and are never zero: the status that the event's name says, a text that may not be empty.
const std::set<std::string> says_one_thing{"Receipted.status", "Made.status", "reserve.status"};

void comes_back(const record_type& type, const void* object, const type_catalog& types) {
  std::string bytes;
  encode_value(value(type, type.copy(object)), bytes);
  wire::reader in(bytes);
  const auto back = decode_value(in, types);
  REQUIRE(in.done());
  REQUIRE(&back.type() == &type);
  for (const auto& f : type.fields) {
    INFO("field " << f.name);
    CHECK(f.get(object) == f.get(back.data()));
  }
  std::string again;
  encode_value(back, again);
  CHECK(again == bytes);
}

/// The JSON that it is answered as is well-formed and has the visible fields, in order.
void is_answered(const record_type& type, const void* object) {
  std::string text = "{";
  append_json_fields(text, type, object);
  text += "}";
  const auto parsed = nlohmann::ordered_json::parse(text);
  std::vector<std::string> visible, members;
  for (const auto& f : type.fields)
    if (!f.hidden) visible.emplace_back(f.name);
  for (const auto& [name, v] : parsed.items()) members.push_back(name);
  CHECK(members == visible);
}

void check(const record_type& type, const void* object, const type_catalog& types) {
  comes_back(type, object, types);
  is_answered(type, object);
}

}  // namespace

TEST_CASE("systems: each is found by its name, the cafeteria is the default, and there is no other") {
  const auto all = system_names();
  CHECK(all.front() == "cafeteria");
  for (const auto* name : {"rewards", "hotel", "breakfast", "preorder"}) CHECK(std::count(all.begin(), all.end(), name) == 1);
  for (const auto& name : all) CHECK(find_system(name).name == name);
  CHECK_THROWS_AS(find_system("teahouse"), std::out_of_range);
}

TEST_CASE("systems: every declaration is sound, its receivers handle what they are told, its numbers are its places") {
  for (const auto& name : system_names()) {
    INFO(name);
    const auto system = find_system(name);
    REQUIRE_NOTHROW(system.check());
    for (std::size_t i = 0; i < system.contexts.size(); ++i) CHECK(system.contexts[i].index == i);
    for (std::size_t i = 0; i < system.views.size(); ++i) CHECK(system.views[i].index == i);
    for (const auto& p : system.policies) {
      INFO(p.event->name << " tells " << p.command->name);
      CHECK(system.contexts.at(p.receiver).handler_of(*p.command) != nullptr);
    }
    CHECK(system.catalog().size() == system.all_types().size());
  }
}

TEST_CASE("systems: every record comes back from its bytes with each value that each of its fields can hold") {
  for (const auto& name : system_names()) {
    const auto system = find_system(name);
    const auto types = system.catalog();
    for (const auto* type : system.all_types()) {
      INFO(name << " " << type->name);
      check(*type, type->make().get(), types);
      std::set<std::string> texts;
      const auto full = type->make();
      for (const auto& f : type->fields) {
        const auto all = samples(f, texts);
        REQUIRE_FALSE(all.empty());
        const bool zero_is_lost = starts_as_something(*type, f);
        CHECK(zero_is_lost == says_one_thing.contains(std::string(type->name) + "." + std::string(f.name)));
        for (const auto& s : all) {
          if (zero_is_lost && is_zero(s)) continue;
          const auto one = type->make();
          f.set(one.get(), s);
          REQUIRE(f.get(one.get()) == s);
          check(*type, one.get(), types);
        }
        f.set(full.get(), all[std::min<std::size_t>(1, all.size() - 1)]);
      }
      check(*type, full.get(), types);
    }
  }
}

TEST_CASE("systems: every record has a schema of its visible fields, in which required ones are required") {
  for (const auto& name : system_names()) {
    for (const auto* type : find_system(name).all_types()) {
      INFO(name << " " << type->name);
      const auto schema = json_schema(*type);
      std::set<std::string> visible, properties, must, required;
      for (const auto& f : type->fields) {
        if (f.hidden) continue;
        visible.emplace(f.name);
        if (f.required) must.emplace(f.name);
      }
      for (const auto& [property, described] : schema.at("properties").items()) {
        properties.insert(property);
        CHECK((described.contains("type") || described.contains("enum")));
      }
      if (schema.contains("required"))
        for (const auto& r : schema.at("required")) required.insert(r.get<std::string>());
      CHECK(properties == visible);
      CHECK(required == must);
      CHECK_NOTHROW(schema.dump());
    }
  }
}

TEST_CASE("systems: names of fields and literals are said once in each type") {
  for (const auto& name : system_names()) {
    for (const auto* type : find_system(name).all_types()) {
      INFO(name << " " << type->name);
      std::set<std::string_view> names;
      for (const auto& f : type->fields) {
        INFO(f.name);
        CHECK(names.insert(f.name).second);
        for (const auto alias : f.aliases) CHECK(names.insert(alias).second);
        CHECK(std::set<std::string_view>(f.literals.begin(), f.literals.end()).size() == f.literals.size());
        CHECK_FALSE((f.required && f.omittable));
        CHECK((!f.omittable || f.nullable));
      }
    }
  }
}
