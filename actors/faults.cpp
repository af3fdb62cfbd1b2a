#include "actors/faults.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "behaviors/core/json.hpp"

namespace crema::actors {

namespace {

using scope = fault_target::scope;

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
constexpr std::int64_t delay_ms_max = 10LL * 60 * 1000;
constexpr std::int64_t reorder_wait_ms = 100;  // for one that overtakes
constexpr std::size_t over_max = 100;          // kept in the list
constexpr std::int64_t line_every_ms = 1000;

// ---- what strikes where

struct rule {
  std::vector<scope> strikes;
  std::string_view targets;  // of the sentence "target: ..."
  bool takes_delay = false;
  bool has_chance = true;  // a rate and a count mean something
};

// In the order of fault_kind.
const rule& rule_of(fault_kind k) {
  static const rule rules[fault_kind_count] = {
      {{scope::aggregate, scope::context, scope::child},
       "an aggregate (payment/17), a context (payment) or a supervised actor "
       "(payment/partition-3, payment/supervisor, timers, root)"},
      {{scope::aggregate, scope::context}, "an aggregate (payment/17) or a context (payment)"},
      {{scope::aggregate, scope::context, scope::journal}, "an aggregate (payment/17), a context (payment) or the journal", true},
      {{scope::aggregate, scope::context}, "an aggregate (payment/17) or a context (payment)"},
      {{scope::link}, "a link between two contexts (order->payment)"},
      {{scope::link}, "a link between two contexts (order->payment)", true},
      {{scope::link}, "a link between two contexts (order->payment)"},
      {{scope::link}, "a link between two contexts (order->payment)", true},
      {{scope::aggregate, scope::context, scope::journal}, "an aggregate (payment/17), a context (payment) or the journal"},
      {{scope::child}, "a projector (customercenter/projector)", false, false},
      {{scope::journal}, "the journal"},
      {{scope::journal}, "the journal"},
      {{scope::node}, "the node", false, false},
      {{scope::node}, "the node", false, false},
      {{scope::node}, "the node", false, false}};
  return rules[static_cast<std::size_t>(k)];
}

bool is_projector(const fault_target& t) { return t.is == scope::child && t.child.ends_with("/projector"); }

// A state of the node, true from the moment it is added.
bool is_state(fault_kind k) noexcept { return k == fault_kind::jump || k == fault_kind::kill || k == fault_kind::zombie; }

rejection bad(std::string field, const std::string& fix) {
  auto detail = "Field '" + field + "' " + fix;
  return rejection::invalid(std::move(field), std::move(detail));
}

// ---- targets

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size() && n > 0 ? std::optional(n) : std::nullopt;
}

rejection unknown_context(std::string_view name, const system_declaration& system) {
  std::vector<std::string_view> known;
  for (const auto& c : system.contexts) known.push_back(c.name);
  const auto near = nearest(name, known);
  std::string all;
  for (const auto k : known) all.append(all.empty() ? "" : ", ").append(k);
  return bad("target", "names '" + std::string(name.substr(0, 64)) + "', which is no context here; " +
                           (near.empty() ? "there are: " + all + ", and journal, node, timers, housekeeper, root."
                                         : "did you mean '" + std::string(near) + "'?"));
}

result<fault_target> parse_child(std::string_view text, const context_declaration& c, std::string_view name,
                                 const system_declaration& system, std::uint16_t partitions) {
  const auto owned = [&](const auto& d) { return d.context == c.index; };
  const bool views = std::any_of(system.views.begin(), system.views.end(), owned);
  const bool notifies = std::any_of(system.notifications.begin(), system.notifications.end(), owned);
  constexpr std::string_view prefix = "partition-";
  bool there = name == "supervisor" || name == "bulkhead" || (name == "projector" && views) || (name == "notifier" && notifies);
  if (name.starts_with(prefix) && c.state != nullptr) {
    const auto n = name == "partition-0" ? 0 : number_of(name.substr(prefix.size()));
    there = n && *n < partitions;
  }
  if (there) return fault_target{scope::child, c.index, 0, 0, std::string(text)};
  std::string known = "supervisor, bulkhead";
  if (c.state != nullptr) known += ", partition-0 … partition-" + std::to_string(partitions - 1) + ", a number (" + c.name + "/17)";
  if (views) known += ", projector";
  if (notifies) known += ", notifier";
  return bad("target", "names no part of '" + c.name + "'; it has: " + known + ".");
}

}  // namespace

std::string_view name_of(fault_kind k) noexcept { return literals_of<fault_kind>[static_cast<std::size_t>(k)]; }

