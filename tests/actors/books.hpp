// What holds of every node that has come to rest, whatever happened before: nothing waits anywhere, all figures are back at nought, what is
// on disk is what the journal says, and the views are what a rebuild makes of it.
#pragma once

#include <map>

#include "storage/maintenance.hpp"
#include "storage/projection.hpp"
#include "storage/queries.hpp"
#include "tests/actors/stepped_node.hpp"

namespace crema::testing {

inline std::map<std::string, std::string> table_of(const storage::store& s, storage::table t) {
  std::map<std::string, std::string> all;
  const auto now = s.read();
  const auto at = now->open(t);
  for (bool there = at->seek({}); there; there = at->next()) all.emplace(at->key(), at->value());
  return all;
}

inline std::unique_ptr<storage::store> copy_of(const storage::store& s) {
  auto copy = storage::make_memory_store();
  const auto t = copy->write();
  for (std::size_t i = 0; i < storage::table_count; ++i)
    for (const auto& [key, bytes] : table_of(s, static_cast<storage::table>(i))) t->put(static_cast<storage::table>(i), key, bytes);
  t->commit();
  return copy;
}

/// Every field of every row, by view and number.
inline std::map<std::pair<std::uint16_t, std::uint64_t>, std::string> view_rows_of(const storage::store& s,
                                                                                   const system_declaration& system) {
  std::map<std::pair<std::uint16_t, std::uint64_t>, std::string> all;
  page_request every;
  every.limit = 100000;
  for (const auto& v : system.views) {
    const auto page = storage::list_rows(*s.read(), v.resource, {true, v.index}, every, 100000);
    for (const auto& r : page->rows) encode_fields(r.row.type(), r.row.data(), all[{v.index, r.id}]);
  }
  return all;
}

inline std::uint16_t partitions_of(stepped_node& n) { return n.shared().settings.partitions; }

inline void check_disk(stepped_node& n) {
  const auto report = storage::verify(*n.disk(), n.system(), [](const std::string&, std::uint64_t) {});
  CHECK(report.faults == std::vector<std::string>{});
  const auto rebuilt = copy_of(*n.disk());
  storage::rebuild_views(*rebuilt, n.system(), partitions_of(n), [](std::uint64_t) {});
  CHECK(view_rows_of(*n.disk(), n.system()) == view_rows_of(*rebuilt, n.system()));
}

inline void check_at_rest(stepped_node& n) {
  CHECK(n.failed_with.empty());
  CHECK(n.rows_in(storage::table::outbox) == 0);
  CHECK(n.rows_in(storage::table::timers) == 0);
  auto& s = n.shared();
  for (std::size_t i = 0; i < s.contexts.size(); ++i) {
    CAPTURE(n.system().contexts[i].name);
    CHECK(s.contexts[i].outbox == 0);
    CHECK(s.contexts[i].mailbox == 0);
    CHECK(s.contexts[i].lanes_closed == 0);
    CHECK(s.contexts[i].bulkhead.in_flight == 0);
    CHECK(s.contexts[i].bulkhead.queued == 0);
  }
  CHECK(s.compensations == 0);
  CHECK(s.in_flight == 0);
  CHECK(n.node().ready());
  check_disk(n);
}

}  // namespace crema::testing
