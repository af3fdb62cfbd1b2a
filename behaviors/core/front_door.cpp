// W3C trace context (https://www.w3.org/TR/trace-context/) to and from text. Pure functions: any thread.
#include "behaviors/core/front_door.hpp"

#include <algorithm>
#include <memory>
#include <span>

namespace crema {

namespace {

constexpr std::size_t traceparent_length = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2

void put_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const auto b : bytes) {
    out.push_back(digits[b >> 4U]);
    out.push_back(digits[b & 15U]);
  }
}

// The standard allows lower case only.
int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

bool all_zero(std::span<const std::uint8_t> id) {
  return std::all_of(id.begin(), id.end(), [](std::uint8_t b) { return b == 0; });
}

// Version 00 has exactly four parts; a later one may go on after a dash; ff is forbidden.
bool length_fits(std::uint8_t version, std::string_view header) {
  if (version == 0xFF) return false;
  if (header.size() == traceparent_length) return true;
  return version != 0 && header[traceparent_length] == '-';
}

bool is_state_character(char c) { return c == '\t' || (c >= ' ' && c <= '~'); }

// "vendor=value": printable, no further sign of equality.
bool is_state_member(std::string_view m) {
  const auto equals = m.find('=');
  return equals != std::string_view::npos && equals > 0 && equals + 1 < m.size() && m.find('=', equals + 1) == std::string_view::npos;
}

std::string_view trimmed(std::string_view s) {
  const auto begin = s.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(" \t") - begin + 1);
}

template <std::size_t N>
std::string hex_of(const std::array<std::uint8_t, N>& id) {
  std::string text;
  text.reserve(2 * N);
  put_hex(text, id);
  return text;
}

}  // namespace

std::string trace_id_text(const trace_context& t) { return hex_of(t.trace_id); }
std::string span_id_text(const std::array<std::uint8_t, 8>& id) { return hex_of(id); }

std::shared_ptr<const std::string> parse_tracestate(std::string_view header) {
  constexpr std::size_t bytes_max = 512, members_max = 32;
  if (header.size() > bytes_max || !std::all_of(header.begin(), header.end(), is_state_character)) return nullptr;
  std::string state;
  std::size_t members = 0;
  while (!header.empty()) {
    const auto comma = std::min(header.find(','), header.size());
    const auto member = trimmed(header.substr(0, comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    if (member.empty()) continue;
    if (!is_state_member(member) || ++members > members_max) return nullptr;
    if (!state.empty()) state += ',';
    state += member;
  }
  return state.empty() ? nullptr : std::make_shared<const std::string>(std::move(state));
}

std::string to_traceparent(const trace_context& t) {
  std::string text = "00-";
  text.reserve(traceparent_length);
  put_hex(text, t.trace_id);
  text.push_back('-');
  put_hex(text, t.span_id);
  text.append(t.sampled ? "-01" : "-00");
  return text;
}

std::optional<trace_context> parse_traceparent(std::string_view header) {
  if (header.size() < traceparent_length || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version{}, flags{};
  trace_context t;
  if (!read_hex(header, version) || !read_hex(header.substr(3), t.trace_id) || !read_hex(header.substr(36), t.span_id) ||
      !read_hex(header.substr(53), flags))
    return std::nullopt;
  if (!length_fits(version[0], header) || all_zero(t.trace_id) || all_zero(t.span_id)) return std::nullopt;
  t.sampled = (flags[0] & 1U) != 0;
  return t;
}

}  // namespace crema
