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

void put_message_id(std::string& out, const message_id& id) {
  put_varint(out, id.sequence);
  put_varint(out, id.index);
}

message_id read_message_id(wire::reader& in) {
  message_id id;
  id.sequence = in.varint();
  id.index = static_cast<std::uint32_t>(in.varint());
  return id;
}

void put_ref(std::string& out, const outbox_ref& r) {
  put_varint(out, r.where.context);
  put_varint(out, r.where.partition);
  put_message_id(out, r.id);
}

outbox_ref read_ref(wire::reader& in) {
  outbox_ref r;
  r.where.context = static_cast<std::uint16_t>(in.varint());
  r.where.partition = static_cast<std::uint16_t>(in.varint());
  r.id = read_message_id(in);
  return r;
}

void put_key(std::string& out, const idempotency_key& k) {
  out.append(reinterpret_cast<const char*>(k.key.data()), k.key.size());
  wire::put_fixed64(out, k.fingerprint);
}

idempotency_key read_key(wire::reader& in) {
  idempotency_key k;
  for (auto& b : k.key) b = in.byte();
  k.fingerprint = in.fixed64();
  return k;
}

// What a dead request says of itself. FROZEN.
constexpr unsigned request_creates = 1, request_has_version = 2, request_has_key = 4;

void put_request(std::string& out, const dead_letter& d) {
  const unsigned flags =
      (d.creates ? request_creates : 0U) | (d.expected_version ? request_has_version : 0U) | (d.idempotency ? request_has_key : 0U);
  out.push_back(static_cast<char>(flags));
  if (d.expected_version) put_varint(out, *d.expected_version);
  if (d.idempotency) put_key(out, *d.idempotency);
}

void read_request(wire::reader& in, dead_letter& d) {
  const unsigned flags = in.byte();
  if (flags > (request_creates | request_has_version | request_has_key)) throw decode_error("a dead request has an unknown flag");
  d.creates = (flags & request_creates) != 0;
  if ((flags & request_has_version) != 0) d.expected_version = in.varint();
  if ((flags & request_has_key) != 0) d.idempotency = read_key(in);
}

// Who carries a message or a hold. Mostly it has the same sender, conversation and trace, so only what differs is written.
struct bearer {
  const address& subject;
  const address& correlation;
  const trace_context& trace;
};

const address no_address;
const trace_context no_trace;
constexpr bearer nobody{no_address, no_address, no_trace};

// How something differs from its bearer. FROZEN.
enum difference : std::uint16_t {
  is_compensating = 1,
  is_sampled = 2,
  other_trace_id = 4,
  other_span_id = 8,
  other_subject = 16,  // of a message: its sender
  other_correlation = 32,
  is_timer = 64,
  other_lane_context = 128,
  other_trace_state = 256,
  has_first_id = 512,
};

std::string_view state_of(const trace_context& t) { return t.state ? std::string_view(*t.state) : std::string_view(); }

template <std::size_t N>
void put_id(std::string& out, const std::array<std::uint8_t, N>& id) {
  out.append(reinterpret_cast<const char*>(id.data()), N);
}

template <std::size_t N>
void read_id(wire::reader& in, std::array<std::uint8_t, N>& id) {
  for (auto& b : id) b = in.byte();
}

unsigned differences(const address& subject, const address& correlation, const trace_context& trace, const bearer& by) {
  unsigned flags = 0;
  if (trace.sampled) flags |= is_sampled;
  if (trace.trace_id != by.trace.trace_id) flags |= other_trace_id;
  if (trace.span_id != by.trace.span_id) flags |= other_span_id;
  if (subject != by.subject) flags |= other_subject;
  if (correlation != by.correlation) flags |= other_correlation;
  if (trace.state != by.trace.state && state_of(trace) != state_of(by.trace)) flags |= other_trace_state;
  return flags;
}

void put_differences(std::string& out, unsigned flags, const address& subject, const address& correlation, const trace_context& trace) {
  if ((flags & other_subject) != 0) put_address(out, subject);
  if ((flags & other_correlation) != 0) put_address(out, correlation);
  if ((flags & other_trace_id) != 0) put_id(out, trace.trace_id);
  if ((flags & other_span_id) != 0) put_id(out, trace.span_id);
  if ((flags & other_trace_state) != 0) put_bytes(out, state_of(trace));
}

