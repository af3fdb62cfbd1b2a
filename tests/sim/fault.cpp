#include "tests/sim/fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace crema::sim {

namespace {

constexpr std::array names{
    std::pair{fault_kind::crash, std::string_view("crash")},
    std::pair{fault_kind::kill_entity, std::string_view("kill-entity")},
    std::pair{fault_kind::kill_partition, std::string_view("kill-partition")},
    std::pair{fault_kind::kill_gate, std::string_view("kill-gate")},
    std::pair{fault_kind::kill_projector, std::string_view("kill-projector")},
    std::pair{fault_kind::kill_notifier, std::string_view("kill-notifier")},
    std::pair{fault_kind::kill_timers, std::string_view("kill-timers")},
    std::pair{fault_kind::kill_context, std::string_view("kill-context")},
    std::pair{fault_kind::kill_root, std::string_view("kill-root")},
    std::pair{fault_kind::commit_lost, std::string_view("commit-lost")},
    std::pair{fault_kind::commit_kept, std::string_view("commit-kept")},
    std::pair{fault_kind::disk_full, std::string_view("disk-full")},
    std::pair{fault_kind::disk_slow, std::string_view("disk-slow")},
    std::pair{fault_kind::clock_forward, std::string_view("clock-forward")},
    std::pair{fault_kind::clock_back, std::string_view("clock-back")},
    std::pair{fault_kind::stop_context, std::string_view("stop-context")},
    std::pair{fault_kind::sink_fails, std::string_view("sink-fails")},
    std::pair{fault_kind::inject_crash, std::string_view("inject-crash")},
    std::pair{fault_kind::inject_throw, std::string_view("inject-throw")},
    std::pair{fault_kind::inject_slow, std::string_view("inject-slow")},
    std::pair{fault_kind::inject_hang, std::string_view("inject-hang")},
    std::pair{fault_kind::inject_drop, std::string_view("inject-drop")},
    std::pair{fault_kind::inject_delay, std::string_view("inject-delay")},
    std::pair{fault_kind::inject_repeat, std::string_view("inject-repeat")},
    std::pair{fault_kind::inject_reorder, std::string_view("inject-reorder")},
    std::pair{fault_kind::inject_full, std::string_view("inject-full")},
    std::pair{fault_kind::inject_stall, std::string_view("inject-stall")},
};

std::uint64_t number_in(std::string_view text, std::string_view whole) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("'" + std::string(whole) + "' is no fault: KIND@STEP:PICK is expected, as in crash@120:7");
  return n;
}

fault parse_fault(std::string_view text) {
  const auto at = text.find('@');
  const auto colon = text.find(':', at == std::string_view::npos ? 0 : at);
  if (at == std::string_view::npos || colon == std::string_view::npos) (void)number_in({}, text);
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.second == text.substr(0, at); });
  if (found == names.end()) {
    std::string known;
    for (const auto& n : names) known.append(known.empty() ? "" : ", ").append(n.second);
    throw std::invalid_argument("there is no fault '" + std::string(text.substr(0, at)) + "'; there are " + known);
  }
  return {found->first, number_in(text.substr(at + 1, colon - at - 1), text), number_in(text.substr(colon + 1), text)};
}

}  // namespace

std::string_view name_of(fault_kind kind) noexcept { return names[static_cast<std::size_t>(kind)].second; }

std::string_view board_name_of(fault_kind kind) noexcept {
  constexpr std::string_view prefix = "inject-";
  const auto name = name_of(kind);
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view();
}

const std::vector<fault_kind>& all_fault_kinds() {
  static const std::vector<fault_kind> all = [] {
    std::vector<fault_kind> kinds;
    for (const auto& n : names) kinds.push_back(n.first);
    return kinds;
  }();
  return all;
}

std::string to_text(const fault_list& faults) {
  if (faults.empty()) return "none";
  std::string out;
  for (const auto& f : faults) {
    if (!out.empty()) out += ',';
    out.append(name_of(f.kind)).append("@").append(std::to_string(f.step)).append(":").append(std::to_string(f.pick));
  }
  return out;
}

fault_list parse_faults(std::string_view text) {
  fault_list all;
  if (text == "none") return all;
  while (true) {
    const auto comma = text.find(',');
    all.push_back(parse_fault(text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return all;
}

fault_list draw_faults(testing::chance& random, std::uint64_t steps) {
  constexpr std::uint64_t kinds_max = 5, faults_max = 10, pick_max = 10000;
  std::vector<fault_kind> taste;
  for (auto n = 1 + random.below(kinds_max); n > 0; --n) taste.push_back(all_fault_kinds()[random.below(names.size())]);
  fault_list all;
  for (auto n = random.below(faults_max + 1); n > 0; --n)
    all.push_back({taste[random.below(taste.size())], random.below(steps), random.below(pick_max)});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return all;
}

}  // namespace crema::sim
