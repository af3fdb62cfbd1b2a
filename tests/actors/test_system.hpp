// A small system in which anything can be made to fail: accounts that ask ledgers, shadows that are told, a desk that shows.
//
// A fault is armed by name ("decide:TAG", "replied:TAG", "evolve:TAG", "note:TAG", "book:TAG", "view:TAG"): the next so many times that
// a step with this tag comes there, it throws.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "behaviors/core/declaration.hpp"

namespace crema::testing {

inline std::map<std::string, int>& armed_faults() {
  static std::map<std::string, int> all;
  return all;
}
inline constexpr int for_ever = 1 << 30;
inline void trip(const std::string& place, const std::string& tag) {
  const auto at = armed_faults().find(place + ":" + tag);
  if (at == armed_faults().end() || at->second == 0) return;
  --at->second;
  throw std::runtime_error("a fault was armed: " + at->first);
}
/// Arms a fault for as long as it lives.
class fault {
 public:
  explicit fault(std::string name, int times = for_ever) : name_(std::move(name)) { armed_faults()[name_] = times; }
  fault(const fault&) = delete;
  fault& operator=(const fault&) = delete;
  ~fault() { armed_faults().erase(name_); }
  void mend() { armed_faults().erase(name_); }

 private:
  std::string name_;
};

// ---- account

struct account {
  static constexpr std::string_view type_name = "account";
  std::int64_t balance = 0;
  std::int64_t booked = 0;  // of the balance: what a ledger holds too
  std::string tags{};       // of its steps, in order
  bool closed = false;
  static std::vector<field_spec> fields() {
    return {field<&account::balance>("balance"), field<&account::booked>("booked"), field<&account::tags>("tags").length(0, 100000),
            field<&account::closed>("closed")};
  }
};
struct deposit {
  static constexpr std::string_view type_name = "deposit";
  std::int64_t amt = 0;
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&deposit::amt>("amt"), field<&deposit::tag>("tag")}; }
};
/// Books the amount with the ledger of that name, then counts it.
struct transfer {
  static constexpr std::string_view type_name = "transfer";
  std::int64_t amt = 0;
  std::string tag{}, ledger{};
  bool keep_refusal = false;  // a refusal is part of the history
  static std::vector<field_spec> fields() {
    return {field<&transfer::amt>("amt"), field<&transfer::tag>("tag"), field<&transfer::ledger>("ledger"),
            field<&transfer::keep_refusal>("keepRefusal")};
  }
};
struct undo_transfer {
  static constexpr std::string_view type_name = "undo_transfer";
  static std::vector<field_spec> fields() { return {}; }
};
struct close_account {
  static constexpr std::string_view type_name = "close_account";
  static std::vector<field_spec> fields() { return {}; }
};
struct remind_later {
  static constexpr std::string_view type_name = "remind_later";
  std::int64_t after_ms = 0;
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&remind_later::after_ms>("afterMs"), field<&remind_later::tag>("tag")}; }
};
struct ring {
  static constexpr std::string_view type_name = "ring";
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&ring::tag>("tag")}; }
};
/// Records an event that no account can fold.
struct confuse {
  static constexpr std::string_view type_name = "confuse";
  static std::vector<field_spec> fields() { return {}; }
};

struct deposited {
  static constexpr std::string_view type_name = "Deposited";
  std::int64_t amt = 0;
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&deposited::amt>("amt"), field<&deposited::tag>("tag")}; }
};
struct transferred {
  static constexpr std::string_view type_name = "Transferred";
  std::int64_t amt = 0;
  std::string tag{}, ledger{};
  static std::vector<field_spec> fields() {
    return {field<&transferred::amt>("amt"), field<&transferred::tag>("tag"), field<&transferred::ledger>("ledger")};
  }
};
struct transfer_refused {
  static constexpr std::string_view type_name = "TransferRefused";
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&transfer_refused::tag>("tag")}; }
};
struct account_closed {
  static constexpr std::string_view type_name = "AccountClosed";
  static std::vector<field_spec> fields() { return {}; }
};
struct reminder_set {
  static constexpr std::string_view type_name = "ReminderSet";
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&reminder_set::tag>("tag")}; }
};
struct rung {
  static constexpr std::string_view type_name = "Rung";
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&rung::tag>("tag")}; }
};

// ---- ledger: found by name

struct ledger {
  static constexpr std::string_view type_name = "ledger";
  std::string name{};
  std::int64_t sum = 0, entries = 0;
  static std::vector<field_spec> fields() {
    return {field<&ledger::name>("name"), field<&ledger::sum>("sum"), field<&ledger::entries>("entries")};
  }
};
struct book {
  static constexpr std::string_view type_name = "book";
  std::string ledger{}, tag{};
  std::int64_t amt = 0;
  static std::vector<field_spec> fields() { return {field<&book::ledger>("ledger"), field<&book::tag>("tag"), field<&book::amt>("amt")}; }
};
struct unbook {
  static constexpr std::string_view type_name = "unbook";
  std::string ledger{}, tag{};
  std::int64_t amt = 0;
  static std::vector<field_spec> fields() {
    return {field<&unbook::ledger>("ledger"), field<&unbook::tag>("tag"), field<&unbook::amt>("amt")};
  }
};
struct booked {
  static constexpr std::string_view type_name = "Booked";
  std::string ledger{};
  std::int64_t amt = 0;
  static std::vector<field_spec> fields() { return {field<&booked::ledger>("ledger"), field<&booked::amt>("amt")}; }
};
struct unbooked {
  static constexpr std::string_view type_name = "Unbooked";
  std::string ledger{};
  std::int64_t amt = 0;
  static std::vector<field_spec> fields() { return {field<&unbooked::ledger>("ledger"), field<&unbooked::amt>("amt")}; }
};