// What put_differences wrote, the rest from the bearer.
void read_differences(wire::reader& in, unsigned flags, address& subject, address& correlation, trace_context& trace, const bearer& by) {
  subject = (flags & other_subject) != 0 ? read_address(in) : by.subject;
  correlation = (flags & other_correlation) != 0 ? read_address(in) : by.correlation;
  trace = by.trace;
  if ((flags & other_trace_id) != 0) read_id(in, trace.trace_id);
  if ((flags & other_span_id) != 0) read_id(in, trace.span_id);
  if ((flags & other_trace_state) != 0) {
    const auto state = in.bytes();
    trace.state = state.empty() ? nullptr : std::make_shared<const std::string>(state);
  }
  trace.sampled = (flags & is_sampled) != 0;
}

// A byte in most cases: what is rare has the high numbers.
void put_flags(std::string& out, unsigned flags) { put_varint(out, flags); }

unsigned read_flags(wire::reader& in, std::uint64_t known) {
  const auto flags = in.varint();
  if ((flags & ~known) != 0) throw decode_error("a record has unknown flags " + std::to_string(flags));
  return static_cast<unsigned>(flags);
}

void put_optional_value(std::string& out, const value& v) {
  out.push_back(v ? '\1' : '\0');
  if (v) encode_value(v, out);
}

value read_optional_value(wire::reader& in, const type_catalog& types) { return in.byte() != 0 ? decode_value(in, types) : value{}; }

// A message without its number: that is its record's, or stands before it.
void put_message(std::string& out, const stored_message& m, const bearer& by) {
  unsigned flags = differences(m.from, m.correlation, m.trace, by);
  if (m.compensating) flags |= is_compensating;
  if (m.due_ms > 0) flags |= is_timer;
  if (m.ref.where.context != m.to.context) flags |= other_lane_context;
  if (m.first_id.sequence != 0) flags |= has_first_id;
  put_flags(out, flags);
  put_differences(out, flags, m.from, m.correlation, m.trace);
  if ((flags & is_timer) != 0) put_varint(out, static_cast<std::uint64_t>(m.due_ms));
  if ((flags & other_lane_context) != 0) put_varint(out, m.ref.where.context);
  if ((flags & has_first_id) != 0) put_message_id(out, m.first_id);
  put_varint(out, m.ref.where.partition);
  put_address(out, m.to);
  put_varint(out, m.causation);
  encode_value(m.payload, out);
}

stored_message read_message(wire::reader& in, const bearer& by, const type_catalog& types) {
  const auto flags = read_flags(in, is_compensating | is_sampled | other_trace_id | other_span_id | other_subject | other_correlation |
                                        is_timer | other_lane_context | other_trace_state | has_first_id);
  stored_message m;
  read_differences(in, flags, m.from, m.correlation, m.trace, by);
  m.compensating = (flags & is_compensating) != 0;
  if ((flags & is_timer) != 0) m.due_ms = static_cast<std::int64_t>(in.varint());
  if ((flags & other_lane_context) != 0) m.ref.where.context = static_cast<std::uint16_t>(in.varint());
  if ((flags & has_first_id) != 0) m.first_id = read_message_id(in);
  m.ref.where.partition = static_cast<std::uint16_t>(in.varint());
  m.to = read_address(in);
  if ((flags & other_lane_context) == 0) m.ref.where.context = m.to.context;
  m.causation = in.varint();
  m.payload = decode_value(in, types);
  return m;
}

void put_hold(std::string& out, const hold& h, const bearer& by) {
  const auto flags = differences(h.subject, h.correlation, h.trace, by);
  put_flags(out, flags);
  put_differences(out, flags, h.subject, h.correlation, h.trace);
  put_optional_value(out, h.undo);
  put_varint(out, h.messages.size());
  for (const auto& m : h.messages) put_message(out, m, {h.subject, h.correlation, h.trace});
}

hold read_hold(wire::reader& in, const bearer& by, const type_catalog& types) {
  hold h;
  const auto flags = read_flags(in, is_sampled | other_trace_id | other_span_id | other_subject | other_correlation | other_trace_state);
  read_differences(in, flags, h.subject, h.correlation, h.trace, by);
  h.undo = read_optional_value(in, types);
  for (auto n = in.varint(); n > 0; --n) h.messages.push_back(read_message(in, {h.subject, h.correlation, h.trace}, types));
  return h;
}

