// What there is when a run has come to rest: rows, views, journal, letters, and what people were told. For checks.
#pragma once

#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "behaviors/core/front_door.hpp"
#include "storage/record.hpp"
#include "storage/store.hpp"
#include "tests/sim/asked.hpp"
#include "tests/support/virtual_node.hpp"

namespace crema::sim {

struct final_state {
  const system_declaration& system;
  const system_settings& settings;
  const front_door& door;
  const storage::store& store;
  std::vector<storage::journal_record> journal;
  const std::vector<asked>& requests;
  const std::vector<testing::recording_sink::letter>& letters;

  template <record Row>
  std::map<std::uint64_t, Row> rows(std::string_view context) const {
    return read<Row>({false, system.context_named(context).index});
  }
  template <record Row>
  std::map<std::uint64_t, Row> view(std::string_view name) const {
    for (const auto& v : system.views)
      if (v.name == name) return read<Row>({true, v.index});
    throw std::logic_error("there is no view '" + std::string(name) + "'");
  }
  /// Every event of a type that was recorded, whether it counted or was taken back.
  template <record Event>
  std::vector<std::pair<std::uint64_t, Event>> recorded() const {
    std::vector<std::pair<std::uint64_t, Event>> all;
    for (const auto& r : journal)
      for (const auto& e : r.events)
        if (const auto* found = e.template as<Event>()) all.emplace_back(r.subject.id, *found);
    return all;
  }
  /// The requests of a verb on a collection's resources that were answered 2xx.
  std::vector<const asked*> granted(http::method verb, std::string_view collection) const {
    std::vector<const asked*> all;
    for (const auto& a : requests)
      if (a.granted && a.verb == verb && collection_of(a.path) == collection) all.push_back(&a);
    return all;
  }

 private:
  template <record Row>
  std::map<std::uint64_t, Row> read(collection_ref from) const {
    std::map<std::uint64_t, Row> all;
    page_request every;
    every.limit = 100000;
    const auto page = door.list(from, every);
    for (const auto& r : page->rows) all.emplace(r.id, *r.row.template as<Row>());
    return all;
  }
};

}  // namespace crema::sim
