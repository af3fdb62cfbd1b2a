// Names of the tables: FROZEN, they are the databases on disk.
#include "storage/store.hpp"

namespace crema::storage {

std::string_view name_of(table t) noexcept {
  switch (t) {
    case table::journal: return "journal";
    case table::state: return "state";
    case table::index: return "index";
    case table::views: return "views";
    case table::outbox: return "outbox";
    case table::timers: return "timers";
    case table::idempotency: return "idempotency";
    case table::deadletters: return "deadletters";
    case table::meta: return "meta";
    case table::deferred: return "deferred";
    case table::schemas: return "schemas";
  }
  return "unknown";
}

}  // namespace crema::storage
