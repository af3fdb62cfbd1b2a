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
/// Has nothing to do, and says so.
struct look_over {
  static constexpr std::string_view type_name = "look_over";
  std::string ledger{};
  static std::vector<field_spec> fields() { return {field<&look_over::ledger>("ledger")}; }
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

result<outcome> decide(const account&, const deposit& c, const given&);
result<outcome> decide(const account&, const transfer& c, const given& g);
result<outcome> decide(const account&, const close_account&, const given& g);
result<outcome> decide(const account&, const remind_later& c, const given&);
result<outcome> decide(const account&, const ring& c, const given&);
result<outcome> decide(const account&, const confuse&, const given&);

void evolve(account& s, const deposited& e);
void evolve(account& s, const transferred& e);
void evolve(account& s, const transfer_refused& e);
void evolve(account& s, const account_closed&);
void evolve(account& s, const reminder_set& e);
void evolve(account& s, const rung& e);

result<outcome> decide(const ledger&, const book& c, const given&);
result<outcome> decide(const ledger& s, const unbook& c, const given& g);
result<outcome> decide(const ledger&, const look_over&, const given&);
void evolve(ledger& s, const booked& e);
void evolve(ledger& s, const unbooked& e);

result<outcome> decide(const shadow&, const note& c, const given& g);
void evolve(shadow& s, const noted& e);

system_declaration test_system();

}  // namespace crema::testing
