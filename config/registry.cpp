#include "config/registry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "config/load.hpp"

namespace crema::config {

namespace {

constexpr std::int64_t text_bytes_max = 4096;
constexpr std::int64_t list_items_max = 256;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein's distance; a difference of case counts nothing, because that is the commonest slip.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::string range_text(const declaration& d) {
  return std::to_string(d.min) + " … " + std::to_string(d.max) + (d.unit.empty() ? "" : " " + d.unit);
}

bool accepted(const declaration& d, std::string_view s) {
  return static_cast<std::int64_t>(s.size()) <= text_bytes_max && (!d.accepts || d.accepts(s));
}

bool in_bounds(const declaration& d, const setting& v) {
  switch (d.type) {
    case kind::boolean: return true;
    case kind::integer: {
      const auto n = std::get<std::int64_t>(v);
      return n >= d.min && n <= d.max && (!d.power_of_two || (n > 0 && (n & (n - 1)) == 0));
    }
    case kind::decimal: {
      const auto n = std::get<double>(v);
      return n >= static_cast<double>(d.min) && n <= static_cast<double>(d.max);  // false for a NaN
    }
    case kind::text: {
      const auto& s = std::get<std::string>(v);
      return std::cmp_greater_equal(s.size(), d.min) && std::cmp_less_equal(s.size(), d.max) && accepted(d, s);
    }
    case kind::list: {
      const auto& items = std::get<std::vector<std::string>>(v);
      return std::cmp_less_equal(items.size(), d.max) &&
             std::all_of(items.begin(), items.end(), [&](const auto& i) { return accepted(d, i); });
    }
    case kind::choice: break;
  }
  return std::find(d.choices.begin(), d.choices.end(), std::get<std::string>(v)) != d.choices.end();
}

declaration make(std::string name, kind type, setting by_default, std::string meaning) {
  declaration d;
  d.name = std::move(name);
  d.type = type;
  d.default_value = std::move(by_default);
  d.meaning = std::move(meaning);
  return d;
}

}  // namespace

declaration boolean(std::string name, bool by_default, std::string meaning) {
  return make(std::move(name), kind::boolean, by_default, std::move(meaning));
}

declaration integer(std::string name, std::int64_t by_default, std::int64_t min, std::int64_t max, std::string meaning) {
  auto d = make(std::move(name), kind::integer, by_default, std::move(meaning));
  d.min = min;
  d.max = max;
  return d;
}

declaration decimal(std::string name, double by_default, std::int64_t min, std::int64_t max, std::string meaning) {
  auto d = make(std::move(name), kind::decimal, by_default, std::move(meaning));
  d.min = min;
  d.max = max;
  return d;
}

declaration text(std::string name, std::string by_default, std::string meaning) {
  auto d = make(std::move(name), kind::text, std::move(by_default), std::move(meaning));
  d.max = text_bytes_max;
  return d;
}

declaration list(std::string name, std::string meaning) {
  auto d = make(std::move(name), kind::list, std::vector<std::string>{}, std::move(meaning));
  d.max = list_items_max;
  return d;
}

declaration choice(std::string name, std::vector<std::string> choices, std::string meaning) {
  auto d = make(std::move(name), kind::choice, choices.at(0), std::move(meaning));
  d.choices = std::move(choices);
  return d;
}

registry& registry::add(declaration d) {
  if (find(d.name) != nullptr) throw std::logic_error("the setting " + d.name + " is declared twice");
  if (const auto fault = fault_of(d, d.default_value)) throw std::logic_error("the default of the setting " + d.name + " " + *fault);
  all_.push_back(std::move(d));
  return *this;
}

registry& registry::require_ordered(const std::string& lower_name, const std::string& upper_name) {
  return require([lower_name, upper_name](const values& v) -> std::optional<std::string> {
    const auto low = v.get_int(lower_name);
    const auto high = v.get_int(upper_name);
    if (low <= high) return std::nullopt;
    return lower_name + " is " + std::to_string(low) + ", but must be at most " + upper_name + ", which is " + std::to_string(high);
  });
}

const declaration* registry::find(std::string_view name) const noexcept {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const auto& d) { return d.name == name; });
  return at != all_.end() ? &*at : nullptr;
}

std::string_view registry::nearest(std::string_view name) const {
  for (const auto& d : all_)  // only what stands before it is missing: the system, where several share a registry
    if (d.name.ends_with("." + std::string(name))) return d.name;
  std::string_view best;
  auto best_distance = std::max<std::size_t>(3, name.size() / 3) + 1;
  for (const auto& d : all_)
    if (const auto far = distance(name, d.name); far < best_distance) {
      best = d.name;
      best_distance = far;
    }
  if (!best.empty()) return best;
  // Right in the last part, wrong or missing in the section.
  for (const auto& d : all_)
    if (distance(last_part(name), last_part(d.name)) <= 1) return d.name;
  return {};
}

std::string environment_name(std::string_view setting_name) {
  std::string out = "CREMA_";
  for (const char c : setting_name) {
    if (c == '.') {
      out += "__";
    } else if (c >= 'a' && c <= 'z') {
      out += static_cast<char>(c - 'a' + 'A');
    } else {
      if (c >= 'A' && c <= 'Z') out += '_';
      out += c;
    }
  }
  return out;
}

std::string bounds_text(const declaration& d) {
  switch (d.type) {
    case kind::boolean: return "true or false";
    case kind::integer: return std::string(d.power_of_two ? "a power of two, " : "a whole number, ") + range_text(d);
    case kind::decimal: return "a number, " + range_text(d);
    case kind::text:
      if (!d.form.empty()) return d.form;
      return d.min > 0 || d.max < text_bytes_max ? "a text of " + std::to_string(d.min) + " … " + std::to_string(d.max) + " bytes"
                                                 : "a text";
    case kind::list: return d.form.empty() ? "a list of texts" : "a list of " + d.form;
    case kind::choice: break;
  }
  std::string out = "one of ";
  for (const auto& c : d.choices) out += (&c == d.choices.data() ? "" : ", ") + c;
  return out;
}

std::string value_text(const setting& v) {
  if (const auto* b = std::get_if<bool>(&v)) return *b ? "true" : "false";
  if (const auto* n = std::get_if<std::int64_t>(&v)) return std::to_string(*n);
  if (const auto* n = std::get_if<double>(&v)) {
    std::array<char, 32> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), *n);
    return {digits.data(), end};
  }
  if (const auto* s = std::get_if<std::string>(&v)) return *s;
  std::string out;
  for (const auto& item : std::get<std::vector<std::string>>(v)) out += (out.empty() ? "" : ",") + item;
  return out;
}

std::optional<std::string> fault_of(const declaration& d, const setting& v) {
  if (in_bounds(d, v)) return std::nullopt;
  return "must be " + bounds_text(d);
}

}  // namespace crema::config
