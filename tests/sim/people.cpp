#include "tests/sim/people.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace crema::sim {

using http::method;
using nlohmann::json;

namespace {

constexpr std::size_t persons = 8;
constexpr std::string_view follow_from = "/events?from=";
constexpr std::int64_t patience_ms = 6000;  // the server's own: http/session gives up a second after the request's time limit

std::string header_of(const http::response& r, std::string_view name) {
  const auto line = std::string(name) + ": ";
  const auto at = r.headers.find(line);
  if (at == std::string::npos) return {};
  const auto from = at + line.size();
  return r.headers.substr(from, r.headers.find('\r', from) - from);
}

bool is_read(method m) { return m == method::get || m == method::head; }

std::string in_url(const json& v) {
  std::string out;
  for (const char c : v.is_string() ? v.get<std::string>() : v.dump()) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
    }
  }
  return out;
}

}  // namespace

people::people(const story& s, const system_declaration& system, std::uint64_t seed, bool faults, findings& found)
    : story_(s), system_(system), random_(seed), faults_(faults), found_(found), persons_(persons) {}

void people::reach(transport* through) {
  if (through == nullptr)
    for (auto& p : persons_) disconnect(p);
  through_ = through;
}

// Who got no answer does not know what became of it. He asks again under his key, or lets it be.
void people::disconnect(person& p) {
  if (!p.x) return;
  const auto& a = asked_[*p.asking];
  const bool again = a.keyed && !a.granted && (is_opening(a) || !random_.one_in(3));
  p.x.reset();
  if (!again) p.asking.reset();
}

bool people::content() const {
  return std::none_of(persons_.begin(), persons_.end(), [](const auto& p) { return p.asking.has_value(); });
}

bool people::ask(std::int64_t now_ms) {
  if (through_ == nullptr) return false;
  auto& opener = persons_.front();
  const bool opened = opening_ == story_.opening.size() && !(opener.asking && is_opening(asked_[*opener.asking]));
  std::vector<person*> free;
  for (auto& p : persons_)
    if (!p.x && (p.asking || wishing_) && (opened || &p == &opener)) free.push_back(&p);
  if (free.empty()) return false;
  auto& p = *free[random_.below(free.size())];
  if (!p.asking) {
    p.version_floor = 0;
    p.must_contain.clear();
    const bool reads = opened && random_.one_in(4);
    auto& a = begin(!opened ? story_.opening[opening_++] : reads ? look_around(p) : story_.next(random_, known_));
    if (!opened) a.keyed = true;
    p.asking = a.number - 1;
  }
  send(p, now_ms);
  return true;
}

asked& people::begin(const wish& w) {
  auto& a = asked_.emplace_back();
  a.number = asked_.size();
  a.verb = w.verb;
  a.path = w.path;
  a.body = w.body;
  a.keyed = (w.verb == method::post || w.verb == method::patch) && !random_.one_in(5);
  if (w.verb == method::patch || w.verb == method::put || w.verb == method::remove) {
    const auto known = versions_.find(w.path);
    if (known != versions_.end() && known->second > 0 && random_.one_in(6)) a.if_match = known->second;
    if (w.verb == method::remove) versions_[w.path] = 0;
  }
  known_.asked = asked_.size();
  return a;
}

