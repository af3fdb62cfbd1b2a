#include "actors/inbox.hpp"

#include "storage/layout.hpp"

namespace crema::actors {

std::vector<inbox::entry> inbox::read(const storage::snapshot& s, const type_catalog& types, std::size_t limit) {
  std::vector<entry> found;
  const auto prefix = storage::lane_prefix(where_);
  const auto at = s.open(storage::table::outbox);
  bool there = at->seek(read_up_to_.empty() ? prefix : read_up_to_ + '\0');
  for (; there && found.size() < limit && at->key().substr(0, prefix.size()) == prefix; there = at->next()) {
    const auto ref = storage::parse_outbox_key(at->key());
    if (ref.id.sequence > barrier_) break;
    read_up_to_ = at->key();
    wire::reader in(at->value());
    entry e;
    e.ref = ref;
    e.is_hold = in.byte() != 0;
    if (!e.is_hold) {
      e.message = storage::decode_message(in, types);
      e.message.ref = ref;
    } else if (ref.id.sequence < first_sequence_) {
      e.held = storage::decode_hold(in.rest(), types);
    } else {
      continue;  // its ticket is in memory and decides
    }
    found.push_back(std::move(e));
  }
  if (found.empty()) {
    phase_ = overflowed_ ? phase::needs_barrier : phase::live;
    overflowed_ = false;
  }
  return found;
}

}  // namespace crema::actors
