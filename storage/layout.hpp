// Keys and rows on disk. Format: docs/formats/tables.md. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "behaviors/core/front_door.hpp"
#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

// ---- keys (big endian, so that byte order is number order)
std::string journal_key(std::uint64_t sequence);
std::string row_key(collection_ref c, std::uint64_t id);
/// Rows of aggregates that are gone: out of their collection, kept so that a late message finds them.
inline collection_ref graveyard_of(std::uint16_t context) noexcept { return {false, static_cast<std::uint16_t>(context | 0x8000U)}; }
std::string outbox_key(const outbox_ref& r);
std::string timer_key(std::int64_t due_ms, message_id id);
std::string number_key(std::uint64_t n);

std::string lane_prefix(lane l);
std::string collection_prefix(collection_ref c);
outbox_ref parse_outbox_key(std::string_view key);
std::uint64_t tail_number(std::string_view key);  ///< the last 8 bytes of a key

/// Where the rows of a collection are kept.
inline table table_of(collection_ref c) noexcept { return c.view ? table::views : table::state; }

// ---- rows
struct row_header {
  std::uint64_t sequence = 0;  ///< of the last record that changed it
  std::uint64_t version = 0;
};
std::string encode_row(const row_header& header, const value& row);
/// Sets the sequence in a row that was encoded before its record got one.
void stamp_row(std::string& row_bytes, std::uint64_t sequence) noexcept;
row_header decode_row_header(std::string_view bytes);
stored_row decode_row(const record_type& type, std::uint64_t id, std::string_view bytes);

// ---- indexes: one entry a row and finder
/// The part of an index key before the row's number. `arguments` in the order of the finder's fields, possibly fewer.
/// `range`: the finder is an up_to one, whose keys lie by owner first.
std::string index_prefix(collection_ref c, std::size_t finder, const std::vector<scalar>& arguments, bool range);
/// Whose entry a key is.
struct index_owner {
  char kind = 's';          ///< 's' a context's collection, 'v' a view, 'k' the key of an aggregate
  std::uint16_t index = 0;  ///< of the context or view
  std::uint8_t finder = 0;
  friend bool operator==(const index_owner&, const index_owner&) = default;
};
/// Throws decode_error.
index_owner owner_of(std::string_view index_key);
/// The beginning of a key that tells of which text and whose it is: what keys of one text and owner share. Empty where the key, or the
/// prefix of one, does not tell. A prefix that has a group has that of every key that begins with it.
std::string_view index_group(std::string_view key) noexcept;
/// What all keys that have a group begin with.
std::string_view index_groups_begin() noexcept;
/// What comes after the part of the fields before, where this value is not null: null sorts before it and has no "at most".
std::string present_mark(const scalar& s);
std::vector<std::string> index_keys(collection_ref c, const resource_declaration& resource, std::uint64_t id, const value& row);
/// The key of a number that is its row's own: such keys come one behind the other, as numbers are dealt.
bool index_key_in_sequence(std::string_view key);
/// The unique entry through which a keyed aggregate is found: → number_key(id).
std::string unique_key(std::uint16_t context, std::string_view key);

// ---- meta
std::string counter_key(std::uint16_t context);   ///< highest number dealt → number_key
std::string chain_key(std::uint16_t partition);   ///< where the chain of a partition's records ends → fixed64 sequence, fixed64 checksum
std::string row_count_key(collection_ref c);      ///< rows of a collection → number_key
std::string view_number_key(std::uint16_t view);  ///< highest row number dealt to a view → number_key
std::string checkpoint_key(std::uint16_t context);  ///< where a context's projector stands
std::string forgotten_key();                        ///< idempotency keys from before this time may be forgotten → number_key(ms)

/// The smallest key beyond every key that begins with `prefix`.
std::string after_prefix(std::string prefix);

/// An entry's place, for people: "the row of context 0, number 11, in 'state'". Never what may be a customer's: texts of index keys.
std::string describe_entry(table t, std::string_view key);

std::optional<std::uint64_t> read_number(const snapshot& s, table t, std::string_view key);

}  // namespace crema::storage