result<fault_target> parse_target(std::string_view text, const system_declaration& system, std::uint16_t partitions) {
  if (text == "journal") return fault_target{scope::journal};
  if (text == "node") return fault_target{scope::node};
  if (text == "root" || text == "timers" || text == "housekeeper") return fault_target{scope::child, 0, 0, 0, std::string(text)};
  if (const auto arrow = text.find("->"); arrow != std::string_view::npos) {
    const auto from = text.substr(0, arrow), to = text.substr(arrow + 2);
    const auto* sender = system.find_context(from);
    if (sender == nullptr) return unknown_context(from, system);
    const auto* receiver = system.find_context(to);
    if (receiver == nullptr) return unknown_context(to, system);
    return fault_target{scope::link, receiver->index, sender->index};
  }
  const auto slash = text.find('/');
  const auto* c = system.find_context(text.substr(0, slash));
  if (c == nullptr) return unknown_context(text.substr(0, slash), system);
  if (slash == std::string_view::npos) return fault_target{scope::context, c->index};
  const auto part = text.substr(slash + 1);
  if (const auto id = number_of(part); id && c->state != nullptr) return fault_target{scope::aggregate, c->index, 0, *id};
  return parse_child(text, *c, part, system, partitions);
}

// ---- requests

std::vector<field_spec> fault_request::fields() {
  using r = fault_request;
  return {
      field<&r::target>("target").must().length(1, 100).means("payment, payment/17, payment/partition-3, order->payment, journal, node"),
      field<&r::kind>("kind").must(),
      field<&r::rate>("rate").at_least(0).at_most(1).means("Share of the occasions on which it strikes; 1: each."),
      field<&r::count>("count").at_least(0).means("How often it strikes at the most; 0: no limit."),
      field<&r::duration_ms>("durationMs").at_least(0).at_most(day_ms).means("How long it lasts; 0: until it is removed."),
      field<&r::delay_min_ms>("delayMinMs").at_least(0).at_most(delay_ms_max),
      field<&r::delay_max_ms>("delayMaxMs").at_least(0).at_most(delay_ms_max),
      field<&r::by_ms>("byMs").at_least(-366 * day_ms).at_most(366 * day_ms).means("jump: how far the wall clock is off."),
      field<&r::seed>("seed").at_least(0).means("The same seed strikes in the same places; 0: any."),
      field<&r::note>("note").length(0, 200).means("For people who look at the list.")};
}

namespace {

// What the kind needs beside its target.
std::optional<rejection> misfit(const fault_request& a, const rule& r) {
  if (a.rate <= decimal{}) return bad("rate", "must be above 0; leave it out to strike each time.");
  if (!r.has_chance && a.rate < decimal{1}) return bad("rate", "means nothing to " + std::string(name_of(a.kind)) + "; leave it out.");
  if (!r.has_chance && a.count > 0) return bad("count", "means nothing to " + std::string(name_of(a.kind)) + "; leave it out.");
  const bool said = a.delay_max_ms > 0 || a.delay_min_ms > 0;
  if (said && !r.takes_delay) return bad("delayMaxMs", "means nothing to " + std::string(name_of(a.kind)) + "; leave it out.");
  if (a.delay_min_ms > a.delay_max_ms) return bad("delayMaxMs", "must be at least delayMinMs.");
  if (!said && (a.kind == fault_kind::slow || a.kind == fault_kind::delay))
    return bad("delayMaxMs", "says how long at the most, in ms; give it, such as 620.");
  if (a.kind == fault_kind::jump && a.by_ms == 0) return bad("byMs", "says how far the clock jumps, in ms; give it, such as 3600000.");
  if (a.kind != fault_kind::jump && a.by_ms != 0) return bad("byMs", "means something to jump only; leave it out.");
  return std::nullopt;
}

}  // namespace

result<fault> make_fault(fault_request asked, const system_declaration& system, std::uint16_t partitions, std::uint64_t random) {
  auto target = parse_target(asked.target, system, partitions);
  if (!target) return target.why();
  const auto& r = rule_of(asked.kind);
  const bool fits = std::find(r.strikes.begin(), r.strikes.end(), target->is) != r.strikes.end();
  if (!fits || (asked.kind == fault_kind::stall && !is_projector(*target)))
    return bad("target", "must be " + std::string(r.targets) + " where kind is " + std::string(name_of(asked.kind)) + ".");
  if (auto why = misfit(asked, r)) return std::move(*why);
  if (asked.kind == fault_kind::reorder && asked.delay_max_ms == 0) asked.delay_min_ms = asked.delay_max_ms = reorder_wait_ms;
  // A supervised actor that dies whenever it starts takes the node with it: that must be asked for.
  if (asked.kind == fault_kind::crash && target->is == scope::child && asked.count == 0) asked.count = 1;
  if (asked.seed == 0) asked.seed = static_cast<std::int64_t>(random >> 40U) | 1;
  fault f;
  f.asked = std::move(asked);
  f.target = std::move(*target);
  return f;
}