void read_part(journal_record& r, std::uint8_t which, wire::reader& in, const bearer& by, const type_catalog& types) {
  switch (which) {
    case part_event: r.events.push_back(decode_value(in, types)); break;
    case part_message: r.messages.push_back(read_message(in, by, types)); break;
    case part_consumed: r.consumed.push_back(read_ref(in)); break;
    case part_confirmed: r.confirmed.push_back(read_ref(in)); break;
    case part_fired: {
      const auto due = static_cast<std::int64_t>(in.varint());
      r.fired.emplace_back(due, read_message_id(in));
      break;
    }
    case part_hold: r.held = read_hold(in, by, types); break;
    case part_idempotency: r.idempotency = read_key(in); break;
    case part_died: r.died = decode_dead_letter(in.bytes(), types); break;
    case part_revived: r.revived.push_back(in.varint()); break;
    default: throw decode_error("a record has an unknown part " + std::to_string(which));
  }
}

}  // namespace

void encode_message(const stored_message& m, std::string& out) {
  put_message_id(out, m.ref.id);
  put_message(out, m, nobody);
}

stored_message decode_message(wire::reader& in, const type_catalog& types) {
  const auto id = read_message_id(in);
  auto m = read_message(in, nobody, types);
  m.ref.id = id;
  return m;
}

std::string encode_hold(const hold& h) {
  std::string out;
  put_hold(out, h, nobody);
  return out;
}

hold decode_hold(std::string_view bytes, const type_catalog& types) {
  wire::reader in(bytes);
  return read_hold(in, nobody, types);
}

std::string encode_dead_letter(const dead_letter& d) {
  std::string out;
  encode_message(d.message, out);
  put_bytes(out, d.error);
  put_varint(out, d.attempts);
  put_varint(out, static_cast<std::uint64_t>(d.at.ms));
  out.push_back(static_cast<char>(d.was));
  if (d.was == letter_kind::request) put_request(out, d);
  return out;
}

dead_letter decode_dead_letter(std::string_view bytes, const type_catalog& types) {
  wire::reader in(bytes);
  dead_letter d;
  d.message = decode_message(in, types);
  d.error = in.bytes();
  d.attempts = static_cast<std::uint32_t>(in.varint());
  d.at.ms = static_cast<std::int64_t>(in.varint());
  const auto was = in.byte();
  if (was > static_cast<std::uint8_t>(letter_kind::ask)) throw decode_error("a dead letter is of no known kind");
  d.was = static_cast<letter_kind>(was);
  if (d.was == letter_kind::request) read_request(in, d);
  return d;
}

std::string encode_body(const journal_record& r) {
  std::string out;
  out.reserve(256);
  const bearer own{r.subject, r.correlation, r.trace};
  unsigned flags = differences(r.subject, r.correlation, r.trace, {r.subject, r.subject, no_trace});
  if (r.compensating) flags |= is_compensating;
  put_flags(out, flags);
  put_varint(out, static_cast<std::uint64_t>(r.at.ms));
  put_address(out, r.subject);
  put_differences(out, flags, r.subject, r.correlation, r.trace);
  put_varint(out, r.previous);
  put_varint(out, r.version);
  put_varint(out, r.causation);
  const auto begin = [&](part p) { out.push_back(static_cast<char>(p)); };
  for (const auto& e : r.events) {
    begin(part_event);
    encode_value(e, out);
  }
  for (const auto& m : r.messages) {
    begin(part_message);
    put_message(out, m, own);
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
    put_message_id(out, id);
  }
  if (r.held) {
    begin(part_hold);
    put_hold(out, *r.held, own);
  }
  if (r.idempotency) {
    begin(part_idempotency);
    put_key(out, *r.idempotency);
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
  const auto flags = read_flags(in, is_compensating | is_sampled | other_trace_id | other_span_id | other_correlation | other_trace_state);
  r.at.ms = static_cast<std::int64_t>(in.varint());
  const auto subject = read_address(in);
  read_differences(in, flags, r.subject, r.correlation, r.trace, {subject, subject, no_trace});
  r.compensating = (flags & is_compensating) != 0;
  r.previous = in.varint();
  r.version = in.varint();
  r.causation = in.varint();
  for (auto which = in.byte(); which != part_end; which = in.byte()) read_part(r, which, in, {r.subject, r.correlation, r.trace}, types);
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
