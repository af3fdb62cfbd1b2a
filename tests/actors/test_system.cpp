#include "tests/actors/test_system.hpp"

namespace crema::testing {

result<outcome> decide(const account&, const deposit& c, const given&) {
  trip("decide", c.tag);
  if (c.amt < 0) return rejection::conflict("A deposit is positive.");
  return record_event(deposited{c.amt, c.tag});
}

result<outcome> decide(const account&, const transfer& c, const given& g) {
  trip("decide", c.tag);
  if (!g.reply<booked>()) {
    auto o = ask(book{c.ledger, c.tag, c.amt}).undone_by(unbook{c.ledger, c.tag, c.amt});
    return c.keep_refusal ? std::move(o).recording_if_refused(transfer_refused{c.tag}) : std::move(o);
  }
  trip("replied", c.tag);
  return record_event(transferred{c.amt, c.tag, c.ledger});
}

result<outcome> decide(const account&, const close_account&, const given& g) {
  return g.exists ? record_event(account_closed{}) : nothing();
}

result<outcome> decide(const account&, const remind_later& c, const given&) {
  return record_event(reminder_set{c.tag}).then_after(std::chrono::milliseconds(c.after_ms), ring{c.tag});
}

result<outcome> decide(const account&, const ring& c, const given&) { return record_event(rung{c.tag}); }
result<outcome> decide(const account&, const confuse&, const given&) { return record_event(noted{1, "confused"}); }

void evolve(account& s, const deposited& e) {
  trip("evolve", e.tag);
  s.balance += e.amt;
  s.tags += e.tag + ",";
}

void evolve(account& s, const transferred& e) {
  trip("evolve", e.tag);
  s.balance += e.amt;
  s.booked += e.amt;
  s.tags += e.tag + ",";
}

void evolve(account& s, const transfer_refused& e) {
  trip("evolve", e.tag);
  s.tags += "!" + e.tag + ",";
}

void evolve(account& s, const account_closed&) { s = {0, 0, "", true}; }

void evolve(account& s, const reminder_set& e) {
  s.closed = false;
  s.tags += "(" + e.tag + "),";
}

void evolve(account& s, const rung& e) { s.tags += e.tag + ","; }

result<outcome> decide(const ledger&, const book& c, const given&) {
  trip("book", c.tag);
  if (c.amt < 0) return rejection::conflict("A ledger books what is positive.");
  return record_event(booked{c.ledger, c.amt});
}

result<outcome> decide(const ledger& s, const unbook& c, const given& g) {
  trip("unbook", c.tag);
  if (c.tag.rfind("deep", 0) == 0 && !g.reply<noted>()) return ask(note{0, "undone"}).at(99);  // an undo that needs a partner itself
  if (!g.exists || s.sum < c.amt) return rejection::conflict("The ledger does not hold that.");
  return record_event(unbooked{c.ledger, c.amt});
}

result<outcome> decide(const ledger&, const look_over&, const given&) { return nothing(); }

void evolve(ledger& s, const booked& e) { s = {e.ledger, s.sum + e.amt, s.entries + 1}; }
void evolve(ledger& s, const unbooked& e) { s = {e.ledger, s.sum - e.amt, s.entries - 1}; }

result<outcome> decide(const shadow&, const note& c, const given& g) {
  trip("note", c.tag);
  if (c.tag.rfind("ask", 0) == 0 && !g.reply<booked>())
    return ask(book{"shadows", c.tag, c.amt}).undone_by(unbook{"shadows", c.tag, c.amt});
  return record_event(noted{c.amt, c.tag});
}

void evolve(shadow& s, const noted& e) {
  s.sum += e.amt;
  s.tags += e.tag + ",";
}

// "to bert: …" tells bert.
static std::string receiver_of(const std::string& tag) {
  constexpr std::string_view to = "to ";
  return tag.starts_with(to) ? tag.substr(to.size(), tag.find(':') - to.size()) : "desk";
}

system_declaration test_system() {
  system_builder s("testsystem");
  s.context<account>("account", "account", "accounts")
      .handles<deposit, transfer, close_account, remind_later, ring, confuse>()
      .records<deposited, transferred, transfer_refused, account_closed, reminder_set, rung>()
      .on_create<deposit>()
      .gone_when([](const account& a) { return a.closed; });
  s.context<ledger>("ledger", "ledger", "ledgers")
      .handles<book, unbook, look_over>()
      .records<booked, unbooked>()
      .keyed_by<book, unbook, look_over>([](const auto& c) { return c.ledger; })
      .gone_when([](const ledger& l) { return l.entries == 0; });
  s.context<shadow>("shadow", "shadow", "shadows").handles<note>().records<noted>();
  s.context("desk");
  s.whenever<deposited>().tell<note>([](const deposited& e) { return note{e.amt, e.tag}; });
  s.whenever<transferred>().tell<note>([](const transferred& e) { return note{e.amt, e.tag}; });
  s.whenever<deposited>().notify("desk", [](const deposited& e) { return notification{receiver_of(e.tag), e.tag}; });
  const auto show = [](rows<statement>& all, const auto& e, const event_meta& m) {
    trip("view", e.tag);
    auto row = all.get(m.id).value_or(statement{});
    row.sum += e.amt;
    ++row.lines;
    all.put(m.id, row);
  };
  s.view<statement>("desk", "statement", "statements").on<deposited>(show).on<transferred>(show);
  return std::move(s).build();
}

}  // namespace crema::testing
