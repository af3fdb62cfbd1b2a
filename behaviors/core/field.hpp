// Field lists: one list per struct, from which everything else is made (binary codec, JSON, JSON Schema, index keys).
//
// Start here:  struct drink { std::int64_t order_id{}; static std::vector<field_spec> fields() {
//                  return {field<&drink::order_id>("orderId").at_least(1)}; } };
//
// A field's position in the list is its tag on disk: FROZEN. Append new fields at the end, never reorder or remove one.
// Pure and immutable after construction: any thread may use a field_spec.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "behaviors/core/decimal.hpp"

namespace crema {

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
struct timestamp {
  std::int64_t ms = 0;
  friend auto operator<=>(const timestamp&, const timestamp&) = default;
};

/// A calendar day as yyyymmdd (20210505); 0 is "none". Answered as "2021-05-05", accepted as 20210505, "20210505" or "2021-05-05".
struct calendar_date {
  std::int32_t yyyymmdd = 0;
  friend auto operator<=>(const calendar_date&, const calendar_date&) = default;
};

/// The literals of a status enumeration, by value from 0. Their order is persisted: FROZEN, append only.
/// Specialise beside the enum: template <> inline constexpr std::array literals_of<drink_status>{std::string_view("PaymentApproved"), …};
template <class Enum>
inline constexpr std::array<std::string_view, 0> literals_of{};

enum class field_kind : std::uint8_t { integer, decimal, boolean, text, time, date, literal };

/// One field's value while it is on its way between a struct and the outside. A string_view lives as long as its source.
/// integer, time (ms), date (yyyymmdd) and literal (index) travel as int64.
using scalar = std::variant<std::monostate, std::int64_t, decimal, bool, std::string_view>;

struct field_spec {
  std::string_view name;
  field_kind kind = field_kind::integer;
  bool nullable = false;   ///< null is a value (std::optional member)
  bool required = false;   ///< must be sent by the caller
  bool hidden = false;     ///< kept, never answered
  bool omittable = false;  ///< of a partial update: left out means unchanged, so null is refused
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::size_t min_length = 0;              ///< characters (Unicode code points), as a JSON Schema counts
  std::size_t max_length = 255;            ///< characters
  std::vector<std::string_view> literals;  ///< literal: the allowed texts, by index
  std::vector<std::string_view> aliases;   ///< other names accepted as input
  std::string_view meaning;                ///< one sentence for people, shown in schemas

  scalar (*get)(const void* object) = nullptr;
  void (*set)(void* object, const scalar& value) = nullptr;         ///< the scalar's alternative matches `kind`; monostate only if nullable
  bool (*reads)(const void* object, const void* member) = nullptr;  ///< is `member` this field of `object`?
  std::optional<std::string> (*keep)(std::string_view sent) = nullptr;  ///< what is kept of a text that a caller sent; nothing: refused
  std::string_view keep_rule;                                           ///< then the sentence goes on: "must " + this
  std::string_view keep_form;                                           ///< texts that are kept, as a regular expression of JSON Schema
  std::string_view example;                                             ///< as JSON text: shown in schemas, and a good body is made of them

