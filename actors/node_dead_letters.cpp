// The dead letters of a node: which there are, which of them may be sent again, and how.
#include <nlohmann/json.hpp>

#include "actors/node_parts.hpp"
#include "behaviors/core/json.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::actors {

using nlohmann::json;
using storage::letter_kind;

namespace {

json fields_of(const value& v) {
  std::string text = "{";
  append_json_fields(text, v.type(), v.data());
  return json::parse(text + "}");
}

std::string_view name_of(letter_kind k) noexcept {
  constexpr std::string_view names[] = {"message", "request", "ask"};
  return names[static_cast<std::size_t>(k)];
}

rejection refused(std::uint64_t id, const std::string& why) {
  return {rejection_kind::conflict, "Dead letter " + std::to_string(id) + " cannot be replayed: " + why, {}, 0};
}

constexpr const char* key_answered = "its Idempotency-Key has been answered since; the caller has asked again.";

std::string key_of(const idempotency_key& k) { return {reinterpret_cast<const char*>(k.key.data()), k.key.size()}; }

}  // namespace

// Sent again, a request or an ask may do what its caller has had done since, by asking again.
std::optional<std::string> node::parts::why_given_up(const storage::dead_letter& letter) const {
  if (letter.was == letter_kind::message) return std::nullopt;
  if (letter.was == letter_kind::ask) return "it is an ask, whose asker was answered and whose chain was undone.";
  if (!letter.idempotency) return "it is a request without an Idempotency-Key, so nobody knows whether its caller has asked again.";
  const auto now = given.store->read();
  const auto known_since =
      std::max(given.time->wall().ms - settings.idempotency_ttl.count(),
               static_cast<std::int64_t>(storage::read_number(*now, storage::table::meta, storage::forgotten_key()).value_or(0)));
  if (letter.at.ms < known_since)
    return "its Idempotency-Key is older than runtime.idempotencyHours, so nobody knows whether its caller has asked again.";
  try {
    if (now->get(storage::table::idempotency, key_of(*letter.idempotency))) return key_answered;
  } catch (const std::exception& e) { return std::string("what was answered under its Idempotency-Key cannot be read: ") + e.what(); }
  return std::nullopt;
}

json node::dead_letters() const {
  constexpr int listed_max = 1000;
  const auto& p = *parts_;
  json all = json::array();
  const auto now = p.given.store->read();
  const auto at = now->open(storage::table::deadletters);
  for (bool there = at->seek({}); there && all.size() < listed_max; there = at->next()) {
    const auto d = storage::decode_dead_letter(at->value(), p.shared->types);
    const auto given_up = p.why_given_up(d);
    auto& j = all.emplace_back(json{{"id", storage::tail_number(at->key())},
                                    {"context", p.given.system->contexts[d.message.to.context].name},
                                    {"aggregate", d.message.to.id},
                                    {"kind", name_of(d.was)},
                                    {"message", d.message.payload.type().name},
                                    {"fields", fields_of(d.message.payload)},
                                    {"state", given_up ? "given up" : "replayable"},
                                    {"error", d.error},
                                    {"attempts", d.attempts},
                                    {"at", to_iso_text(d.at)},
                                    {"traceId", trace_id_text(d.message.trace)}});
    if (given_up) j["reason"] = *given_up;
  }
  return all;
}

void node::settle_dead_letter(std::uint64_t id, bool replay, std::function<void(std::optional<rejection>)> done) {
  auto& p = *parts_;
  std::optional<storage::dead_letter> letter;
  {
    const auto now = p.given.store->read();  // the bytes die with it
    if (const auto bytes = now->get(storage::table::deadletters, storage::number_key(id)))
      letter = storage::decode_dead_letter(*bytes, p.shared->types);
  }
  if (!letter) {
    done(rejection::not_found("There is no dead letter " + std::to_string(id) + "."));
    return;
  }
  if (replay)
    if (const auto why = p.why_given_up(*letter)) {
      done(refused(id, *why));
      return;
    }
  {
    const std::lock_guard lock(p.letters_mutex);
    if (!p.letters_settled.insert(id).second) {
      done(rejection::not_found("Dead letter " + std::to_string(id) + " is being settled already."));
      return;
    }
  }
  auto settled = [&p, id, tell = std::move(done)](std::optional<rejection> why) {
    if (why) {
      const std::lock_guard lock(p.letters_mutex);
      p.letters_settled.erase(id);
    }
    tell(std::move(why));
  };
  if (replay && letter->was == letter_kind::request)
    p.replay_request(id, *letter, std::move(settled));
  else
    p.take_away(id, *letter, replay, std::move(settled));
}

// Dropped, or sent again by the record that takes it away.
void node::parts::take_away(std::uint64_t id, const storage::dead_letter& letter, bool replay,
                            std::function<void(std::optional<rejection>)> done) {
  storage::journal_record r;
  r.at = given.time->wall();
  r.subject = letter.message.to;
  // As its notifier's records: a notification is in no partition. Its receiver knows it again by the id that it had.
  const bool is_notification = letter.message.ref.where.partition == storage::notification_partition;
  r.partition = is_notification ? 0 : letter.message.ref.where.partition;
  r.causation = letter.message.causation;
  r.correlation = letter.message.correlation;
  r.trace = letter.message.trace;
  r.revived.push_back(id);
  if (replay) {
    r.messages.push_back(letter.message);
    if (is_notification) r.messages.back().first_id = letter.message.known_as();
  }
  append_request request;
  request.record = std::make_shared<storage::journal_record>(std::move(r));
  request.outputs.push_back([done] { done(std::nullopt); });
  const auto written = log->append(std::move(request));
  if (!written) {
    done(rejection{rejection_kind::stopped, "The node is stopping.", {}, 1000});
    return;
  }
  for (const auto& m : written->messages) shared->dispatch(m);
}

// As its caller sent it, under its key: who sends the same meanwhile waits for this answer, and the record that answers it takes the
// letter away.
void node::parts::replay_request(std::uint64_t id, const storage::dead_letter& letter, std::function<void(std::optional<rejection>)> done) {
  const auto key = *letter.idempotency;
  if (!desk.enter_alone(key)) {
    done(refused(id, "a request with its Idempotency-Key is being handled."));
    return;
  }
  auto settle = [this, key, done](command_answer a) {
    for (const auto& also : desk.leave(key)) {
      auto copy = a;
      copy.replayed = !copy.refused;
      also(std::move(copy));
    }
    done(std::move(a.refused));
  };
  // Looked up again only now that no other request with this key is under way.
  command_request asked;
  asked.idempotency = key;
  if (auto before = answered_before(asked)) {
    for (const auto& also : desk.leave(key)) also(*before);
    done(refused(id, key_answered));
    return;
  }
  asked.context = letter.message.to.context;
  if (auto why = overload(asked)) {
    settle({std::move(*why), {}, false});
    return;
  }
  auto d = std::make_shared<delivery>();
  d->node = shared.get();
  d->kind = delivery_kind::request;
  d->to = letter.message.to;
  d->payload = letter.message.payload;
  d->creates = letter.creates;
  d->expected_version = letter.expected_version;
  d->idempotency = key;
  d->replays = id;
  d->causation = letter.message.causation;
  d->correlation = letter.message.correlation;
  d->trace = letter.message.trace;
  submit(std::move(d), asked.time_limit, std::move(settle));
}

}  // namespace crema::actors