result<fault> fault_from_json(const nlohmann::json& fields, const system_declaration& system, std::uint16_t partitions,
                              std::uint64_t random) {
  auto read = from_json(type_of<fault_request>(), fields);
  if (!read) return read.why();
  return make_fault(*read->as<fault_request>(), system, partitions, random);
}

nlohmann::json to_json(const fault& f) {
  const auto& a = f.asked;
  nlohmann::json j{{"id", f.id}, {"target", a.target}, {"kind", name_of(a.kind)}, {"fired", f.fired}, {"state", f.over ? "over" : "on"}};
  if (a.rate < decimal{1}) j["rate"] = to_double(a.rate);
  if (a.count > 0) j["count"] = a.count;
  if (a.duration_ms > 0) j["durationMs"] = a.duration_ms;
  if (a.delay_max_ms > 0) {
    j["delayMinMs"] = a.delay_min_ms;
    j["delayMaxMs"] = a.delay_max_ms;
  }
  if (a.by_ms != 0) j["byMs"] = a.by_ms;
  j["seed"] = a.seed;
  if (!a.note.empty()) j["note"] = a.note;
  return j;
}

// ---- the board

void fault_board::on_strike(observer tell) {
  const std::lock_guard lock(mutex_);
  tell_ = std::move(tell);
}

std::uint64_t fault_board::add(fault f, std::int64_t now_ms) {
  std::unique_lock lock(mutex_);
  f.id = ++last_id_;
  f.added_ms = now_ms;
  const auto seed = static_cast<std::uint64_t>(f.asked.seed);
  auto& e = *entries_.emplace_back(new entry{std::move(f), random_source(seed)});
  std::optional<std::pair<fault, bool>> struck;
  if (is_state(e.of.asked.kind)) {
    const bool worth_a_line = fire(e, now_ms);
    struck.emplace(e.of, worth_a_line);
  }
  const auto id = e.of.id;
  recount(now_ms);
  const auto tell = tell_;
  lock.unlock();
  if (struck && tell) tell(struck->first, struck->second);
  return id;
}

bool fault_board::remove(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const bool there = std::erase_if(entries_, [id](const auto& e) { return e->of.id == id; }) > 0;
  recount(0);
  return there;
}

std::size_t fault_board::clear() {
  const std::lock_guard lock(mutex_);
  const auto n = entries_.size();
  entries_.clear();
  recount(0);
  return n;
}

std::vector<fault> fault_board::all(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  recount(now_ms);
  std::vector<fault> list;
  for (const auto& e : entries_) list.push_back(e->of);
  return list;
}

std::optional<std::int64_t> fault_board::next_end_ms() const {
  const std::lock_guard lock(mutex_);
  std::optional<std::int64_t> next;
  for (const auto& e : entries_)
    if (!e->of.over && e->of.ends_ms() != 0) next = std::min(next.value_or(e->of.ends_ms()), e->of.ends_ms());
  return next;
}

void fault_board::expire(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  recount(now_ms);
}

std::shared_ptr<void> fault_board::keep_watching_links() {
  watch(1, 1);
  return {this, [](fault_board* board) { board->watch(-1, -1); }};
}

void fault_board::watch(std::int32_t all, std::int32_t links) noexcept {
  watched_.fetch_add(all, std::memory_order_acq_rel);
  links_.fetch_add(links, std::memory_order_acq_rel);
}

// Under the lock.
void fault_board::recount(std::int64_t now_ms) {
  std::int32_t living = 0, links = 0;
  std::size_t over = 0;
  for (const auto& e : entries_) {
    if (!e->of.lives(now_ms)) e->of.over = true;
    over += e->of.over ? 1 : 0;
    living += e->of.over ? 0 : 1;
    links += !e->of.over && e->of.target.is == scope::link ? 1 : 0;
  }
  for (auto e = entries_.begin(); over > over_max;) {
    const bool goes = (*e)->of.over;
    e = goes ? entries_.erase(e) : e + 1;
    over -= goes ? 1 : 0;
  }
  watch(living - living_, links - living_links_);
  living_ = living;
  living_links_ = links;
}