  field_spec at_least(std::int64_t v) && {
    min = v;
    return std::move(*this);
  }
  field_spec at_most(std::int64_t v) && {
    max = v;
    return std::move(*this);
  }
  field_spec length(std::size_t shortest, std::size_t longest) && {
    min_length = shortest;
    max_length = longest;
    return std::move(*this);
  }
  field_spec must() && {
    required = true;
    return std::move(*this);
  }
  field_spec hide() && {
    hidden = true;
    return std::move(*this);
  }
  field_spec may_be_left_out() && {
    omittable = true;
    return std::move(*this);
  }
  /// For what must not get in as it was sent: a card number is cut to what may be seen before anything else has it.
  field_spec kept_as(std::optional<std::string> (*f)(std::string_view), std::string_view rule, std::string_view form) && {
    keep = f;
    keep_rule = rule;
    keep_form = form;
    return std::move(*this);
  }
  field_spec alias(std::string_view other) && {
    aliases.push_back(other);
    return std::move(*this);
  }
  field_spec such_as(std::string_view json_text) && {
    example = json_text;
    return std::move(*this);
  }
  field_spec means(std::string_view text) && {
    meaning = text;
    return std::move(*this);
  }
};

namespace detail {

template <class T>
struct unwrap {
  using type = T;
  static constexpr bool optional = false;
};
template <class T>
struct unwrap<std::optional<T>> {
  using type = T;
  static constexpr bool optional = true;
};

template <class T>
struct member_of;
template <class Class, class T>
struct member_of<T Class::*> {
  using object = Class;
  using value = T;
};

template <class T>
constexpr field_kind kind_of() {
  if constexpr (std::is_same_v<T, bool>)
    return field_kind::boolean;
  else if constexpr (std::is_enum_v<T>)
    return field_kind::literal;
  else if constexpr (std::is_integral_v<T>)
    return field_kind::integer;
  else if constexpr (std::is_same_v<T, decimal>)
    return field_kind::decimal;
  else if constexpr (std::is_same_v<T, std::string>)
    return field_kind::text;
  else if constexpr (std::is_same_v<T, timestamp>)
    return field_kind::time;
  else {
    static_assert(std::is_same_v<T, calendar_date>,
                  "a field is an integer, decimal, bool, enum, std::string, timestamp, calendar_date or an optional of one");
    return field_kind::date;
  }
}

template <class T>
scalar to_scalar(const T& v) {
  if constexpr (std::is_same_v<T, bool>)
    return v;
  else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>)
    return static_cast<std::int64_t>(v);
  else if constexpr (std::is_same_v<T, decimal>)
    return v;
  else if constexpr (std::is_same_v<T, std::string>)
    return std::string_view(v);
  else if constexpr (std::is_same_v<T, timestamp>)
    return v.ms;
  else
    return static_cast<std::int64_t>(v.yyyymmdd);
}

template <class T>
T from_scalar(const scalar& s) {
  if constexpr (std::is_same_v<T, bool>)
    return std::get<bool>(s);
  else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>)
    return static_cast<T>(std::get<std::int64_t>(s));
  else if constexpr (std::is_same_v<T, decimal>)
    return std::get<decimal>(s);
  else if constexpr (std::is_same_v<T, std::string>)
    return std::string(std::get<std::string_view>(s));
  else if constexpr (std::is_same_v<T, timestamp>)
    return timestamp{std::get<std::int64_t>(s)};
  else
    return calendar_date{static_cast<std::int32_t>(std::get<std::int64_t>(s))};
}

}  // namespace detail

/// Describes the member `Member`, named `name` in JSON. Limits are added by the chained calls of field_spec.
template <auto Member>
field_spec field(std::string_view name) {
  using object = typename detail::member_of<decltype(Member)>::object;
  using outer = typename detail::member_of<decltype(Member)>::value;
  using inner = typename detail::unwrap<outer>::type;
  constexpr bool is_optional = detail::unwrap<outer>::optional;

  field_spec spec;
  spec.name = name;
  spec.kind = detail::kind_of<inner>();
  spec.nullable = is_optional;
  if constexpr (std::is_integral_v<inner> && !std::is_same_v<inner, bool> && !std::is_same_v<inner, std::int64_t>) {
    // What the member cannot hold is out of range, not cut off.
    if constexpr (std::is_signed_v<inner> || sizeof(inner) < sizeof(std::int64_t)) spec.max = std::numeric_limits<inner>::max();
    spec.min = static_cast<std::int64_t>(std::numeric_limits<inner>::lowest());
  }
  if constexpr (std::is_enum_v<inner>) {
    static_assert(!literals_of<inner>.empty(), "specialise literals_of for this enum");
    spec.literals.assign(literals_of<inner>.begin(), literals_of<inner>.end());
  }
  spec.get = [](const void* p) -> scalar {
    const auto& member = static_cast<const object*>(p)->*Member;
    if constexpr (is_optional)
      return member ? detail::to_scalar(*member) : scalar{};
    else
      return detail::to_scalar(member);
  };
  spec.reads = [](const void* p, const void* member) { return &(static_cast<const object*>(p)->*Member) == member; };
  spec.set = [](void* p, const scalar& s) {
    auto& member = static_cast<object*>(p)->*Member;
    if constexpr (is_optional) {
      if (std::holds_alternative<std::monostate>(s)) {
        member.reset();
        return;
      }
    }
    member = detail::from_scalar<inner>(s);
  };
  return spec;
}

}  // namespace crema
