#include "storage/layout.hpp"

namespace crema::storage {

namespace {

// First byte of an index key: how its beginning reads. FROZEN.
constexpr char index_by_text = 1;    // text, 0, [hash], owner, further values, number
constexpr char index_by_number = 3;  // mark, [8 bytes, of a decimal 12], owner, further values, number
constexpr char index_by_range = 4;   // owner, values, number

// Marks before a value that is not a text. FROZEN.
constexpr char index_null = 0;
constexpr char index_present = 1;
constexpr char index_decimal = 2;

// Texts from this length on are cut and told apart by a hash, so that a key stays below max_key_bytes.
constexpr std::size_t index_text_max = 96;

// Bytes that most keys of an index, and most rows, have room in.
constexpr std::size_t index_key_usual = 64;
constexpr std::size_t row_usual = 128;

template <class Int>
void put_big_endian(std::string& out, Int v) {
  char bytes[sizeof(Int)];
  for (std::size_t i = 0; i < sizeof(Int); ++i) bytes[i] = static_cast<char>(v >> (8U * (sizeof(Int) - 1 - i)));
  out.append(bytes, sizeof(Int));
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t v = 0;
  for (const auto b : bytes) v = v << 8U | static_cast<std::uint8_t>(b);
  return v;
}

char mark_of(const scalar& present) { return std::holds_alternative<decimal>(present) ? index_decimal : index_present; }

void put_index_value(std::string& out, const scalar& s) {
  if (const auto* text = std::get_if<std::string_view>(&s)) {
    out.append(text->substr(0, index_text_max));
    out.push_back('\0');  // texts hold no NUL (checked at the edge): "ab" sorts before "abc"
    if (text->size() >= index_text_max) put_big_endian(out, checksum(*text, 0));
    return;
  }
  out.push_back(std::holds_alternative<std::monostate>(s) ? index_null : mark_of(s));
  if (const auto* b = std::get_if<bool>(&s))
    out.append(ordered_key(std::int64_t{*b}));
  else
    out.append(ordered_key(s));
}

void put_owner(std::string& out, const index_owner& o) {
  out.push_back(o.kind);
  put_big_endian(out, o.index);
  out.push_back(static_cast<char>(o.finder));
}

constexpr std::size_t owner_length = 4;

// Bytes of a text in a key, with what ends it: `cut` of it are kept.
constexpr std::size_t text_length(std::size_t cut) noexcept { return cut + 1 + (cut == index_text_max ? 8 : 0); }

// Bytes of the first value of a key, behind its first byte.
std::size_t first_value_length(std::string_view key) {
  if (key.front() == index_by_range) return 0;
  if (key.front() == index_by_number) return key.size() < 2 || key[1] == index_null ? 1 : key[1] == index_decimal ? 13 : 9;
  const auto end = key.find('\0', 1);
  if (key.front() != index_by_text || end == std::string_view::npos) throw decode_error("an index key is of no known kind");
  return text_length(end - 1);
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto b : bytes) {
    const auto byte = static_cast<std::uint8_t>(b);
    out.append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
  }
  return out;
}

std::string meta_key(std::string_view name, std::uint64_t n) { return std::string(name) + "/" + std::to_string(n); }

}  // namespace

std::string journal_key(std::uint64_t sequence) { return number_key(sequence); }

std::string collection_prefix(collection_ref c) {
  std::string k;
  put_big_endian(k, c.index);
  return k;
}

std::string row_key(collection_ref c, std::uint64_t id) {
  auto k = collection_prefix(c);
  put_big_endian(k, id);
  return k;
}

std::string lane_prefix(lane l) {
  std::string k;
  put_big_endian(k, l.context);
  put_big_endian(k, l.partition);
  return k;
}

std::string outbox_key(const outbox_ref& r) {
  auto k = lane_prefix(r.where);
  put_big_endian(k, r.id.sequence);
  put_big_endian(k, r.id.index);
  return k;
}

outbox_ref parse_outbox_key(std::string_view key) {
  if (key.size() != 16) throw decode_error("an outbox key is not 16 bytes long");
  outbox_ref r;
  r.where.context = static_cast<std::uint16_t>(read_big_endian(key.substr(0, 2)));
  r.where.partition = static_cast<std::uint16_t>(read_big_endian(key.substr(2, 2)));
  r.id.sequence = read_big_endian(key.substr(4, 8));
  r.id.index = static_cast<std::uint32_t>(read_big_endian(key.substr(12, 4)));
  return r;
}

std::string timer_key(std::int64_t due_ms, message_id id) {
  std::string k;
  put_big_endian(k, static_cast<std::uint64_t>(due_ms));
  put_big_endian(k, id.sequence);
  put_big_endian(k, id.index);
  return k;
}

std::string number_key(std::uint64_t n) {
  std::string k;
  put_big_endian(k, n);
  return k;
}

std::uint64_t tail_number(std::string_view key) {
  if (key.size() < 8) throw decode_error("a key has no number at its end");
  return read_big_endian(key.substr(key.size() - 8));
}

std::string encode_row(const row_header& header, const value& row) {
  std::string out;
  out.reserve(row_usual);
  wire::put_fixed64(out, header.sequence);
  wire::put_varint(out, header.version);
  wire::put_varint(out, row.type().version);
  encode_fields(row.type(), row.data(), out);
  return out;
}

void stamp_row(std::string& row_bytes, std::uint64_t sequence) noexcept {
  for (std::size_t i = 0; i < 8 && i < row_bytes.size(); ++i) row_bytes[i] = static_cast<char>(sequence >> (8 * i));
}