// Under the lock. Counts a strike; says whether it is worth a line in the log.
bool fault_board::fire(entry& e, std::int64_t now_ms) {
  ++e.of.fired;
  if (e.of.asked.count > 0 && e.of.fired >= static_cast<std::uint64_t>(e.of.asked.count)) e.of.over = true;
  const bool worth_a_line = !e.logged_ms || now_ms - *e.logged_ms >= line_every_ms;
  if (worth_a_line) e.logged_ms = now_ms;
  return worth_a_line;
}

// Each fault that fits throws its own dice, so that none changes where another strikes.
bool fault_board::hits(entry& e) {
  constexpr double whole = 18446744073709551616.0;  // 2^64
  return e.of.asked.rate >= decimal{1} || static_cast<double>(e.chance.next()) < to_double(e.of.asked.rate) * whole;
}

template <class Match>
std::optional<strike> fault_board::ask(std::int64_t now_ms, Match strikes_here) {
  if (!watching()) return std::nullopt;
  std::unique_lock lock(mutex_);
  entry* chosen = nullptr;
  for (auto& e : entries_) {
    if (!e->of.lives(now_ms) || !strikes_here(e->of) || !hits(*e)) continue;
    if (chosen == nullptr || e->of.asked.rate < chosen->of.asked.rate) chosen = e.get();
  }
  if (chosen == nullptr) return std::nullopt;
  auto& f = chosen->of;
  const strike s{f.id, f.asked.kind, chosen->chance.between(f.asked.delay_min_ms, f.asked.delay_max_ms)};
  const bool worth_a_line = fire(*chosen, now_ms);
  const auto copy = f;
  const auto tell = tell_;
  if (f.over) recount(now_ms);  // may let go of it
  lock.unlock();
  if (tell) tell(copy, worth_a_line);
  return s;
}

namespace {

bool is_one_of(fault_kind k, std::initializer_list<fault_kind> some) { return std::find(some.begin(), some.end(), k) != some.end(); }

bool covers(const fault_target& t, std::uint16_t context, std::uint64_t id) {
  if (t.context != context) return false;
  return t.is == scope::context || (t.is == scope::aggregate && t.id == id);
}

}  // namespace

std::optional<strike> fault_board::at_handler(std::uint16_t context, std::uint64_t id, std::int64_t now_ms) {
  return ask(now_ms, [&](const fault& f) {
    return covers(f.target, context, id) &&
           is_one_of(f.asked.kind, {fault_kind::crash, fault_kind::throws, fault_kind::slow, fault_kind::hang});
  });
}

std::optional<strike> fault_board::at_mailbox(std::uint16_t context, std::uint64_t id, std::int64_t now_ms) {
  return ask(now_ms, [&](const fault& f) { return f.asked.kind == fault_kind::full && covers(f.target, context, id); });
}

std::optional<strike> fault_board::at_link(std::uint16_t from, std::uint16_t to, std::int64_t now_ms) {
  return ask(now_ms, [&](const fault& f) { return f.target.is == scope::link && f.target.from == from && f.target.context == to; });
}

std::optional<strike> fault_board::at_child(std::string_view path, std::int64_t now_ms) {
  return ask(now_ms, [&](const fault& f) { return f.asked.kind == fault_kind::crash && f.target.child == path; });
}

std::optional<strike> fault_board::at_projector(std::uint16_t context, std::int64_t now_ms) {
  return ask(now_ms, [&](const fault& f) { return f.asked.kind == fault_kind::stall && f.target.context == context; });
}

std::optional<strike> fault_board::at_commit(std::int64_t now_ms) {
  return ask(now_ms, [](const fault& f) { return f.target.is == scope::journal; });
}

bool fault_board::lasts(std::uint64_t id, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& e) {
    // One whose count is used up has begun as much as it may; what it began goes on for its time, or until it is removed.
    return e->of.id == id && (e->of.ends_ms() == 0 || now_ms < e->of.ends_ms());
  });
}

std::int64_t fault_board::clock_is_off_by_ms(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  std::int64_t off = 0;
  for (const auto& e : entries_)
    if (e->of.asked.kind == fault_kind::jump && e->of.lives(now_ms)) off += e->of.asked.by_ms;
  return off;
}

bool fault_board::zombie(std::int64_t now_ms) {
  if (!watching()) return false;
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& e) { return e->of.asked.kind == fault_kind::zombie && e->of.lives(now_ms); });
}

}  // namespace crema::actors
