// The binary form of a record, used inside: journal, state rows, messages. Format: docs/formats/record.md.
//
// A record is its fields as (tag, value) pairs, the tag being the position in the field list + 1. An absent field keeps its
// default, an unknown tag is skipped: an added field is tolerated both ways. The bytes come from a disk or a peer, so decoding
// never trusts them: it throws decode_error and touches nothing else.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "behaviors/core/value.hpp"

namespace crema {

struct decode_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Little pieces of the format, for the envelopes around records.
namespace wire {

/// Small numbers of either sign as small ones: 0, -1, 1, -2 … become 0, 1, 2, 3 …
constexpr std::uint64_t zigzag(std::int64_t v) noexcept {
  return (static_cast<std::uint64_t>(v) << 1U) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) noexcept {
  return static_cast<std::int64_t>(v >> 1U) ^ -static_cast<std::int64_t>(v & 1U);
}

void put_long_varint(std::string& out, std::uint64_t v);
inline void put_varint(std::string& out, std::uint64_t v) {
  if (v < 0x80)
    out.push_back(static_cast<char>(v));
  else
    put_long_varint(out, v);
}
void put_fixed64(std::string& out, std::uint64_t v);  // little endian
void put_bytes(std::string& out, std::string_view bytes);

/// Reads from a view and advances it. Each throws decode_error at the end of the input.
class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t varint() { return !rest_.empty() && static_cast<std::uint8_t>(rest_.front()) < 0x80 ? byte() : long_varint(); }
  std::uint64_t fixed64();
  std::string_view bytes() { return take(varint()); }  ///< their number comes first
  std::string_view take(std::uint64_t count) {         ///< so many bytes
    if (count > rest_.size()) too_long();
    const auto taken = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(static_cast<std::size_t>(count));
    return taken;
  }
  std::uint8_t byte() {
    if (rest_.empty()) end_too_early();
    const auto b = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return b;
  }
  bool done() const noexcept { return rest_.empty(); }
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::uint64_t long_varint();
  [[noreturn]] static void end_too_early();
  [[noreturn]] static void too_long();

  std::string_view rest_;
};

}  // namespace wire

/// Appends the fields of `object`, which is a `type`.
void encode_fields(const record_type& type, const void* object, std::string& out);

/// Reads `bytes`, written by version `version` of the type, into a new object. Throws decode_error.
value decode_fields(const record_type& type, std::uint16_t version, std::string_view bytes);

/// Type name, version and fields: what a record is without its surroundings.
void encode_value(const value& v, std::string& out);

/// Types by their persisted names.
using type_catalog = std::unordered_map<std::string_view, const record_type*>;
/// Reads what encode_value wrote. Throws decode_error, also for a type that `types` does not know.
value decode_value(wire::reader& in, const type_catalog& types);

/// A key whose byte order is the value's order: for indexes. Empty for null.
std::string ordered_key(const scalar& s);

}  // namespace crema