// ---- shadow: told of everything that happens to the account of its number

struct shadow {
  static constexpr std::string_view type_name = "shadow";
  std::int64_t sum = 0;
  std::string tags{};
  static std::vector<field_spec> fields() { return {field<&shadow::sum>("sum"), field<&shadow::tags>("tags").length(0, 100000)}; }
};
struct note {
  static constexpr std::string_view type_name = "note";
  std::int64_t amt = 0;
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&note::amt>("amt"), field<&note::tag>("tag")}; }
};
struct noted {
  static constexpr std::string_view type_name = "Noted";
  std::int64_t amt = 0;
  std::string tag{};
  static std::vector<field_spec> fields() { return {field<&noted::amt>("amt"), field<&noted::tag>("tag")}; }
};

// ---- statement: what the desk shows of an account

struct statement {
  static constexpr std::string_view type_name = "statement";
  std::int64_t sum = 0, lines = 0;
  static std::vector<field_spec> fields() { return {field<&statement::sum>("sum"), field<&statement::lines>("lines")}; }
};

// ---- rules

inline result<outcome> decide(const account&, const deposit& c, const given&) {
  trip("decide", c.tag);
  if (c.amt < 0) return rejection::conflict("A deposit is positive.");
  return record_event(deposited{c.amt, c.tag});
}
inline result<outcome> decide(const account&, const transfer& c, const given& g) {
  trip("decide", c.tag);
  if (!g.reply<booked>()) {
    auto o = ask(book{c.ledger, c.tag, c.amt}).undone_by(unbook{c.ledger, c.tag, c.amt});
    return c.keep_refusal ? std::move(o).recording_if_refused(transfer_refused{c.tag}) : std::move(o);
  }
  trip("replied", c.tag);
  return record_event(transferred{c.amt, c.tag, c.ledger});
}
inline result<outcome> decide(const account&, const close_account&, const given& g) {
  return g.exists ? record_event(account_closed{}) : nothing();
}
inline result<outcome> decide(const account&, const remind_later& c, const given&) {
  return record_event(reminder_set{c.tag}).then_after(std::chrono::milliseconds(c.after_ms), ring{c.tag});
}
inline result<outcome> decide(const account&, const ring& c, const given&) { return record_event(rung{c.tag}); }
inline result<outcome> decide(const account&, const confuse&, const given&) { return record_event(noted{1, "confused"}); }

inline void evolve(account& s, const deposited& e) {
  trip("evolve", e.tag);
  s.balance += e.amt;
  s.tags += e.tag + ",";
}
inline void evolve(account& s, const transferred& e) {
  trip("evolve", e.tag);
  s.balance += e.amt;
  s.booked += e.amt;
  s.tags += e.tag + ",";
}
inline void evolve(account& s, const transfer_refused& e) {
  trip("evolve", e.tag);
  s.tags += "!" + e.tag + ",";
}
inline void evolve(account& s, const account_closed&) { s = {0, 0, "", true}; }
inline void evolve(account& s, const reminder_set& e) {
  s.closed = false;
  s.tags += "(" + e.tag + "),";
}
inline void evolve(account& s, const rung& e) { s.tags += e.tag + ","; }

inline result<outcome> decide(const ledger&, const book& c, const given&) {
  trip("book", c.tag);
  if (c.amt < 0) return rejection::conflict("A ledger books what is positive.");
  return record_event(booked{c.ledger, c.amt});
}
inline result<outcome> decide(const ledger& s, const unbook& c, const given& g) {
  trip("unbook", c.tag);
  if (c.tag.rfind("deep", 0) == 0 && !g.reply<noted>()) return ask(note{0, "undone"}).at(99);  // an undo that needs a partner itself
  if (!g.exists || s.sum < c.amt) return rejection::conflict("The ledger does not hold that.");
  return record_event(unbooked{c.ledger, c.amt});
}
inline void evolve(ledger& s, const booked& e) { s = {e.ledger, s.sum + e.amt, s.entries + 1}; }
inline void evolve(ledger& s, const unbooked& e) { s = {e.ledger, s.sum - e.amt, s.entries - 1}; }

inline result<outcome> decide(const shadow&, const note& c, const given& g) {
  trip("note", c.tag);
  if (c.tag.rfind("ask", 0) == 0 && !g.reply<booked>())
    return ask(book{"shadows", c.tag, c.amt}).undone_by(unbook{"shadows", c.tag, c.amt});
  return record_event(noted{c.amt, c.tag});
}
inline void evolve(shadow& s, const noted& e) {
  s.sum += e.amt;
  s.tags += e.tag + ",";
}

inline system_declaration test_system() {
  system_builder s("testsystem");
  s.context<account>("account", "account", "accounts")
      .handles<deposit, transfer, close_account, remind_later, ring, confuse>()
      .records<deposited, transferred, transfer_refused, account_closed, reminder_set, rung>()
      .on_create<deposit>()
      .gone_when([](const account& a) { return a.closed; });
  s.context<ledger>("ledger", "ledger", "ledgers")
      .handles<book, unbook>()
      .records<booked, unbooked>()
      .keyed_by<book, unbook>([](const auto& c) { return c.ledger; })
      .gone_when([](const ledger& l) { return l.entries == 0; });
  s.context<shadow>("shadow", "shadow", "shadows").handles<note>().records<noted>();
  s.context("desk");
  s.whenever<deposited>().tell<note>([](const deposited& e) { return note{e.amt, e.tag}; });
  s.whenever<transferred>().tell<note>([](const transferred& e) { return note{e.amt, e.tag}; });
  s.whenever<deposited>().notify("desk", [](const deposited& e) { return notification{"desk", e.tag}; });
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
