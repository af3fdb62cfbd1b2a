// Records to JSON text, and times to and from text. Kept free of nlohmann: this is the path of every answer.
// Pure functions: any thread.
#include "behaviors/core/json.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>

namespace crema {

namespace {

namespace ch = std::chrono;

struct broken_down {
  unsigned year, month, day, hour, minute, second, ms;
};

broken_down break_down(timestamp t) {
  const ch::sys_time<ch::milliseconds> at{ch::milliseconds(std::clamp(t.ms, first_timestamp_ms, last_timestamp_ms))};
  const auto midnight = ch::floor<ch::days>(at);
  const ch::year_month_day date(midnight);
  const auto in_day = static_cast<unsigned>((at - midnight).count());
  return {static_cast<unsigned>(static_cast<int>(date.year())),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          in_day / 3600000,
          in_day / 60000 % 60,
          in_day / 1000 % 60,
          in_day % 1000};
}

// Appends `v` with leading zeros.
void put_digits(std::string& out, unsigned v, unsigned width) {
  for (unsigned unit = width == 4 ? 1000 : width == 3 ? 100 : 10; unit > 0; unit /= 10)
    out.push_back(static_cast<char>('0' + v / unit % 10));
}

void put_iso(std::string& out, timestamp t) {
  const auto b = break_down(t);
  put_digits(out, b.year, 4);
  out.push_back('-');
  put_digits(out, b.month, 2);
  out.push_back('-');
  put_digits(out, b.day, 2);
  out.push_back('T');
  put_digits(out, b.hour, 2);
  out.push_back(':');
  put_digits(out, b.minute, 2);
  out.push_back(':');
  put_digits(out, b.second, 2);
  out.push_back('.');
  put_digits(out, b.ms, 3);
  out.append("+0000");
}

void put_date(std::string& out, std::int64_t yyyymmdd) {
  if (yyyymmdd <= 0 || yyyymmdd > 99991231) {
    out.append("null");
    return;
  }
  const auto v = static_cast<unsigned>(yyyymmdd);
  out.push_back('"');
  put_digits(out, v / 10000, 4);
  out.push_back('-');
  put_digits(out, v / 100 % 100, 2);
  out.push_back('-');
  put_digits(out, v % 100, 2);
  out.push_back('"');
}

void put_integer(std::string& out, std::int64_t v) {
  char text[24];
  const auto end = std::to_chars(std::begin(text), std::end(text), v).ptr;
  out.append(text, end);
}

void put_scalar(std::string& out, const field_spec& f, const scalar& s) {
  if (const auto* i = std::get_if<std::int64_t>(&s)) {
    if (f.kind == field_kind::integer) return put_integer(out, *i);
    if (f.kind == field_kind::date) return put_date(out, *i);
    if (f.kind == field_kind::time) {
      out.push_back('"');
      put_iso(out, timestamp{*i});
      out.push_back('"');
      return;
    }
    const auto at = static_cast<std::size_t>(*i);
    if (at < f.literals.size()) return append_json_text(out, f.literals[at]);
    out.append("null");
  } else if (const auto* t = std::get_if<std::string_view>(&s)) {
    append_json_text(out, *t);
  } else if (const auto* b = std::get_if<bool>(&s)) {
    out.append(*b ? "true" : "false");
  } else if (const auto* d = std::get_if<decimal>(&s)) {
    append_text(out, *d);
  } else {
    out.append("null");
  }
}

void put_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\b': out.append("\\b"); return;
    case '\f': out.append("\\f"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default:
      out.append("\\u00");
      out.push_back(hex[static_cast<unsigned char>(c) >> 4U]);
      out.push_back(hex[static_cast<unsigned char>(c) & 15U]);
  }
}

// Takes a fixed number of digits off the front.
bool take_digits(std::string_view& text, std::size_t count, int& out) {
  if (text.size() < count) return false;
  out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// ".716", ".7", ".716123456": milliseconds are kept, the rest is dropped. No fraction is none.
bool take_fraction(std::string_view& text, int& ms) {
  ms = 0;
  if (!take(text, '.')) return true;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9' && digits < 9; text.remove_prefix(1), ++digits)
    if (digits < 3) ms = ms * 10 + (text.front() - '0');
  for (int missing = digits; missing < 3; ++missing) ms *= 10;
  return digits > 0;
}

// "Z", "+0000", "+00:00". A text without a zone is not a point in time.
bool take_zone(std::string_view& text, int& minutes_east) {
  minutes_east = 0;
  if (take(text, 'Z')) return true;
  const bool west = take(text, '-');
  int hours = 0, minutes = 0;
  if (!west && !take(text, '+')) return false;
  if (!take_digits(text, 2, hours)) return false;
  take(text, ':');
  if (!take_digits(text, 2, minutes) || hours > 23 || minutes > 59) return false;
  minutes_east = (west ? -1 : 1) * (hours * 60 + minutes);
  return true;
}

}  // namespace

std::string to_iso_text(timestamp t) {
  std::string text;
  text.reserve(28);
  put_iso(text, t);
  return text;
}

std::string to_compact_text(timestamp t) {
  const auto b = break_down(t);
  std::string text;
  put_digits(text, b.year, 4);
  for (const auto part : {b.month, b.day, b.hour, b.minute, b.second}) put_digits(text, part, 2);
  return text;
}

std::string to_month_text(timestamp t) {
  const auto b = break_down(t);
  std::string text;
  put_digits(text, b.year, 4);
  put_digits(text, b.month, 2);
  return text;
}

bool parse_iso_text(std::string_view text, timestamp& out) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, east = 0;
  const bool read = take_digits(text, 4, year) && take(text, '-') && take_digits(text, 2, month) && take(text, '-') &&
                    take_digits(text, 2, day) && take(text, 'T') && take_digits(text, 2, hour) && take(text, ':') &&
                    take_digits(text, 2, minute) && take(text, ':') && take_digits(text, 2, second) && take_fraction(text, ms) &&
                    take_zone(text, east) && text.empty();
  if (!read || hour > 23 || minute > 59 || second > 59) return false;
  const ch::year_month_day date{ch::year(year), ch::month(static_cast<unsigned>(month)), ch::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  const auto at = ch::sys_days(date) + ch::hours(hour) + ch::minutes(minute - east) + ch::seconds(second) + ch::milliseconds(ms);
  const auto since_epoch = static_cast<std::int64_t>(at.time_since_epoch().count());
  if (since_epoch < first_timestamp_ms || since_epoch > last_timestamp_ms) return false;
  out.ms = since_epoch;
  return true;
}

void append_json_text(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, clean, i - clean);
    put_escaped(out, text[i]);
    clean = i + 1;
  }
  out.append(text, clean, text.size() - clean);
  out.push_back('"');
}

void append_json_fields(std::string& out, const record_type& type, const void* object) {
  bool first = true;
  for (const auto& f : type.fields) {
    if (f.hidden) continue;
    if (!first) out.push_back(',');
    first = false;
    append_json_text(out, f.name);
    out.push_back(':');
    put_scalar(out, f, f.get(object));
  }
}

}  // namespace crema
