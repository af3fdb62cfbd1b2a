#include "behaviors/core/codec.hpp"

#include <type_traits>

namespace crema {

namespace {

// Wire kinds: how a reader that does not know a tag skips it. FROZEN.
enum wire_kind : std::uint64_t { wire_varint = 0, wire_fixed64 = 1, wire_bytes = 2, wire_null = 3 };

// The longest varint has 64 bits in groups of seven.
constexpr std::size_t varint_bytes_max = 10;

std::size_t write_varint(char* to, std::uint64_t v) noexcept {
  std::size_t n = 0;
  for (; v >= 0x80; v >>= 7U) to[n++] = static_cast<char>(v | 0x80U);
  to[n++] = static_cast<char>(v);
  return n;
}

// A field's head and the number behind it, in one piece.
void put_head(std::string& out, std::uint64_t tag, wire_kind kind, std::uint64_t number) {
  char bytes[2 * varint_bytes_max];
  auto n = write_varint(bytes, tag << 2U | kind);
  n += write_varint(bytes + n, number);
  out.append(bytes, n);
}

// As bytes, so that a reader that does not know the tag skips it.
void put_decimal(std::string& out, std::uint64_t tag, decimal d) {
  char bytes[2 * varint_bytes_max];
  auto n = write_varint(bytes, wire::zigzag(d.whole));
  n += write_varint(bytes + n, d.millionths);
  put_head(out, tag, wire_bytes, n);
  out.append(bytes, n);
}

// A non-null default is left out; a nullable field says explicitly that it is set, so null is its default.
void put_field(std::string& out, std::uint64_t tag, bool nullable, const scalar& s) {
  switch (s.index()) {
    case 1:
      if (const auto i = *std::get_if<std::int64_t>(&s); i != 0 || nullable) put_head(out, tag, wire_varint, wire::zigzag(i));
      break;
    case 2:
      if (const auto d = *std::get_if<decimal>(&s); d != decimal{} || nullable) put_decimal(out, tag, d);
      break;
    case 3:
      if (const auto b = *std::get_if<bool>(&s); b || nullable) put_head(out, tag, wire_varint, b ? 2 : 0);
      break;
    case 4:
      if (const auto text = *std::get_if<std::string_view>(&s); !text.empty() || nullable) {
        put_head(out, tag, wire_bytes, text.size());
        out.append(text);
      }
      break;
    default: break;  // null
  }
}
static_assert(std::is_same_v<scalar, std::variant<std::monostate, std::int64_t, decimal, bool, std::string_view>>);

scalar read_scalar(wire::reader& in, std::uint64_t kind) {
  switch (kind) {
    case wire_varint: return wire::unzigzag(in.varint());
    case wire_fixed64:  // only of a tag that nobody knows: a decimal that did not come as bytes fits no field
      in.fixed64();
      return decimal{};
    case wire_bytes: return in.bytes();
    default: return std::monostate{};
  }
}

// The scalar as the field wants it, or decode_error: bytes on a disk may have been written for another type.
scalar fit(const field_spec& f, const scalar& s) {
  const auto bad = [&] { return decode_error("field '" + std::string(f.name) + "' has another type on disk"); };
  if (std::holds_alternative<std::monostate>(s)) {
    if (!f.nullable) throw bad();
    return s;
  }
  switch (f.kind) {
    case field_kind::boolean:
      if (const auto* i = std::get_if<std::int64_t>(&s)) return *i != 0;
      throw bad();
    case field_kind::decimal: {
      const auto* bytes = std::get_if<std::string_view>(&s);
      if (bytes == nullptr) throw bad();
      wire::reader in(*bytes);
      const auto whole = wire::unzigzag(in.varint());
      const auto millionths = in.varint();
      if (millionths >= millionths_end || !in.done()) throw bad();
      return decimal{whole, static_cast<std::uint32_t>(millionths)};
    }
    case field_kind::text:
      if (!std::holds_alternative<std::string_view>(s)) throw bad();
      return s;
    case field_kind::literal: {
      const auto* i = std::get_if<std::int64_t>(&s);
      if (i == nullptr || *i < 0 || static_cast<std::size_t>(*i) >= f.literals.size()) throw bad();
      return s;
    }
    case field_kind::integer:
    case field_kind::time:
    case field_kind::date:
      if (!std::holds_alternative<std::int64_t>(s)) throw bad();
      return s;
  }
  throw bad();
}

}  // namespace

namespace wire {

void put_long_varint(std::string& out, std::uint64_t v) {
  char bytes[varint_bytes_max];
  out.append(bytes, write_varint(bytes, v));
}

void put_fixed64(std::string& out, std::uint64_t v) {
  char bytes[8];
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<char>(v >> (8U * i));
  out.append(bytes, sizeof bytes);
}

void put_bytes(std::string& out, std::string_view bytes) {
  put_varint(out, bytes.size());
  out.append(bytes);
}

void reader::end_too_early() { throw decode_error("the record ends too early"); }

std::uint64_t reader::long_varint() {
  std::uint64_t v = 0;
  std::size_t n = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (n == rest_.size()) end_too_early();
    const std::uint64_t b = static_cast<std::uint8_t>(rest_[n++]);
    if (shift == 63 && b > 1) break;
    v |= (b & 0x7FU) << shift;
    if (b >= 0x80) continue;
    rest_.remove_prefix(n);
    return v;
  }
  throw decode_error("a number is longer than 64 bits");
}

std::uint64_t reader::fixed64() {
  if (rest_.size() < 8) end_too_early();
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < 8; ++i) v |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[i])) << (8 * i);
  rest_.remove_prefix(8);
  return v;
}

