#include "behaviors/hotel/calendar.hpp"

#include <algorithm>
#include <charconv>

namespace crema::hotel {

namespace {

struct stay {
  std::int64_t from = 0, to = 0, booking = 0;
};

std::int64_t take_number(std::string_view& text) {
  std::int64_t n = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), n).ptr;
  text.remove_prefix(std::min<std::size_t>(text.size(), static_cast<std::size_t>(end - text.data()) + 1));  // and its separator
  return n;
}

std::vector<stay> read_stays(std::string_view text) {
  std::vector<stay> all;
  while (!text.empty()) {
    stay one;
    one.from = take_number(text);
    one.to = take_number(text);
    one.booking = take_number(text);
    all.push_back(one);
  }
  return all;
}

std::string write_stays(const std::vector<stay>& all) {
  std::string text;
  for (const auto& one : all) {
    if (!text.empty()) text += ' ';
    text.append(std::to_string(one.from)).append("-").append(std::to_string(one.to)).append("#").append(std::to_string(one.booking));
  }
  return text;
}

bool has(const calendar& s, std::int64_t booking) {
  const auto all = read_stays(s.stays);
  return std::any_of(all.begin(), all.end(), [&](const stay& one) { return one.booking == booking; });
}

}  // namespace

result<outcome> decide(const calendar& s, const reserve_stay& c, const given&) {
  constexpr std::size_t longest_entry = 40;
  const stay_reserved reserved{c.room_id, c.booking, c.start_date, c.end_date};
  if (has(s, c.booking)) return nothing().answering(reserved);
  for (const auto& taken : read_stays(s.stays))
    if (c.start_date.yyyymmdd < taken.to && taken.from < c.end_date.yyyymmdd)
      return rejection::conflict("Room " + std::to_string(c.room_id) + " is taken from " + std::to_string(taken.from) + " to " +
                                 std::to_string(taken.to) + "; choose other days or another room.");
  if (s.stays.size() + longest_entry > stays_bytes_max)
    return rejection::conflict("The calendar of room " + std::to_string(c.room_id) + " is full.");
  return record_event(reserved);
}

result<outcome> decide(const calendar& s, const release_stay& c, const given&) {
  if (!has(s, c.booking)) return nothing();
  return record_event(stay_released{c.room_id, c.booking});
}

void evolve(calendar& s, const stay_reserved& e) {
  auto all = read_stays(s.stays);
  all.push_back({e.start_date.yyyymmdd, e.end_date.yyyymmdd, e.booking});
  std::sort(all.begin(), all.end(), [](const stay& a, const stay& b) { return a.from < b.from; });
  s.room_id = e.room_id;
  s.stays = write_stays(all);
}

void evolve(calendar& s, const stay_released& e) {
  auto all = read_stays(s.stays);
  std::erase_if(all, [&](const stay& one) { return one.booking == e.booking; });
  s.stays = write_stays(all);
}

std::string calendar_key(std::int64_t room_id) { return std::to_string(room_id); }

}  // namespace crema::hotel
