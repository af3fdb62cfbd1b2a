#include "storage/queries.hpp"

#include <algorithm>

#include "storage/history.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::storage {

namespace {

// A range of keys whose last 8 bytes are the number of a row.
struct key_range {
  table where;
  std::string first, end;  // `end` is not in it
  bool in_number_order;    // of rows
};

// Calls visit(cursor) for each key of the range, in either direction, until it says no.
template <class Visit>
void walk(const snapshot& s, const key_range& range, bool backwards, Visit visit) {
  const auto c = s.open(range.where);
  const auto inside = [&] { return backwards ? c->key() >= range.first : c->key() < range.end; };
  bool there = backwards ? c->seek_before(range.end) : c->seek(range.first);
  while (there && inside() && visit(*c)) there = backwards ? c->prev() : c->next();
}

// The direction in which a walk meets the rows as they are wanted. Nothing: they have to be sorted.
std::optional<bool> backwards_for(const page_request& request, const key_range& range) {
  if (request.sort.empty()) return false;
  if (range.in_number_order && !request.sort.front().field) return request.sort.front().descending;
  return std::nullopt;
}

// Appends what sorts as the value does, and ends in itself: what follows it in a key never counts before it.
void append_sort_bytes(std::string& key, const scalar& s, bool descending) {
  const auto from = key.size();
  key += std::holds_alternative<std::monostate>(s) ? '\0' : '\1';  // null is less than any value
  for (const char c : ordered_key(s)) {
    key += c;
    if (c == '\0' && std::holds_alternative<std::string_view>(s)) key += '\xff';
  }
  if (std::holds_alternative<std::string_view>(s)) key.append(2, '\0');
  if (descending)
    std::transform(key.begin() + static_cast<std::ptrdiff_t>(from), key.end(), key.begin() + static_cast<std::ptrdiff_t>(from),
                   [](char c) { return static_cast<char>(~c); });
}

std::string sort_bytes(const std::vector<sort_key>& sort, const record_type& type, const stored_row& row) {
  std::string key;
  for (const auto& by : sort)
    append_sort_bytes(key, by.field ? type.fields[*by.field].get(row.row.data()) : scalar(static_cast<std::int64_t>(row.id)),
                      by.descending);
  return key;
}

rejection too_many_to_sort(const std::string& what, std::uint64_t sort_rows_max) {
  return rejection::invalid("sort", what + ", more than can be sorted (runtime.sortRowsMax " + std::to_string(sort_rows_max) +
                                        "); leave sort out, or sort by id");
}

struct sortable {
  std::string key;
  std::uint64_t id;
  friend auto operator<=>(const sortable&, const sortable&) = default;
};

// The page of rows that have to be sorted. Nothing: there are more than `sort_rows_max`.
std::optional<page> sorted_rows(const snapshot& s, const record_type& type, collection_ref from, const key_range& range,
                                const page_request& request, std::uint64_t sort_rows_max) {
  std::vector<sortable> all;
  walk(s, range, false, [&](const cursor& at) {
    const auto id = tail_number(at.key());
    const auto row = range.where == table_of(from) ? std::optional(decode_row(type, id, at.value())) : read_row(s, type, from, id);
    if (row) all.push_back({sort_bytes(request.sort, type, *row), id});
    return all.size() <= sort_rows_max;
  });
  if (all.size() > sort_rows_max) return std::nullopt;
  page p;
  p.total = all.size();
  const auto end = std::min<std::uint64_t>(all.size(), request.offset + request.limit);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end), all.end());
  for (auto i = request.offset; i < end; ++i)
    if (auto row = read_row(s, type, from, all[i].id)) p.rows.push_back(std::move(*row));
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
  const auto prefix = collection_prefix(from);
  const key_range range{table_of(from), prefix, after_prefix(prefix), true};
  page p;
  p.total = read_number(s, table::meta, row_count_key(from)).value_or(0);
  const auto backwards = backwards_for(request, range);
  if (!backwards) {
    // Asked first: to decode so many rows only to refuse them would be a waste.
    auto sorted = p.total > sort_rows_max ? std::nullopt : sorted_rows(s, *resource.row, from, range, request, sort_rows_max);
    if (sorted) return std::move(*sorted);
    return too_many_to_sort("'" + resource.collection + "' has " + std::to_string(p.total) + " rows", sort_rows_max);
  }
  std::uint64_t n = 0;
  walk(s, range, *backwards, [&](const cursor& at) {
    if (n >= request.offset + request.limit) return false;
    if (n++ >= request.offset) p.rows.push_back(decode_row(*resource.row, tail_number(at.key()), at.value()));
    return true;
  });
  return p;
}

result<page> find_rows(const snapshot& s, const resource_declaration& resource, collection_ref from, const finder_declaration& finder,
                       const std::vector<scalar>& arguments, const page_request& request, std::uint64_t sort_rows_max) {
  const auto which = static_cast<std::size_t>(&finder - resource.finders.data());
  const auto bound = index_prefix(from, which, arguments, finder.up_to);
  key_range range{table::index, bound, after_prefix(bound), !finder.up_to};
  if (finder.up_to) {
    range.first = index_prefix(from, which, {arguments.begin(), arguments.end() - 1}, true);
    range.first += present_mark(arguments.back());
  }
  const auto backwards = backwards_for(request, range);
  if (!backwards) {
    if (auto sorted = sorted_rows(s, *resource.row, from, range, request, sort_rows_max)) return std::move(*sorted);
    return too_many_to_sort("More than " + std::to_string(sort_rows_max) + " rows of '" + resource.collection + "' match", sort_rows_max);
  }
  page p;
  walk(s, range, *backwards, [&](const cursor& at) {
    const auto n = p.total++;
    if (n >= request.offset && n < request.offset + request.limit)
      if (auto row = read_row(s, *resource.row, from, tail_number(at.key()))) p.rows.push_back(std::move(*row));
    p.complete = p.total <= request.scan_limit;
    return p.complete;
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