void reader::too_long() { throw decode_error("a text is longer than its record"); }

}  // namespace wire

void encode_fields(const record_type& type, const void* object, std::string& out) {
  std::uint64_t tag = 0;
  for (const auto& f : type.fields) put_field(out, ++tag, f.nullable, f.get(object));
}

value decode_fields(const record_type& type, std::uint16_t version, std::string_view bytes) {
  if (version > type.version)
    throw decode_error("'" + std::string(type.name) + "' was written by a newer crema (version " + std::to_string(version) + ", known is " +
                       std::to_string(type.version) + ")");
  auto object = type.make();
  wire::reader in(bytes);
  while (!in.done()) {
    const auto head = in.varint();
    const auto s = read_scalar(in, head & 3U);
    const auto tag = head >> 2U;
    if (tag == 0) throw decode_error("a field has tag 0");
    if (tag <= type.fields.size()) {
      const auto& f = type.fields[static_cast<std::size_t>(tag - 1)];
      f.set(object.get(), fit(f, s));
    }
  }
  if (version < type.version && type.upcast != nullptr) type.upcast(version, object.get());
  return {type, std::move(object)};
}

void encode_value(const value& v, std::string& out) {
  wire::put_bytes(out, v.type().name);
  wire::put_varint(out, v.type().version);
  // Their length stands before the fields, and is known behind them: mostly it takes one byte, for which room is left.
  const auto begin = out.size();
  out.push_back('\0');
  encode_fields(v.type(), v.data(), out);
  const auto length = out.size() - begin - 1;
  if (length < 0x80) {
    out[begin] = static_cast<char>(length);
  } else {
    char head[varint_bytes_max];
    out.replace(begin, 1, head, write_varint(head, length));
  }
}

value decode_value(wire::reader& in, const type_catalog& types) {
  const auto name = in.bytes();
  const auto version = in.varint();
  if (version > 0xFFFF) throw decode_error("a version is out of range");
  const auto fields = in.bytes();
  const auto known = types.find(name);
  if (known == types.end()) throw decode_error("nobody knows the type '" + std::string(name) + "'");
  return decode_fields(*known->second, static_cast<std::uint16_t>(version), fields);
}

std::string ordered_key(const scalar& s) {
  std::string key;
  const auto big_endian = [&](std::uint64_t v, unsigned bytes = 8) {
    for (; bytes > 0; --bytes) key.push_back(static_cast<char>(v >> (8U * (bytes - 1))));
  };
  constexpr std::uint64_t sign = 1ULL << 63U;
  if (const auto* i = std::get_if<std::int64_t>(&s))
    big_endian(static_cast<std::uint64_t>(*i) ^ sign);
  else if (const auto* b = std::get_if<bool>(&s))
    key.push_back(*b ? '\1' : '\0');
  else if (const auto* d = std::get_if<decimal>(&s)) {
    big_endian(static_cast<std::uint64_t>(d->whole) ^ sign);
    big_endian(d->millionths, 4);
  } else if (const auto* t = std::get_if<std::string_view>(&s))
    key = *t;
  return key;
}

}  // namespace crema