std::string people::bytes_of(const asked& a) const {
  std::string out(http::name_of(a.verb));
  out.append(" ").append(a.path).append(" HTTP/1.1\r\nHost: localhost\r\n");
  out.append("traceparent: ").append(to_traceparent(a.trace())).append("\r\n");
  if (a.keyed) out.append("Idempotency-Key: ").append(a.key()).append("\r\n");
  if (a.if_match) out.append("If-Match: \"").append(std::to_string(*a.if_match)).append("\"\r\n");
  if (a.body.is_null()) return out.append("\r\n");
  const auto body = a.body.dump();
  out.append("Content-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return out.append(body);
}

void people::send(person& p, std::int64_t now_ms) {
  auto& a = asked_[*p.asking];
  ++a.sent;
  transcript_.append(std::to_string(now_ms)).append(" > ").append(std::to_string(a.number)).append("\n");
  p.x = through_->send(bytes_of(a));
  p.patience_ends_ms = now_ms + patience_ms;
  exchanges_.push_back(p.x);
}

void people::lose_patience(std::int64_t now_ms) {
  for (auto& p : persons_)
    if (p.x && !p.x->answer && now_ms >= p.patience_ends_ms) disconnect(p);
}

bool people::hear(std::int64_t now_ms) {
  std::vector<person*> answered;
  for (auto& p : persons_)
    if (p.x && p.x->answer) answered.push_back(&p);
  if (answered.empty()) return false;
  auto& p = *answered[random_.below(answered.size())];
  auto& a = asked_[*p.asking];
  const auto& r = *p.x->answer;
  a.last_status = r.status;
  transcript_.append(std::to_string(now_ms)).append(" < ").append(std::to_string(a.number)).append(" ");
  transcript_.append(std::to_string(r.status)).append(" ").append(is_read(a.verb) && a.path.starts_with("/actuator") ? "" : r.body);
  transcript_.append("\n");
  expect_usual(p, a, r);
  if (is_read(a.verb))
    check_reading(p, a, r);
  else if (r.status < 300)
    take_grant(a, r);
  else
    found_.expect(!a.granted || !a.keyed, "request ", a.number, " was granted, and is refused under the same key: ", r.status, " ", r.body);
  const bool again = a.keyed && ((is_opening(a) && r.status >= 300) || (r.status >= 500 && random_.one_in(3)));
  p.x.reset();
  if (!again) p.asking.reset();
  return true;
}

// Statuses that a caller who does nothing wrong may meet.
void people::expect_usual(const person& p, const asked& a, const http::response& r) {
  constexpr std::array usual{200U, 201U, 204U, 304U, 404U, 409U, 412U, 422U, 500U, 503U, 504U};
  const bool known = std::find(usual.begin(), usual.end(), r.status) != usual.end();
  if (a.path.starts_with(follow_from)) return expect_events(p, a, r);
  const bool owed_to_faults = r.status != 500 || faults_;
  found_.expect(known && owed_to_faults, "request ", a.number, " (", http::name_of(a.verb), " ", a.path, ") was answered ", r.status, " ",
                r.body);
}

// Whoever goes on from where events were seen sees them; ahead of the end the place is lost.
void people::expect_events(const person& p, const asked& a, const http::response& r) {
  const auto from = std::stoull(a.path.substr(follow_from.size()));
  const bool lost = r.status == 410 && from > p.events_floor;
  found_.expect(r.status == 200 || r.status == 503 || (r.status == 500 && faults_) || lost, "request ", a.number, " (", a.path,
                ") was answered ", r.status, ", and events were seen before ", p.events_floor, ": ", r.body);
  if (const auto last = r.body.rfind("\"offset\":"); r.status == 200 && last != std::string::npos)
    next_event_ = std::max<std::uint64_t>(next_event_, std::stoull(r.body.substr(last + 9)) + 1);
}

void people::take_grant(asked& a, const http::response& r) {
  grant now{r.status, {}, r.version, r.body.empty() ? json() : json::parse(r.body)};
  if (const auto link = header_of(r, "Location"); !link.empty()) now.location = link.substr(link.find('/', link.find("//") + 2));
  if (a.granted) {
    const bool same = a.granted->location == now.location && a.granted->body == now.body && a.granted->version == now.version;
    found_.expect(!a.keyed || same, "request ", a.number, " was answered ", a.granted->body.dump(), ", and under the same key ", r.body);
    return;
  }
  const auto& at = now.location.empty() ? a.path : now.location;
  if (now.version && a.verb != method::remove) {
    const auto [known, fresh] = versions_.try_emplace(at, *now.version);
    if (!fresh && known->second > 0) known->second = std::max(known->second, *now.version);
  }
  if (!now.location.empty()) known_.made[collection_of(now.location)].push_back(number_at_end(now.location));
  a.granted = std::move(now);
}

// ---- reading

// Nobody has asked for it to go.
bool people::stays(const std::string& path) const {
  const auto known = versions_.find(path);
  return known != versions_.end() && known->second > 0;
}

// Whoever has been answered sees what he was answered, or something later.
void people::check_reading(const person& p, const asked& a, const http::response& r) {
  if (p.version_floor > 0 && stays(a.path)) {
    found_.expect(r.status == 200, a.path, " had version ", p.version_floor, ", and is answered ", r.status);
    found_.expect(!r.version || *r.version >= p.version_floor, a.path, " had version ", p.version_floor, ", and is shown with ",
                  r.version.value_or(0));
  }
  if (!p.must_contain.empty() && stays(p.must_contain))
    found_.expect(r.status == 200 && r.body.find(p.must_contain + "\"") != std::string::npos, a.path, " does not find ", p.must_contain);
}

wish people::look_around(person& p) {
  std::vector<const asked*> made;
  for (const auto& a : asked_)
    if (a.granted && !a.granted->location.empty()) made.push_back(&a);
  const auto* one = made.empty() ? nullptr : made[random_.below(made.size())];
  switch (random_.below(one == nullptr ? 3 : 8)) {
    case 0: {
      constexpr std::array paths{"/actuator/health",   "/actuator/supervisors", "/actuator/prometheus",
                                 "/actuator/contexts", "/actuator/traces",      "/actuator/deadletters"};
      return {method::get, paths[random_.below(paths.size())]};
    }
    case 1:
      p.events_floor = next_event_;
      return {method::get, std::string(follow_from) + std::to_string(random_.below(1 + known_.asked * 3))};
    case 2: {
      const auto& c = system_.contexts[random_.below(system_.contexts.size())];
      const auto& collection = c.resource ? c.resource->collection : system_.views.front().resource.collection;
      return {method::get,
              "/" + collection + "?page=" + std::to_string(random_.below(3)) + "&size=" + std::to_string(1 + random_.below(30))};
    }
    case 3:
    case 4:
      if (const auto w = search_for(p, *one); !w.path.empty()) return w;
      [[fallthrough]];
    default: break;
  }
  const auto known = versions_.find(one->granted->location);
  p.version_floor = known == versions_.end() ? 0 : known->second;
  return {method::get, one->granted->location};
}

// A finder of its collection, with what it was answered: empty where there is none.
wish people::search_for(person& p, const asked& made) {
  const auto collection = collection_of(made.granted->location);
  for (const auto& c : system_.contexts) {
    if (!c.resource || c.resource->collection != collection || c.resource->finders.empty()) continue;
    const auto& finder = c.resource->finders[random_.below(c.resource->finders.size())];
    auto path = "/" + collection + "/search/" + finder.name + "?size=1000";
    for (const auto at : finder.fields) {
      const std::string name(c.resource->row->fields[at].name);
      if (!made.granted->body.contains(name) || made.granted->body[name].is_null()) return {};
      path += "&" + name + "=" + in_url(made.granted->body[name]);
    }
    p.must_contain = made.granted->location;
    return {method::get, path};
  }
  return {};
}

}  // namespace crema::sim