row_header decode_row_header(std::string_view bytes) {
  wire::reader in(bytes);
  row_header h;
  h.sequence = in.fixed64();
  h.version = in.varint();
  return h;
}

stored_row decode_row(const record_type& type, std::uint64_t id, std::string_view bytes) {
  wire::reader in(bytes);
  stored_row r;
  r.id = id;
  (void)in.fixed64();  // sequence
  r.version = in.varint();
  const auto type_version = static_cast<std::uint16_t>(in.varint());
  r.row = decode_fields(type, type_version, in.rest());
  return r;
}

// The value stands before the owner: what different collections hold of one phone number lies in one page, so that an order
// touches one page of this table instead of one a finder.
std::string index_prefix(collection_ref c, std::size_t finder, const std::vector<scalar>& arguments, bool range) {
  const index_owner owner{c.view ? 'v' : 's', c.index, static_cast<std::uint8_t>(finder)};
  std::string k;
  k.reserve(index_key_usual);
  if (range) {
    k.push_back(index_by_range);
    put_owner(k, owner);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i == 0 && !range) k.push_back(std::holds_alternative<std::string_view>(arguments[0]) ? index_by_text : index_by_number);
    put_index_value(k, arguments[i]);
    if (i == 0 && !range) put_owner(k, owner);
  }
  return k;
}

index_owner owner_of(std::string_view index_key) {
  if (index_key.empty()) throw decode_error("an index key is empty");
  const auto at = 1 + first_value_length(index_key);
  if (index_key.size() < at + owner_length) throw decode_error("an index key is too short");
  const auto bytes = index_key.substr(at, owner_length);
  return {bytes[0], static_cast<std::uint16_t>(read_big_endian(bytes.substr(1, 2))), static_cast<std::uint8_t>(bytes[3])};
}

std::string_view index_group(std::string_view key) noexcept {
  if (!key.starts_with(index_groups_begin())) return {};
  const auto end = key.find('\0', 1);
  if (end == std::string_view::npos) return {};
  const auto length = 1 + text_length(end - 1) + owner_length;
  return key.size() < length ? std::string_view() : key.substr(0, length);
}

std::string_view index_groups_begin() noexcept { return {&index_by_text, 1}; }

std::string present_mark(const scalar& s) {
  return std::holds_alternative<std::string_view>(s) ? std::string() : std::string(1, mark_of(s));
}

std::vector<std::string> index_keys(collection_ref c, const resource_declaration& resource, std::uint64_t id, const value& row) {
  std::vector<std::string> keys;
  keys.reserve(resource.finders.size());
  for (std::size_t i = 0; i < resource.finders.size(); ++i) {
    std::vector<scalar> values;
    for (const auto f : resource.finders[i].fields) values.push_back(resource.row->fields[f].get(row.data()));
    auto key = index_prefix(c, i, values, resource.finders[i].up_to);
    put_big_endian(key, id);
    keys.push_back(std::move(key));
  }
  return keys;
}

bool index_key_in_sequence(std::string_view key) {
  if (key.size() < 18 || key[0] != index_by_number || key[1] != index_present) return false;
  return key.substr(2, 8) == ordered_key(static_cast<std::int64_t>(tail_number(key)));
}

std::string unique_key(std::uint16_t context, std::string_view key) {
  std::string k(1, index_by_text);
  put_index_value(k, key);
  put_owner(k, {'k', context, 0});
  return k;
}

std::string counter_key(std::uint16_t context) { return meta_key("counter", context); }
std::string chain_key(std::uint16_t partition) { return meta_key("chain", partition); }
std::string row_count_key(collection_ref c) { return meta_key(c.view ? "rows/view" : "rows/state", c.index); }
std::string view_number_key(std::uint16_t view) { return meta_key("viewnumber", view); }
std::string checkpoint_key(std::uint16_t context) { return meta_key("checkpoint", context); }

std::string forgotten_key() { return "idempotency/forgotten"; }

std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

std::string describe_entry(table t, std::string_view key) {
  const auto number = [&](std::size_t from, std::size_t bytes) {
    return key.size() < from + bytes ? std::string("?") : std::to_string(read_big_endian(key.substr(from, bytes)));
  };
  const auto in_table = " in '" + std::string(name_of(t)) + "'";
  switch (t) {
    case table::journal: return "the block at offset " + number(0, 8) + in_table;
    case table::state: return "the row of context " + number(0, 2) + ", number " + number(2, 8) + in_table;
    case table::views: return "the row of view " + number(0, 2) + ", number " + number(2, 8) + in_table;
    case table::index: return "the block whose key has the hash " + hex_of(number_key(checksum(key, 0))) + in_table;
    case table::outbox:
      return "the entry of record " + number(4, 8) + ", index " + number(12, 4) + ", for context " + number(0, 2) + in_table;
    case table::timers: return "the timer of record " + number(8, 8) + ", index " + number(16, 4) + in_table;
    case table::idempotency: return "the answer under the key " + hex_of(key) + in_table;
    case table::deadletters:
    case table::deferred: return "the entry " + number(0, 8) + in_table;
    case table::meta:
    case table::schemas: return "the entry '" + std::string(key) + "'" + in_table;
  }
  return "an entry" + in_table;
}

std::optional<std::uint64_t> read_number(const snapshot& s, table t, std::string_view key) {
  const auto bytes = s.get(t, key);
  if (!bytes) return std::nullopt;
  return tail_number(*bytes);
}

}  // namespace crema::storage
