#include "storage/queries.hpp"

#include <algorithm>

#include "storage/history.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::storage {

namespace {

// Walks the keys from `first` up to (not including) `end`, in either direction, skipping `offset` of them.
// visit(cursor) is called for at most `limit`.
template <class Visit>
void walk(cursor& c, const std::string& first, const std::string& end, bool backwards, std::uint64_t offset, std::uint64_t limit,
          Visit visit) {
  const auto inside = [&] { return backwards ? c.key() >= first : c.key() < end; };
  bool there = backwards ? c.seek_before(end) : c.seek(first);
  for (std::uint64_t n = 0; there && inside() && n < offset + limit; ++n) {
    if (n >= offset) visit(c);
    there = backwards ? c.prev() : c.next();
  }
}

struct sortable {
  std::string key;
  std::uint64_t id;
};

result<page> sorted_rows(const snapshot& s, const resource_declaration& resource, collection_ref from, const page_request& request,
                         std::uint64_t sort_rows_max) {
  page p;
  p.total = read_number(s, table::meta, row_count_key(from)).value_or(0);
  const auto& f = resource.row->fields[*request.sort_field];
  if (p.total > sort_rows_max)
    return rejection::invalid("sort", "'" + resource.collection + "' has " + std::to_string(p.total) +
                                          " rows, more than can be sorted by '" + std::string(f.name) + "' (runtime.sortRowsMax " +
                                          std::to_string(sort_rows_max) + "); leave sort out, or use a search");
  std::vector<sortable> all;
  const auto c = s.open(table_of(from));
  const auto prefix = collection_prefix(from);
  walk(*c, prefix, after_prefix(prefix), false, 0, sort_rows_max, [&](cursor& at) {
    const auto id = tail_number(at.key());
    all.push_back({ordered_key(f.get(decode_row(*resource.row, id, at.value()).row.data())), id});
  });
  const auto before = [&](const sortable& a, const sortable& b) {
    if (a.key != b.key) return request.descending ? a.key > b.key : a.key < b.key;
    return a.id < b.id;
  };
  const auto end = std::min<std::uint64_t>(all.size(), request.offset + request.limit);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end), all.end(), before);
  for (auto i = request.offset; i < end; ++i)
    if (auto row = read_row(s, *resource.row, from, all[i].id)) p.rows.push_back(std::move(*row));
  return p;
}

bool wanted(const event_query& q, const journal_record& r, const value& event) {
  if (q.context && *q.context != r.subject.context) return false;
  if (q.id && *q.id != r.subject.id) return false;
  return q.type.empty() || q.type == event.type().name;
}

}  // namespace

bool take_events(event_page& page, const event_query& q, const journal_record& r, std::uint64_t& seen) {
  // Bookkeeping takes an offset too: it counts as looked at, and is not looked at again by who reads on.
  if (r.events.empty() && r.sequence >= q.from) {
    page.next = r.sequence;
    if (seen >= q.scan_limit) return false;
    ++seen;
    page.next = r.sequence + 1;
  }
  for (std::size_t i = 0; i < r.events.size(); ++i) {
    const auto offset = r.sequence + i;
    if (offset < q.from) continue;
    if (page.events.size() >= q.limit || seen >= q.scan_limit) {
      page.next = offset;
      return false;
    }
    ++seen;
    page.next = offset + 1;
    if (wanted(q, r, r.events[i])) page.events.push_back({offset, r.subject.context, r.subject.id, r.at, r.trace, r.events[i]});
  }
  return true;
}

std::optional<stored_row> read_row(const snapshot& s, const record_type& type, collection_ref from, std::uint64_t id) {
  const auto bytes = s.get(table_of(from), row_key(from, id));
  if (!bytes) return std::nullopt;
  return decode_row(type, id, *bytes);
}

result<page> list_rows(const snapshot& s, const resource_declaration& resource, collection_ref from, const page_request& request,
                       std::uint64_t sort_rows_max) {
  if (request.sort_field) return sorted_rows(s, resource, from, request, sort_rows_max);
  page p;
  p.total = read_number(s, table::meta, row_count_key(from)).value_or(0);
  const auto c = s.open(table_of(from));
  const auto prefix = collection_prefix(from);
  walk(*c, prefix, after_prefix(prefix), request.descending, request.offset, request.limit,
       [&](cursor& at) { p.rows.push_back(decode_row(*resource.row, tail_number(at.key()), at.value())); });
  return p;
}

result<page> find_rows(const snapshot& s, const resource_declaration& resource, collection_ref from, const finder_declaration& finder,
                       const std::vector<scalar>& arguments, const page_request& request, bool newest_first) {
  const auto which = static_cast<std::size_t>(&finder - resource.finders.data());
  const auto bound = index_prefix(from, which, arguments, finder.up_to);
  auto first = bound;
  if (finder.up_to) {
    first = index_prefix(from, which, {arguments.begin(), arguments.end() - 1}, true);
    first += present_mark(arguments.back());
  }
  const auto end = after_prefix(bound);

  page p;
  const auto c = s.open(table::index);
  walk(*c, first, end, newest_first, request.offset, request.limit, [&](cursor& at) {
    if (auto row = read_row(s, *resource.row, from, tail_number(at.key()))) p.rows.push_back(std::move(*row));
  });
  return p;
}

event_page read_events(const snapshot& s, const type_catalog& types, const event_query& query) {
  if (query.context && query.id) return read_history(s, types, query);
  event_page page;
  page.next = query.from;
  std::uint64_t seen = 0;
  log_reader log(s, query.from);
  while (const auto raw = log.next()) {
    const auto record = decode_body(raw->sequence, raw->partition, raw->body, types);
    if (!take_events(page, query, record, seen)) return page;
  }
  page.at_end = true;
  return page;
}

}  // namespace crema::storage
