#include "cli/fault_options.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace crema::cli {

namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

// "500ms", "30s", "2m", "1h", "-90s"
std::int64_t duration_ms(const char* option, std::string_view text) {
  constexpr std::pair<std::string_view, std::int64_t> units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  constexpr std::int64_t number_max = 1'000'000'000;
  for (const auto& [unit, ms] : units) {
    if (!text.ends_with(unit)) continue;
    const auto n = whole_number(text.substr(0, text.size() - unit.size()));
    if (n && *n >= -number_max && *n <= number_max) return *n * ms;
  }
  throw std::invalid_argument(std::string(option) + " " + std::string(text) +
                              ": must be a number with its unit, such as 500ms, 30s, 2m or 1h");
}

// "400-620" or "400"
std::pair<std::int64_t, std::int64_t> range_ms(std::string_view text) {
  const auto dash = text.find('-');
  const auto low = whole_number(text.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : whole_number(text.substr(dash + 1));
  if (!low || !high) throw std::invalid_argument("--delay " + std::string(text) + ": must be milliseconds, such as 400-620 or 500");
  return {*low, *high};
}

}  // namespace

nlohmann::json fault_fields(const fault_options& o) {
  nlohmann::json fields{{"target", o.target}, {"kind", o.kind}};
  if (o.rate) fields["rate"] = *o.rate;
  if (o.count) fields["count"] = *o.count;
  if (o.seed) fields["seed"] = *o.seed;
  if (!o.lasts.empty()) fields["durationMs"] = duration_ms("--for", o.lasts);
  if (!o.by.empty()) fields["byMs"] = duration_ms("--by", o.by);
  if (!o.delay.empty()) std::tie(fields["delayMinMs"], fields["delayMaxMs"]) = range_ms(o.delay);
  if (!o.note.empty()) fields["note"] = o.note;
  return fields;
}

}  // namespace crema::cli
