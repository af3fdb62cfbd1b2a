// Each check can fail: it is shown a made-up end of a run that breaks its rule, and says so.
#include "tests/sim/checks.hpp"

#include <catch2/catch.hpp>

#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/payment.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/http/fake_front_door.hpp"

using namespace crema;
using namespace crema::cafeteria;
using namespace crema::sim;
using storage::journal_record;

namespace {

enum : std::uint16_t { in_order, in_payment };

/// A short journal: an order, and what its payment is sent.
struct made_up {
  system_declaration system = cafeteria::cafeteria();
  system_settings settings;
  std::unique_ptr<storage::store> store = storage::make_memory_store();
  std::unique_ptr<front_door> door;
  std::vector<journal_record> journal;
  std::vector<asked> requests;
  std::vector<testing::recording_sink::letter> letters;

  journal_record& add(storage::address who, std::size_t request) {
    auto& r = journal.emplace_back();
    r.sequence = journal.size();
    r.subject = std::move(who);
    asked by;
    by.number = request;
    r.trace = by.trace();
    return r;
  }
  storage::stored_message& sends(journal_record& r, storage::address to) const {
    auto& m = r.messages.emplace_back();
    m.ref = {{to.context, 0}, {r.sequence, static_cast<std::uint32_t>(r.messages.size())}};
    m.from = r.subject;
    m.to = std::move(to);
    m.payload = value::of(cancel_payment{1});
    return m;
  }
  asked& ordered_by(std::size_t number) {
    auto& a = requests.emplace_back();
    a.number = number;
    a.verb = http::method::post;
    a.path = "/orders";
    a.sent = 1;
    a.keyed = true;
    a.granted = grant{201,
                      "/orders/1",
                      1,
                      {{"phoneNumber", "010"},
                       {"productName", "tea"},
                       {"qty", 1},
                       {"amt", 5},
                       {"createTime", "1970-01-01T00:00:00.000+0000"},
                       {"status", "Ordered"}}};
    return a;
  }
  journal_record& order_record(std::size_t request, std::uint64_t id = 1) {
    auto& r = add({in_order, id, {}}, request);
    r.version = 1;
    r.events.push_back(value::of(ordered{"010", "tea", 1, 5, {}, {}}));
    r.idempotency = idempotency_key{};
    return r;
  }
  template <class Check>
  std::vector<std::string> look(Check check) {
    door = std::make_unique<fake::door>();
    const final_state end{system, settings, *door, *store, journal, requests, letters};
    findings found;
    check(end, found);
    return found.all();
  }
};

bool says(const std::vector<std::string>& found, const std::string& text) {
  return std::any_of(found.begin(), found.end(), [&](const auto& f) { return f.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("checks: a granted order that is in the journal is acknowledged; one that is not, or differs, is found") {
  made_up m;
  m.ordered_by(1);
  CHECK(says(m.look(check_acknowledged), "which is not in the journal"));
  m.order_record(1);
  CHECK(m.look(check_acknowledged).empty());
  m.requests[0].granted->body["amt"] = 6;
  CHECK(says(m.look(check_acknowledged), "but version 1 of order/1 is"));
}

TEST_CASE("checks: a key that two records use, one that none uses, and a request that made two orders are found") {
  made_up m;
  m.ordered_by(1);
  CHECK(says(m.look(check_effects_once), "but no record has its key"));
  m.order_record(1);
  CHECK(m.look(check_effects_once).empty());
  m.order_record(1, 2);
  const auto found = m.look(check_effects_once);
  CHECK(says(found, "was used for 2 records"));
  CHECK(says(found, "was sent once, and made 2"));
}

TEST_CASE("checks: a message that is settled twice, never, or out of nothing is found") {
  made_up m;
  const auto ref = m.sends(m.order_record(1), {in_payment, 1, {}}).ref;
  CHECK(says(m.look(check_messages_once), "was settled 0 times"));
  m.add({in_payment, 1, {}}, 1).consumed = {ref};
  CHECK(m.look(check_messages_once).empty());
  m.add({in_payment, 1, {}}, 1).consumed = {ref};
  CHECK(says(m.look(check_messages_once), "was settled 2 times"));
  m.add({in_payment, 1, {}}, 1).consumed = {{{in_payment, 0}, {99, 1}}};
  CHECK(says(m.look(check_messages_once), "which was never put"));
}

TEST_CASE("checks: messages of one sender that are consumed in another order than they were put in are found") {
  made_up m;
  const auto first = m.sends(m.order_record(1), {in_payment, 1, {}}).ref;
  const auto second = m.sends(m.order_record(2), {in_payment, 1, {}}).ref;
  m.add({in_payment, 1, {}}, 1).consumed = {first};
  m.add({in_payment, 1, {}}, 1).consumed = {second};
  CHECK(m.look(check_order).empty());
  std::swap(m.journal[2].consumed, m.journal[3].consumed);
  CHECK(says(m.look(check_order), "was consumed after a later one of the same sender"));
}

TEST_CASE("checks: a notification that was not delivered, differs, or is in no record is found") {
  made_up m;
  auto& sent = m.sends(m.order_record(1), {in_payment, 1, {}});
  sent.payload = value::of(notification{"010", "Your Order is Ordered"});
  CHECK(says(m.look(check_letters), "was not delivered"));
  m.letters = {{"cafeteria-00c0ffee-1-1", "010", "Your Order is Ordered", {}}};
  CHECK(m.look(check_letters).empty());
  m.letters[0].text = "something else";
  CHECK(says(m.look(check_letters), "was delivered as"));
  m.letters = {{"cafeteria-00c0ffee-1-1", "010", "Your Order is Ordered", {}},
               {"cafeteria-00c0ffee-9-1", "010", "What a crash has undone", {}}};
  CHECK(says(m.look(check_letters), "is not in the journal"));
}

TEST_CASE("checks: a message that was given up is found") {
  made_up m;
  storage::dead_letter letter;
  letter.message.payload = value::of(cancel_payment{1});
  letter.error = "why";
  m.add({in_payment, 1, {}}, 1).died = letter;
  CHECK(says(m.look(check_no_dead_letters), "gives up cancel_payment: why"));
}

TEST_CASE("checks: a request that was answered twice, not at all, or after its node was dead is found") {
  const auto look = [](int answers, bool cut, bool granted_after_cut) {
    auto x = std::make_shared<exchange>();
    x->answers = answers;
    x->cut = cut;
    x->granted_after_cut = granted_after_cut;
    findings found;
    check_exchanges({x}, found);
    return found.all();
  };
  CHECK(look(1, false, false).empty());
  CHECK(look(0, true, false).empty());
  CHECK(says(look(0, false, false), "answered 0 times"));
  CHECK(says(look(2, false, false), "answered 2 times"));
  CHECK(says(look(2, true, false), "answered 2 times"));
  CHECK(says(look(1, true, true), "granted after its node was dead"));
}
