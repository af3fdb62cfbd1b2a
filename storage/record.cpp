#include "storage/record.hpp"

#include <xxhash.h>

namespace crema::storage {

namespace {

using wire::put_bytes;
using wire::put_varint;

// Parts of a record body, by tag: a part that is absent takes no bytes. FROZEN.
enum part : std::uint8_t {
  part_end = 0,
  part_event = 1,
  part_message = 2,
  part_consumed = 3,
  part_confirmed = 4,
  part_fired = 5,
  part_hold = 6,
  part_idempotency = 7,
  part_died = 8,
  part_revived = 9,
};

void put_address(std::string& out, const address& a) {
  put_varint(out, a.context);
  put_varint(out, a.id);
  put_bytes(out, a.key);
}

address read_address(wire::reader& in) {
  address a;
  a.context = static_cast<std::uint16_t>(in.varint());
  a.id = in.varint();
  a.key = in.bytes();
  return a;
}

void put_ref(std::string& out, const outbox_ref& r) {
  put_varint(out, r.where.context);
  put_varint(out, r.where.partition);
  put_varint(out, r.id.sequence);
  put_varint(out, r.id.index);
}

outbox_ref read_ref(wire::reader& in) {
  outbox_ref r;
  r.where.context = static_cast<std::uint16_t>(in.varint());
  r.where.partition = static_cast<std::uint16_t>(in.varint());
  r.id.sequence = in.varint();
  r.id.index = static_cast<std::uint32_t>(in.varint());
  return r;
}

void put_trace(std::string& out, const trace_context& t) {
  out.append(reinterpret_cast<const char*>(t.trace_id.data()), t.trace_id.size());
  out.append(reinterpret_cast<const char*>(t.span_id.data()), t.span_id.size());
  out.push_back(t.sampled ? '\1' : '\0');
}

trace_context read_trace(wire::reader& in) {
  trace_context t;
  for (auto& b : t.trace_id) b = in.byte();
  for (auto& b : t.span_id) b = in.byte();
  t.sampled = in.byte() != 0;
  return t;
}

void put_optional_value(std::string& out, const value& v) {
  out.push_back(v ? '\1' : '\0');
  if (v) encode_value(v, out);
}

value read_optional_value(wire::reader& in, const type_catalog& types) { return in.byte() != 0 ? decode_value(in, types) : value{}; }

void read_part(journal_record& r, std::uint8_t which, wire::reader& in, const type_catalog& types) {
  switch (which) {
    case part_event: r.events.push_back(decode_value(in, types)); break;
    case part_message: r.messages.push_back(decode_message(in, types)); break;
    case part_consumed: r.consumed.push_back(read_ref(in)); break;
    case part_confirmed: r.confirmed.push_back(read_ref(in)); break;
    case part_fired: {
      const auto due = static_cast<std::int64_t>(in.varint());
      const auto sequence = in.varint();
      r.fired.emplace_back(due, message_id{sequence, static_cast<std::uint32_t>(in.varint())});
      break;
    }
    case part_hold: r.held = decode_hold(in.bytes(), types); break;
    case part_idempotency: {
      idempotency_key k;
      for (auto& b : k.key) b = in.byte();
      k.fingerprint = in.fixed64();
      r.idempotency = k;
      break;
    }
    case part_died: r.died = decode_dead_letter(in.bytes(), types); break;
    case part_revived: r.revived.push_back(in.varint()); break;
    default: throw decode_error("a record has an unknown part " + std::to_string(which));
  }
}

}  // namespace

void encode_message(const stored_message& m, std::string& out) {
  put_ref(out, m.ref);
  put_address(out, m.to);
  put_address(out, m.from);
  put_varint(out, m.causation);
  put_address(out, m.correlation);
  put_trace(out, m.trace);
  out.push_back(m.compensating ? '\1' : '\0');
  put_varint(out, static_cast<std::uint64_t>(m.due_ms));
  encode_value(m.payload, out);
}

stored_message decode_message(wire::reader& in, const type_catalog& types) {
  stored_message m;
  m.ref = read_ref(in);
  m.to = read_address(in);
  m.from = read_address(in);
  m.causation = in.varint();
  m.correlation = read_address(in);
  m.trace = read_trace(in);
  m.compensating = in.byte() != 0;
  m.due_ms = static_cast<std::int64_t>(in.varint());
  m.payload = decode_value(in, types);
  return m;
}

std::string encode_hold(const hold& h) {
  std::string out;
  put_address(out, h.subject);
  put_address(out, h.correlation);
  put_trace(out, h.trace);
  put_optional_value(out, h.undo);
  put_varint(out, h.messages.size());
  for (const auto& m : h.messages) encode_message(m, out);
  return out;
}

hold decode_hold(std::string_view bytes, const type_catalog& types) {
  wire::reader in(bytes);
  hold h;
  h.subject = read_address(in);
  h.correlation = read_address(in);
  h.trace = read_trace(in);
  h.undo = read_optional_value(in, types);
  for (auto n = in.varint(); n > 0; --n) h.messages.push_back(decode_message(in, types));
  return h;
}

std::string encode_dead_letter(const dead_letter& d) {
  std::string out;
  encode_message(d.message, out);
  put_bytes(out, d.error);
  put_varint(out, d.attempts);
  put_varint(out, static_cast<std::uint64_t>(d.at.ms));
  return out;
}

dead_letter decode_dead_letter(std::string_view bytes, const type_catalog& types) {
  wire::reader in(bytes);
  dead_letter d;
  d.message = decode_message(in, types);
  d.error = in.bytes();
  d.attempts = static_cast<std::uint32_t>(in.varint());
  d.at.ms = static_cast<std::int64_t>(in.varint());
  return d;
}

std::string encode_body(const journal_record& r) {
  std::string out;
  out.reserve(256);
  put_varint(out, static_cast<std::uint64_t>(r.at.ms));
  put_address(out, r.subject);
  put_varint(out, r.previous);
  put_varint(out, r.version);
  put_varint(out, r.causation);
  put_address(out, r.correlation);
  put_trace(out, r.trace);
  out.push_back(r.compensating ? '\1' : '\0');
  const auto begin = [&](part p) { out.push_back(static_cast<char>(p)); };
  for (const auto& e : r.events) {
    begin(part_event);
    encode_value(e, out);
  }
  for (const auto& m : r.messages) {
    begin(part_message);
    encode_message(m, out);
  }
  for (const auto& c : r.consumed) {
    begin(part_consumed);
    put_ref(out, c);
  }
  for (const auto& c : r.confirmed) {
    begin(part_confirmed);
    put_ref(out, c);
  }
  for (const auto& [due, id] : r.fired) {
    begin(part_fired);
    put_varint(out, static_cast<std::uint64_t>(due));
    put_varint(out, id.sequence);
    put_varint(out, id.index);
  }
  if (r.held) {
    begin(part_hold);
    put_bytes(out, encode_hold(*r.held));
  }
  if (r.idempotency) {
    begin(part_idempotency);
    out.append(reinterpret_cast<const char*>(r.idempotency->key.data()), r.idempotency->key.size());
    wire::put_fixed64(out, r.idempotency->fingerprint);
  }
  if (r.died) {
    begin(part_died);
    put_bytes(out, encode_dead_letter(*r.died));
  }
  for (const auto id : r.revived) {
    begin(part_revived);
    put_varint(out, id);
  }
  begin(part_end);
  return out;
}

journal_record decode_body(std::uint64_t sequence, std::uint16_t partition, std::string_view body, const type_catalog& types) {
  wire::reader in(body);
  journal_record r;
  r.sequence = sequence;
  r.partition = partition;
  r.at.ms = static_cast<std::int64_t>(in.varint());
  r.subject = read_address(in);
  r.previous = in.varint();
  r.version = in.varint();
  r.causation = in.varint();
  r.correlation = read_address(in);
  r.trace = read_trace(in);
  r.compensating = in.byte() != 0;
  for (auto which = in.byte(); which != part_end; which = in.byte()) read_part(r, which, in, types);
  // The sequence is dealt when the record is appended, after its body was encoded: messages get theirs here.
  std::uint32_t index = 0;
  for (auto& m : r.messages) {
    m.ref.id = {sequence, ++index};
    if (m.causation == 0) m.causation = sequence;
  }
  if (r.held)
    for (auto& m : r.held->messages)
      if (m.causation == 0) m.causation = sequence;
  return r;
}

std::uint16_t partition_of(const address& a, std::uint16_t partitions) noexcept {
  const auto n = a.key.empty() ? a.id : XXH3_64bits(a.key.data(), a.key.size());
  return static_cast<std::uint16_t>(n % partitions);
}

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace crema::storage
