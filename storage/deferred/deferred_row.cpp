#include "storage/deferred/deferred_row.hpp"

#include <limits>

#include "behaviors/core/codec.hpp"

namespace crema::storage {

namespace {

constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

moves_position read_position(wire::reader& in) {
  const auto round = in.varint();
  return {round, std::string(in.bytes())};
}

}  // namespace

bool is_settled(std::string_view key, const moves_position& then, const moves_position& now) noexcept {
  if (now.round == then.round) return then.after < key && key <= now.after;
  return now.round > then.round + 1 || key > then.after || key <= now.after;
}

bool all_is_settled(const moves_position& then, const moves_position& now) noexcept {
  return now.round > then.round + 1 || (now.round == then.round + 1 && now.after >= then.after);
}

std::string encode_deferred_row(const key_changes& changes, const moves_position& written_at) {
  entry_writer put, erased;
  for (const auto& [key, value] : changes) {
    if (value)
      put.add(key, *value, no_limit);
    else
      erased.add(key, {}, no_limit);
  }
  std::string row;
  wire::put_varint(row, written_at.round);
  wire::put_bytes(row, written_at.after);
  wire::put_bytes(row, put.finish());
  return row.append(erased.finish());
}

deferred_row::deferred_row(std::string_view encoded) {
  wire::reader in(encoded);
  written_at = read_position(in);
  put.load(in.bytes());
  erased.load(in.rest());
}

moves_position written_at(std::string_view encoded) {
  wire::reader in(encoded);
  return read_position(in);
}

}  // namespace crema::storage
