#include "actors/inbox.hpp"

#include "storage/layout.hpp"

namespace crema::actors {

namespace {
// Messages of a record count from 1.
bool is_hold(const storage::outbox_ref& ref) noexcept { return ref.id.index == 0; }
}  // namespace

std::vector<inbox::left_step> inbox::left_steps(const storage::snapshot& s, const type_catalog& types) const {
  std::vector<left_step> found;
  const auto prefix = storage::lane_prefix(where_);
  const auto at = s.open(storage::table::outbox);
  for (bool there = at->seek(prefix); there && at->key().substr(0, prefix.size()) == prefix; there = at->next()) {
    const auto ref = storage::parse_outbox_key(at->key());
    if (ref.id.sequence >= first_sequence_) break;  // of this run: its ticket is in memory and decides
    if (!is_hold(ref)) continue;
    wire::reader in(at->value());
    (void)in.byte();
    found.push_back({ref, storage::decode_hold(in.rest(), types)});
  }
  return found;
}

std::vector<storage::stored_message> inbox::read(const storage::snapshot& s, const type_catalog& types, std::size_t limit) {
  std::vector<storage::stored_message> found;
  const auto prefix = storage::lane_prefix(where_);
  const auto at = s.open(storage::table::outbox);
  bool there = at->seek(read_up_to_.empty() ? prefix : read_up_to_ + '\0');
  for (; there && found.size() < limit && at->key().substr(0, prefix.size()) == prefix; there = at->next()) {
    const auto ref = storage::parse_outbox_key(at->key());
    if (ref.id.sequence > barrier_) break;
    read_up_to_ = at->key();
    if (is_hold(ref)) continue;
    wire::reader in(at->value());
    if (in.byte() != 0) throw decode_error("a step stands where a message should");
    found.push_back(storage::decode_message(in, types));
    found.back().ref = ref;
  }
  if (found.empty()) {
    phase_ = overflowed_ ? phase::needs_barrier : phase::live;
    overflowed_ = false;
  }
  return found;
}

}  // namespace crema::actors
