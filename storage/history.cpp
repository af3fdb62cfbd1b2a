#include "storage/history.hpp"

#include <algorithm>
#include <vector>

#include "storage/layout.hpp"
#include "storage/log.hpp"
#include "storage/queries.hpp"

namespace crema {

class history_trail {
 public:
  explicit history_trail(std::uint64_t newest) : at(newest) {}

  std::uint64_t at;                  // the record that the way back comes to next; 0: it has come to its end
  std::uint32_t since_mark = 0;      // records passed since the last mark
  std::vector<std::uint64_t> marks;  // newest first: what lies before the last one has been read
};

}  // namespace crema

namespace crema::storage {

namespace {

// 0: the aggregate never recorded anything.
std::uint64_t newest_record(const snapshot& s, std::uint16_t context, std::uint64_t id) {
  auto row = s.get(table::state, row_key({false, context}, id));
  if (!row) row = s.get(table::state, row_key(graveyard_of(context), id));
  return row ? decode_row_header(*row).sequence : 0;
}

bool is_before(const journal_record& r, std::uint64_t offset) { return r.sequence + r.width() <= offset; }

class history_reader {
 public:
  history_reader(const snapshot& s, const type_catalog& types, const event_query& query, history_trail& trail)
      : s_(s), types_(types), query_(query), trail_(trail), left_(query.scan_limit) {}

  /// False: the limit came first.
  bool go_back() {
    for (; trail_.at != 0; --left_) {
      if (left_ == 0) return false;
      const auto record = read_record(s_, trail_.at, types_);
      if (!record || is_before(*record, query_.from)) {
        trail_.at = 0;
        break;
      }
      if (trail_.since_mark == 0) trail_.marks.push_back(trail_.at);
      trail_.since_mark = (trail_.since_mark + 1) % history_stride;
      trail_.at = record->previous;
    }
    return true;
  }

  /// False: the page is full, or the limit came first.
  bool read(event_page& page) {
    std::uint64_t seen = 0;
    for (; !trail_.marks.empty(); trail_.marks.pop_back()) {
      if (left_ == 0) return false;
      const auto records = stride(trail_.marks.back(), std::max(query_.from, page.next));
      left_ -= std::min(left_, static_cast<std::uint32_t>(records.size()));
      for (auto r = records.rbegin(); r != records.rend(); ++r)
        if (!take_events(page, query_, **r, seen)) return false;
    }
    return true;
  }

 private:
  // Newest first: a whole one at a time, so that there is progress under any limit.
  std::vector<std::shared_ptr<journal_record>> stride(std::uint64_t from_mark, std::uint64_t wanted_from) const {
    std::vector<std::shared_ptr<journal_record>> records;
    for (auto at = from_mark; at != 0;) {
      auto record = read_record(s_, at, types_);
      if (!record || is_before(*record, wanted_from)) break;
      at = record->previous;
      records.push_back(std::move(record));
    }
    return records;
  }

  const snapshot& s_;
  const type_catalog& types_;
  const event_query& query_;
  history_trail& trail_;
  std::uint32_t left_;
};

}  // namespace

bool walk_history(const snapshot& s, const type_catalog& types, std::uint16_t context, std::uint64_t id,
                  const std::function<bool(journal_record)>& visit) {
  const auto newest = newest_record(s, context, id);
  for (auto at = newest; at != 0;) {
    const auto record = read_record(s, at, types);
    if (!record) break;
    at = record->previous;
    if (!visit(std::move(*record))) break;
  }
  return newest != 0;
}

event_page read_history(const snapshot& s, const type_catalog& types, const event_query& query) {
  event_page page;
  page.next = query.from;
  page.trail = query.trail ? query.trail : std::make_shared<history_trail>(newest_record(s, *query.context, *query.id));
  history_reader reader(s, types, query, *page.trail);
  if (!reader.go_back() || !reader.read(page)) return page;
  page.trail.reset();
  page.at_end = true;
  return page;
}

}  // namespace crema::storage
