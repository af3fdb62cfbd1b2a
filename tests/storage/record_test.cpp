// Records as bytes: what a message shares with its bearer is not written again, and everything comes back as it was.
#include "storage/record.hpp"

#include <catch2/catch.hpp>

#include "tests/storage/small_system.hpp"

using namespace small;

namespace {

trace_context trace_of(std::uint8_t trace, std::uint8_t span, bool sampled = true) {
  trace_context t;
  t.trace_id.fill(trace);
  t.span_id.fill(span);
  t.sampled = sampled;
  return t;
}

stored_message to_cup_2() {
  stored_message m;
  m.to = {cups, 2, {}};
  m.from = {cups, 1, {}};
  m.ref.where = {cups, 2};
  m.correlation = {cups, 1, {}};
  m.trace = trace_of(1, 2);
  m.payload = value::of(fill_cup{5});
  return m;
}

journal_record cup_1_with(std::vector<stored_message> messages) {
  journal_record r;
  r.at.ms = 1000;
  r.subject = {cups, 1, {}};
  r.correlation = r.subject;
  r.trace = trace_of(1, 2);
  r.version = 1;
  r.events = {value::of(cup_made{"010", 5})};
  r.messages = std::move(messages);
  return r;
}

journal_record back(const journal_record& r) { return decode_body(7, 1, encode_body(r), the_system().catalog()); }

bool same(const trace_context& a, const trace_context& b) {
  const auto state = [](const trace_context& t) { return t.state ? *t.state : std::string(); };
  return a.trace_id == b.trace_id && a.span_id == b.span_id && a.sampled == b.sampled && state(a) == state(b);
}

void check_same(const stored_message& a, const stored_message& b) {
  CHECK(a.ref.where == b.ref.where);
  CHECK(a.to == b.to);
  CHECK(a.from == b.from);
  CHECK(a.correlation == b.correlation);
  CHECK(same(a.trace, b.trace));
  CHECK(a.compensating == b.compensating);
  CHECK(a.due_ms == b.due_ms);
  CHECK(a.first_id == b.first_id);
  REQUIRE(b.payload.as<fill_cup>() != nullptr);
  CHECK(b.payload.as<fill_cup>()->qty == a.payload.as<fill_cup>()->qty);
}

// One message for each thing in which it can differ from its bearer, and one that differs in all.
std::vector<stored_message> messages_that_differ() {
  const std::vector<std::function<void(stored_message&)>> differences{
      [](stored_message&) {},
      [](stored_message& m) {
        m.from = {tallies, 3, "a key"};
      },
      [](stored_message& m) {
        m.correlation = {tallies, 0, "another key"};
      },
      [](stored_message& m) { m.trace = trace_of(9, 2); },
      [](stored_message& m) { m.trace = trace_of(1, 9); },
      [](stored_message& m) { m.trace.sampled = false; },
      [](stored_message& m) { m.trace.state = std::make_shared<const std::string>("vendor=1"); },
      [](stored_message& m) {
        m.first_id = {41, 2};
      },
      [](stored_message& m) { m.compensating = true; },
      [](stored_message& m) { m.due_ms = 123'456; },
      [](stored_message& m) {
        m.ref.where = {desk, notification_partition};
      },
      [](stored_message& m) {
        m.to = {tallies, 0, "to a key"};
      },
  };
  std::vector<stored_message> all;
  auto different_in_all = to_cup_2();
  for (const auto& differ : differences) {
    differ(all.emplace_back(to_cup_2()));
    differ(different_in_all);
  }
  all.push_back(different_in_all);
  return all;
}

}  // namespace

TEST_CASE("record: given messages that differ from their record in something, then they come back, with the record's numbers") {
  const auto messages = messages_that_differ();
  const auto r = back(cup_1_with(messages));
  REQUIRE(r.messages.size() == messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    INFO("message " << i);
    check_same(messages[i], r.messages[i]);
    CHECK(r.messages[i].ref.id == message_id{7, static_cast<std::uint32_t>(i + 1)});
    CHECK(r.messages[i].causation == 7);
  }
}

TEST_CASE("record: given a hold with messages, then all of it comes back, from a record and alone") {
  auto r = cup_1_with({});
  r.held = hold{r.subject, {tallies, 3, "a key"}, trace_of(1, 5), value::of(fill_cup{-5}), messages_that_differ()};
  for (const auto& held : {*back(r).held, decode_hold(encode_hold(*r.held), the_system().catalog())}) {
    CHECK(held.subject == r.held->subject);
    CHECK(held.correlation == r.held->correlation);
    CHECK(same(held.trace, r.held->trace));
    CHECK(held.undo.as<fill_cup>()->qty == -5);
    REQUIRE(held.messages.size() == r.held->messages.size());
    for (std::size_t i = 0; i < held.messages.size(); ++i) check_same(r.held->messages[i], held.messages[i]);
  }
}

TEST_CASE("record: given a record of a conversation that another began, or of nobody's trace, then that comes back") {
  auto r = cup_1_with({});
  r.correlation = {tallies, 9, "a key"};
  r.trace = {};
  r.trace.sampled = false;
  r.compensating = true;
  const auto b = back(r);
  CHECK(b.correlation == r.correlation);
  CHECK(same(b.trace, r.trace));
  CHECK(b.compensating);
  CHECK(b.at == r.at);
}

TEST_CASE("record: given a message of the same sender, conversation and trace, then these take no bytes") {
  const auto alone = encode_body(cup_1_with({})).size();
  const auto with_message = encode_body(cup_1_with({to_cup_2()})).size();
  const auto payload = std::string_view("fillCup").size() + 1 + 1 + 1 + 2;  // name and its length, version, length, a field
  CHECK(with_message - alone == payload + 7);                               // part, flags, partition, address of three, causation
}

TEST_CASE("record: given a message outside of a record, then it comes back with its own number") {
  for (auto m : messages_that_differ()) {
    m.ref.id = {42, 3};
    std::string bytes;
    encode_message(m, bytes);
    wire::reader in(bytes);
    const auto b = decode_message(in, the_system().catalog());
    CHECK(in.done());
    check_same(m, b);
    CHECK(b.ref.id == m.ref.id);
  }
}

TEST_CASE("record: given a trace state, then a message that has another, or none, comes back with that") {
  auto r = cup_1_with({to_cup_2(), to_cup_2(), to_cup_2()});
  r.trace.state = std::make_shared<const std::string>("vendor=1");
  r.messages[0].trace.state = r.trace.state;
  r.messages[1].trace.state = std::make_shared<const std::string>("other=2");
  const auto b = back(r);
  CHECK(*b.trace.state == "vendor=1");
  CHECK(*b.messages[0].trace.state == "vendor=1");
  CHECK(*b.messages[1].trace.state == "other=2");
  CHECK(b.messages[2].trace.state == nullptr);
}

TEST_CASE("record: given flags that nobody knows, then it is refused") {
  auto bytes = encode_body(cup_1_with({}));
  bytes[0] = static_cast<char>(bytes[0] | 64);
  CHECK_THROWS_WITH(decode_body(7, 1, bytes, the_system().catalog()), Catch::Contains("unknown flags"));
}

TEST_CASE("record: given a dead letter, then it says how its message had come, and what a request promised") {
  dead_letter plain{to_cup_2(), "it fell", 5, {1000}};
  plain.was = letter_kind::ask;
  const auto ask = decode_dead_letter(encode_dead_letter(plain), the_system().catalog());
  CHECK(ask.was == letter_kind::ask);
  CHECK(ask.error == "it fell");
  CHECK(ask.attempts == 5);
  for (const bool creates : {false, true}) {
    for (const bool all : {false, true}) {
      auto letter = plain;
      letter.was = letter_kind::request;
      letter.creates = creates;
      if (all) letter.expected_version = 300;
      if (all) letter.idempotency = idempotency_key{{1, 2, 3}, 7};
      const auto b = decode_dead_letter(encode_dead_letter(letter), the_system().catalog());
      CHECK(b.was == letter_kind::request);
      CHECK(b.creates == creates);
      CHECK(b.expected_version == letter.expected_version);
      REQUIRE(b.idempotency.has_value() == all);
      if (all) CHECK(b.idempotency->key == letter.idempotency->key);
      if (all) CHECK(b.idempotency->fingerprint == 7);
    }
  }
  auto unknown = encode_dead_letter(plain);
  unknown.back() = 3;
  CHECK_THROWS_WITH(decode_dead_letter(unknown, the_system().catalog()), Catch::Contains("of no known kind"));
}
