#include "tests/sim/checks.hpp"

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "behaviors/core/json.hpp"
#include "storage/log.hpp"
#include "storage/maintenance.hpp"
#include "storage/rows.hpp"

namespace crema::sim {

using http::method;
using nlohmann::json;
using storage::journal_record;

namespace {

using aggregate_name = std::pair<std::uint16_t, std::uint64_t>;

std::string place_of(const final_state& end, const aggregate_name& who) {
  return end.system.contexts[who.first].name + "/" + std::to_string(who.second);
}

std::string name_of(const storage::outbox_ref& r) { return std::to_string(r.id.sequence) + "-" + std::to_string(r.id.index); }

/// The records of each aggregate, in order.
std::map<aggregate_name, std::vector<const journal_record*>> by_aggregate(const final_state& end) {
  std::map<aggregate_name, std::vector<const journal_record*>> all;
  for (const auto& r : end.journal) all[{r.subject.context, r.subject.id}].push_back(&r);
  return all;
}

/// The aggregate's state at a version; an empty value where its journal does not come so far.
value state_at(const final_state& end, const aggregate_name& who, const std::vector<const journal_record*>& records,
               std::uint64_t version) {
  const auto& context = end.system.contexts[who.first];
  auto state = context.state->make();
  std::uint64_t reached = 0;
  for (const auto* r : records) {
    if (reached >= version) break;
    storage::fold(context, state.get(), r->events);
    reached += r->events.size();
  }
  return reached == version ? value(*context.state, std::move(state)) : value{};
}

const context_declaration* context_of(const final_state& end, const std::string& collection) {
  for (const auto& c : end.system.contexts)
    if (c.resource && c.resource->collection == collection) return &c;
  return nullptr;
}

json fields_of(const value& v) {
  std::string text = "{";
  append_json_fields(text, v.type(), v.data());
  return json::parse(text + "}");
}

/// Where its effect must be: what it made, or what it was sent to.
const std::string& subject_of(const asked& a) { return a.granted->location.empty() ? a.path : a.granted->location; }

}  // namespace

std::vector<journal_record> read_journal(const storage::store& store, const system_declaration& system) {
  std::vector<journal_record> all;
  const auto now = store.read();
  const auto types = system.catalog();
  storage::log_reader log(*now, 0);
  while (const auto raw = log.next()) all.push_back(storage::decode_body(raw->sequence, raw->partition, raw->body, types));
  return all;
}

void check_exchanges(const std::vector<exchange_ptr>& all, findings& found) {
  for (const auto& x : all) {
    const auto what = std::string(http::name_of(x->request.verb)) + " " + x->request.target;
    if (x->cut) {
      found.expect(x->answers <= 1, what, " was answered ", x->answers, " times");
      found.expect(!x->granted_after_cut, what, " was granted after its node was dead");
    } else {
      found.expect(x->answers == 1, what, " was answered ", x->answers, " times");
    }
  }
}

void check_acknowledged(const final_state& end, findings& found) {
  const auto records = by_aggregate(end);
  for (const auto& a : end.requests) {
    if (!a.granted || !a.granted->version) continue;
    const auto* context = context_of(end, collection_of(subject_of(a)));
    if (context == nullptr) continue;
    const aggregate_name who{context->index, number_at_end(subject_of(a))};
    const auto own = records.find(who);
    const auto then = own == records.end() ? value{} : state_at(end, who, own->second, *a.granted->version);
    if (!then) {
      found.add("request ", a.number, " was answered with version ", *a.granted->version, " of ", place_of(end, who),
                ", which is not in the journal");
      continue;
    }
    auto answered = a.granted->body;
    answered.erase("_links");
    found.expect(answered == fields_of(then), "request ", a.number, " was answered ", answered.dump(), ", but version ",
                 *a.granted->version, " of ", place_of(end, who), " is ", fields_of(then).dump());
  }
}

void check_effects_once(const final_state& end, findings& found) {
  std::map<std::size_t, std::vector<const journal_record*>> keyed;
  std::map<std::pair<std::size_t, std::uint16_t>, std::size_t> made;  // by request and context
  for (const auto& r : end.journal) {
    const auto number = asked::number_of(r.trace.trace_id);
    if (r.idempotency) keyed[number].push_back(&r);
    if (!r.compensating && !r.events.empty() && r.version == r.events.size()) ++made[{number, r.subject.context}];
  }
  for (const auto& a : end.requests) {
    const auto uses = keyed[a.number].size();
    found.expect(uses <= 1, "the key of request ", a.number, " was used for ", uses, " records");
    if (a.keyed && a.granted) {
      found.expect(uses == 1, "request ", a.number, " was granted, but no record has its key");
      if (uses == 1)
        found.expect(keyed[a.number].front()->subject.id == number_at_end(subject_of(a)), "request ", a.number, " was answered ",
                     subject_of(a), ", but its key's record is of another aggregate");
    }
    if (a.verb != method::post || a.sent != 1) continue;
    const auto* context = context_of(end, collection_of(a.path));
    if (context == nullptr) continue;
    const auto count = made[{a.number, context->index}];
    found.expect(count <= 1, "request ", a.number, " was sent once, and made ", count);
    found.expect(!a.granted || count == 1, "request ", a.number, " was granted, and made ", count);
  }
}

void check_messages_once(const final_state& end, findings& found) {
  std::map<storage::outbox_ref, int> settled;  // of all that was put
  std::map<std::pair<std::int64_t, storage::message_id>, int> fired;
  for (const auto& r : end.journal) {
    for (const auto& m : r.messages) {
      if (m.due_ms > 0)
        fired.try_emplace({m.due_ms, m.ref.id}, 0);
      else
        settled.try_emplace(m.ref, 0);
    }
    if (r.held) settled.try_emplace(r.hold_ref(), 0);
    for (const auto* refs : {&r.consumed, &r.confirmed})
      for (const auto& ref : *refs) {
        const auto at = settled.find(ref);
        found.expect(at != settled.end(), "record ", r.sequence, " settles message ", name_of(ref), ", which was never put");
        if (at != settled.end()) ++at->second;
      }
    for (const auto& f : r.fired) ++fired[f];
  }
  for (const auto& [ref, times] : settled)
    found.expect(times == 1, "message ", name_of(ref), " to ", end.system.contexts[ref.where.context].name, " was settled ", times,
                 " times");
  for (const auto& [timer, times] : fired)
    found.expect(times == 1, "timer ", timer.second.sequence, "-", timer.second.index, " went off ", times, " times");
}

void check_order(const final_state& end, findings& found) {
  using party = std::tuple<std::uint16_t, std::uint64_t, std::string>;
  const auto name = [](const storage::address& a) { return party{a.context, a.id, a.key}; };
  struct sent {
    std::pair<party, party> between;
    std::size_t place = 0;
  };
  std::map<storage::outbox_ref, sent> put;
  std::map<std::pair<party, party>, std::size_t> last;
  std::size_t place = 0;
  for (const auto& r : end.journal) {
    for (const auto& m : r.messages)
      if (m.due_ms == 0 && m.ref.where.partition != storage::notification_partition) put[m.ref] = {{name(m.from), name(m.to)}, ++place};
    if (r.died) continue;
    for (const auto& ref : r.consumed) {
      const auto at = put.find(ref);
      if (at == put.end()) continue;
      auto& before = last[at->second.between];
      found.expect(before < at->second.place, "message ", name_of(ref), " was consumed after a later one of the same sender");
      before = std::max(before, at->second.place);
    }
  }
}

void check_folds(const final_state& end, findings& found) {
  std::map<std::uint16_t, std::uint64_t> shown;
  for (const auto& [who, records] : by_aggregate(end)) {
    const auto& context = end.system.contexts[who.first];
    if (context.state == nullptr || !context.resource) continue;
    std::uint64_t version = 0;
    for (const auto* r : records) version += r->events.size();
    const auto folded = state_at(end, who, records, version);
    const auto row = end.door.get({false, who.first}, who.second);
    const bool there = version > 0 && !(context.gone && context.gone(folded.data()));
    if (there) ++shown[who.first];
    found.expect(row.has_value() == there, place_of(end, who), there ? " is not shown" : " is shown, but gone");
    if (!there || !row) continue;
    found.expect(row->version == version, place_of(end, who), " has version ", row->version, ", its journal leads to ", version);
    std::string kept, made;
    encode_fields(*context.state, row->row.data(), kept);
    encode_fields(*context.state, folded.data(), made);
    found.expect(kept == made, place_of(end, who), " is not the fold of its journal");
  }
  for (const auto& c : end.system.contexts) {
    if (!c.resource) continue;
    const auto total = end.door.list({false, c.index}, {})->total;
    found.expect(total == shown[c.index], c.resource->collection, " has ", total, " rows, the journal leads to ", shown[c.index]);
  }
}

// "hotel-975835de1c9756ce-19-1" → "19-1": sequence and index, behind system and history.
static std::string place_in_journal(const std::string& id) {
  const auto index = id.rfind('-');
  const auto sequence = index == std::string::npos || index == 0 ? std::string::npos : id.rfind('-', index - 1);
  return sequence == std::string::npos ? id : id.substr(sequence + 1);
}

void check_letters(const final_state& end, findings& found) {
  std::map<std::string, std::string> due, delivered;
  for (const auto& r : end.journal)
    for (const auto& m : r.messages)
      if (const auto* n = m.payload.as<notification>()) due[name_of(m.ref)] = n->to + ": " + n->text;
  for (const auto& l : end.letters) {
    const auto place = place_in_journal(l.id);
    delivered[place] = l.to + ": " + l.text;
    const auto at = due.find(place);
    if (at == due.end())
      found.add("notification ", l.id, " to ", l.to, " was delivered, but is not in the journal");
    else
      found.expect(at->second == delivered[place], "notification ", l.id, " was delivered as ", delivered[place]);
  }
  for (const auto& [id, text] : due) found.expect(delivered.contains(id), "notification ", id, " (", text, ") was not delivered");
}

void check_no_dead_letters(const final_state& end, findings& found) {
  for (const auto& r : end.journal)
    if (r.died) found.add("record ", r.sequence, " gives up ", r.died->message.payload.type().name, ": ", r.died->error);
}

void check_verify(const final_state& end, findings& found) {
  for (const auto& fault : storage::verify(end.store, end.system, [](const std::string&, std::uint64_t) {}).faults)
    found.add("verify: ", fault);
}

void check_everything(const final_state& end, findings& found) {
  for (const auto check : {check_acknowledged, check_effects_once, check_messages_once, check_order, check_folds, check_letters,
                           check_no_dead_letters, check_verify})
    check(end, found);
}

}  // namespace crema::sim
