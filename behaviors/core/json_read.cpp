// JSON and texts to records, and the JSON Schema of a record. What comes in here comes from a caller and is not trusted:
// every mistake is a rejection whose sentence names the field and the fix, none throws.
// Pure functions: any thread. Limits: names longer than nearest_length_max get no suggestion.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>

#include "behaviors/core/json.hpp"
#include "behaviors/core/json_text.hpp"
#include "behaviors/core/text.hpp"

namespace crema {

namespace {

using json = nlohmann::json;

constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
constexpr auto highest = std::numeric_limits<std::int64_t>::max();
// Bounds the square cost of the edit distance.
constexpr std::size_t nearest_length_max = 64;

// ---- sentences

std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (const auto n : names) {
    if (!text.empty()) text += ", ";
    text += in_quotes(n);
  }
  return text;
}

// How a good value looks.
std::string wanted(const field_spec& f) {
  switch (f.kind) {
    case field_kind::integer: return "an integer, such as 2";
    case field_kind::decimal: return "a number, such as 1000.0";
    case field_kind::boolean: return "true or false";
    case field_kind::text: return "a text";
    case field_kind::time: return "a time, such as \"2021-02-25T04:28:24.716+0000\"";
    case field_kind::date: return "a date, such as \"2021-05-05\"";
    case field_kind::literal: return "one of " + listed(f.literals);
  }
  return "a value";
}

rejection misread(const field_spec& f) {
  return {rejection_kind::malformed, "Field " + in_quotes(f.name) + " must be " + wanted(f) + ".", std::string(f.name), 0};
}

rejection unacceptable(const field_spec& f, const std::string& rule) {
  return rejection::invalid(std::string(f.name), "Field " + in_quotes(f.name) + " must " + rule + ".");
}

std::string limit_text(const field_spec& f, std::int64_t limit) {
  if (f.kind == field_kind::time) return to_iso_text(timestamp{limit});
  if (f.kind == field_kind::date && limit > 0 && limit <= 99991231) {
    auto text = std::to_string(limit + 100000000).substr(1);
    return text.insert(6, "-").insert(4, "-");
  }
  return std::to_string(limit);
}

rejection out_of_range(const field_spec& f) {
  const auto at_least = limit_text(f, f.min), at_most = limit_text(f, f.max);
  if (f.min != lowest && f.max == highest) return unacceptable(f, "be at least " + at_least);
  if (f.min == lowest && f.max != highest) return unacceptable(f, "be at most " + at_most);
  return unacceptable(f, "be between " + at_least + " and " + at_most);
}

rejection wrong_length(const field_spec& f, std::size_t length) {
  const auto is = "; it has " + std::to_string(length);
  if (f.min_length == 0) return unacceptable(f, "have at most " + std::to_string(f.max_length) + " characters" + is);
  return unacceptable(f, "have between " + std::to_string(f.min_length) + " and " + std::to_string(f.max_length) + " characters" + is);
}

rejection unknown_literal(const field_spec& f, std::string_view text) {
  const auto near = nearest(text, f.literals);
  auto rule = "be " + wanted(f);
  if (!near.empty()) rule += "; did you mean " + in_quotes(near) + "?";
  auto why = unacceptable(f, rule);
  if (!near.empty()) why.detail.pop_back();  // the sentence ends with its question mark
  return why;
}

rejection unknown_field(const record_type& type, std::string_view name) {
  std::vector<std::string_view> known, shown;
  for (const auto& f : type.fields) {
    known.push_back(f.name);
    known.insert(known.end(), f.aliases.begin(), f.aliases.end());
    if (!f.hidden) shown.push_back(f.name);
  }
  std::string detail = "There is no field " + in_quotes(name);
  if (const auto near = nearest(name, known); !near.empty())
    detail += "; did you mean " + in_quotes(near) + "?";
  else if (shown.empty())
    detail += "; leave it out.";
  else
    detail += "; the fields are " + listed(shown) + ".";
  return rejection::invalid(name.size() > nearest_length_max ? std::string{} : std::string(name), std::move(detail));
}

// ---- forms

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n'; }

// A whole number as it is mostly written, without a look at its parts.
bool parse_plain(std::string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

result<scalar> read_integer(const field_spec& f, std::string_view text) {
  std::int64_t v = 0;
  if (parse_plain(text, v)) return scalar(v);
  switch (parse_whole(text, v)) {
    case numeral::ok: return scalar(v);
    case numeral::out_of_range: return out_of_range(f);
    case numeral::malformed:
    case numeral::too_fine: break;
  }
  return misread(f);
}

result<scalar> read_decimal(const field_spec& f, std::string_view text) {
  decimal d;
  switch (parse_decimal(text, d)) {
    case numeral::ok: return scalar(d);
    case numeral::out_of_range: return out_of_range(f);
    case numeral::too_fine: return unacceptable(f, "have at most six places behind the point");
    case numeral::malformed: break;
  }
  return misread(f);
}

result<scalar> read_time(const field_spec& f, std::string_view text) {
  timestamp at;
  if (parse_iso_text(text, at)) return scalar(at.ms);
  std::int64_t ms = 0;
  if (!parse_plain(text, ms) || ms < first_timestamp_ms || ms > last_timestamp_ms) return misread(f);
  return scalar(ms);
}

// 20210505 or 2021-05-05, and a day that the calendar has.
result<scalar> read_date(const field_spec& f, std::string_view text) {
  std::string digits(text.substr(0, 11));
  if (digits.size() == 10 && digits[4] == '-' && digits[7] == '-') digits.erase(7, 1).erase(4, 1);
  if (digits.size() != 8 || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return misread(f);
  const auto v = std::stoi(digits);
  const std::chrono::year_month_day day{std::chrono::year(v / 10000), std::chrono::month(static_cast<unsigned>(v / 100 % 100)),
                                        std::chrono::day(static_cast<unsigned>(v % 100))};
  if (!day.ok() || v < 10000) return unacceptable(f, "be a day that the calendar has, such as \"2021-05-05\"");
  return scalar(std::int64_t{v});
}

result<scalar> read_literal(const field_spec& f, std::string_view text) {
  const auto at = std::find(f.literals.begin(), f.literals.end(), text);
  if (at == f.literals.end()) return unknown_literal(f, text);
  return scalar(static_cast<std::int64_t>(at - f.literals.begin()));
}

result<scalar> read_text(const field_spec& f, std::string_view text) {
  if (!is_utf8(text)) return rejection{rejection_kind::malformed, "Field " + in_quotes(f.name) + " must be UTF-8.", std::string(f.name), 0};
  if (const auto length = character_count(text); length > f.max_length) return wrong_length(f, length);
  if (std::any_of(text.begin(), text.end(), is_control))
    return unacceptable(f, "not contain control characters other than tab and newline");
  return scalar(text);
}

result<scalar> read_boolean(const field_spec& f, std::string_view text) {
  if (text == "true") return scalar(true);
  if (text == "false") return scalar(false);
  return misread(f);
}

// A JSON value in the form that the field wants. `scratch` holds the text of a number where the result views it.
result<scalar> form_of(const field_spec& f, const json& j, std::string& scratch) {
  if (j.is_string()) return from_text(f, j.get_ref<const std::string&>());
  if (j.is_boolean() && f.kind == field_kind::boolean) return scalar(j.get<bool>());
  if (j.is_number_integer()) {  // also the unsigned ones
    if (f.kind == field_kind::boolean || f.kind == field_kind::literal) return misread(f);
    scratch = j.is_number_unsigned() ? std::to_string(j.get<std::uint64_t>()) : std::to_string(j.get<std::int64_t>());
    return from_text(f, scratch);
  }
  if (!j.is_binary() && !j.is_number_float()) return misread(f);
  scratch = j.is_binary() ? std::string(number_text(j)) : j.dump();  // a float: of a document that a program made
  if (f.kind == field_kind::decimal || f.kind == field_kind::integer) return from_text(f, scratch);
  std::int64_t whole = 0;
  if (f.kind != field_kind::text || parse_whole(scratch, whole) != numeral::ok) return misread(f);
  scratch = std::to_string(whole);  // 480.0 is an integer, so it is a text as 480 is
  return from_text(f, scratch);
}

std::optional<rejection> beyond_limits(const field_spec& f, const scalar& s) {
  if (const auto* t = std::get_if<std::string_view>(&s)) {
    if (const auto length = character_count(*t); length < f.min_length || length > f.max_length) return wrong_length(f, length);
  } else if (const auto* d = std::get_if<decimal>(&s)) {
    if (*d < decimal{f.min} || *d > decimal{f.max}) return out_of_range(f);
  } else if (const auto* i = std::get_if<std::int64_t>(&s); i != nullptr && f.kind != field_kind::literal) {
    if (*i < f.min || *i > f.max) return out_of_range(f);
  }
  return std::nullopt;
}

// Puts what was sent into the field of `object`, or says why not.
std::optional<rejection> set_field(const field_spec& f, void* object, const json& sent) {
  std::string scratch;
  auto form = form_of(f, sent, scratch);
  if (!form) return form.why();
  std::optional<std::string> kept;
  if (f.keep != nullptr) {
    kept = f.keep(std::get<std::string_view>(*form));
    if (!kept) return unacceptable(f, std::string(f.keep_rule));
    *form = scalar(std::string_view(*kept));
  }
  if (auto why = beyond_limits(f, *form)) return why;
  f.set(object, *form);
  return std::nullopt;
}

// ---- schema

// Of a partial update null is refused, though an absent member stands for "not sent".
bool shows_null(const field_spec& f) { return f.nullable && !f.omittable; }

json type_name(const field_spec& f, const char* name) { return shows_null(f) ? json::array({name, "null"}) : json(name); }

void add_number_limits(json& schema, const field_spec& f) {
  if (f.min != lowest) schema["minimum"] = f.min;
  if (f.max != highest) schema["maximum"] = f.max;
}

void add_kind(json& schema, const field_spec& f) {
  switch (f.kind) {
    case field_kind::integer:
      schema["type"] = type_name(f, "integer");
      schema["format"] = "int64";
      return add_number_limits(schema, f);
    case field_kind::decimal: schema["type"] = type_name(f, "number"); return add_number_limits(schema, f);
    case field_kind::boolean: schema["type"] = type_name(f, "boolean"); return;
    case field_kind::text:
      schema["type"] = type_name(f, "string");
      if (f.min_length > 0) schema["minLength"] = f.min_length;
      schema["maxLength"] = f.max_length;
      return;
    case field_kind::time:  // not "format": "date-time", which wants a colon in the offset
      schema["type"] = type_name(f, "string");
      schema["examples"] = json::array({"2021-02-25T04:28:24.716+0000"});
      return;
    case field_kind::date:
      schema["type"] = type_name(f, "string");
      schema["format"] = "date";
      return;
    case field_kind::literal:
      schema["enum"] = f.literals;
      if (shows_null(f)) schema["enum"].push_back(nullptr);
      return;
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Insertions, deletions, replacements and swaps of neighbours, letter case aside ("optimal string alignment").
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, nearest_length_max + 1>, nearest_length_max + 1> d;
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t k = 0; k <= b.size(); ++k) d[0][k] = k;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const bool same = lower(a[i - 1]) == lower(b[k - 1]);
      d[i][k] = std::min({d[i - 1][k] + 1, d[i][k - 1] + 1, d[i - 1][k - 1] + (same ? 0 : 1)});
      if (i > 1 && k > 1 && lower(a[i - 1]) == lower(b[k - 2]) && lower(a[i - 2]) == lower(b[k - 1]))
        d[i][k] = std::min(d[i][k], d[i - 2][k - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string_view nearest(std::string_view name, const std::vector<std::string_view>& known) {
  if (name.empty() || name.size() > nearest_length_max) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;  // beyond a third of its letters it is another word
  for (const auto candidate : known) {
    if (candidate.empty() || candidate.size() > nearest_length_max) continue;
    const auto distance = edit_distance(name, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

result<scalar> from_text(const field_spec& f, std::string_view text) {
  switch (f.kind) {
    case field_kind::integer: return read_integer(f, text);
    case field_kind::decimal: return read_decimal(f, text);
    case field_kind::boolean: return read_boolean(f, text);
    case field_kind::text: return read_text(f, text);
    case field_kind::time: return read_time(f, text);
    case field_kind::date: return read_date(f, text);
    case field_kind::literal: return read_literal(f, text);
  }
  return misread(f);
}

namespace {

// What is sent back as it was read, field by field.
class sent_back {
 public:
  explicit sent_back(const record_type* shown) : shown_(shown) {}

  /// The field that the sender reads under this name. nullptr: none.
  const field_spec* shown(std::string_view name) const {
    const auto* f = shown_ == nullptr ? nullptr : shown_->find(name);
    return f == nullptr || f->hidden ? nullptr : f;
  }
  std::optional<rejection> add(const field_spec& f, const json& sent) {
    if (row_ == nullptr) row_ = shown_->make();
    if (sent.is_null())
      f.set(row_.get(), scalar{});
    else if (auto why = set_field(f, row_.get(), sent))
      return why;
    fields_.push_back(static_cast<std::size_t>(&f - shown_->fields.data()));
    return std::nullopt;
  }
  as_read take() && {
    if (row_ == nullptr) return {};
    return {value(*shown_, std::move(row_)), std::move(fields_)};
  }

 private:
  const record_type* shown_;
  std::shared_ptr<void> row_;
  std::vector<std::size_t> fields_;
};

result<value> read_fields(const record_type& type, sent_back& back, const json& object, const std::vector<std::string_view>& ignored) {
  if (!object.is_object()) return rejection{rejection_kind::malformed, "The body must be a JSON object.", {}, 0};
  auto made = type.make();
  std::vector<bool> sent(type.fields.size());
  for (const auto& [name, j] : object.items()) {
    if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) continue;
    const auto* f = type.find(name);
    if (f == nullptr) {
      const auto* read_only = back.shown(name);
      if (read_only == nullptr) return unknown_field(type, name);
      if (j.is_null()) continue;
      if (auto why = back.add(*read_only, j)) return std::move(*why);
      continue;
    }
    if (j.is_null() && f->omittable) {
      const auto* read = back.shown(name);
      if (read == nullptr || !read->nullable) return unacceptable(*f, "not be null here; leave it out to keep what there is");
      (void)back.add(*read, j);
      continue;
    }
    if (j.is_null()) {  // for a field that cannot be null: the same as not sent
      if (f->nullable) f->set(made.get(), scalar{});
      continue;
    }
    const auto at = static_cast<std::size_t>(f - type.fields.data());
    if (sent[at]) return unacceptable(*f, "be sent once, under one of its names");
    if (auto why = set_field(*f, made.get(), j)) return std::move(*why);
    sent[at] = true;
  }
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto& f = type.fields[i];
    if (f.required && !sent[i])
      return rejection::invalid(std::string(f.name), "Field " + in_quotes(f.name) + " is required; send " + wanted(f) + ".");
  }
  return value(type, std::move(made));
}

}  // namespace

result<value> from_json(const record_type& type, const json& object, const std::vector<std::string_view>& ignored) {
  sent_back none(nullptr);
  return read_fields(type, none, object, ignored);
}

result<std::pair<value, as_read>> from_json(const record_type& type, const record_type& shown, const json& object,
                                            const std::vector<std::string_view>& ignored) {
  sent_back back(&shown);
  auto made = read_fields(type, back, object, ignored);
  if (!made) return made.why();
  return std::pair(std::move(*made), std::move(back).take());
}

json json_schema(const record_type& type) {
  json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", type.name},
              {"type", "object"},
              {"properties", json::object()}};
  auto required = json::array();
  for (const auto& f : type.fields) {
    if (f.hidden) continue;
    auto& property = schema["properties"][std::string(f.name)];
    property = json::object();
    add_kind(property, f);
    if (!f.meaning.empty()) property["description"] = f.meaning;
    if (f.required) required.push_back(f.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace crema
