#include "actors/housekeeper.hpp"

#include "storage/layout.hpp"
#include "storage/log.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {
constexpr milliseconds look_every{5000};
// What one commit may have to carry beside the orders' own.
constexpr std::size_t keys_per_look = 1000;
// Where so large a part of them is over, the next are looked at at once: keys go as fast as they come, whatever their rate, and the table
// is never much larger than what it has to keep.
constexpr std::size_t in_a_hurry = 4;
struct look_after {};
struct keys_forgotten {
  bool go_on;
};

// One that cannot be read stays, and those behind it are looked at.
bool is_older(const storage::cursor& at, std::int64_t than_ms) {
  try {
    return storage::decode_idempotency(at.value()).at.ms < than_ms;
  } catch (const std::exception& e) {
    telemetry::log(telemetry::level::error, "an answer kept under an idempotency key cannot be read", {{"error", e.what()}});
    return false;
  }
}
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::look_after)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::keys_forgotten)

namespace crema::actors {

housekeeper::housekeeper(caf::actor_config& cfg, services& node) : base_actor(cfg), node_(node) {}

caf::behavior housekeeper::make_behavior() {
  delayed_send(this, look_every, look_after{});
  return {[this](look_after) {
            if (!forgetting_) forget_keys();
            look_for_room();
            trim_when_idle();
            delayed_send(this, look_every, look_after{});
          },
          [this](keys_forgotten some) {
            forgetting_ = false;
            if (some.go_on) forget_keys();
          }};
}

// In the order of the keys, which is that of no time: all of them are looked at, some at a time, and what goes together lies together.
void housekeeper::forget_keys() {
  const auto oldest_ms = node_.time.wall().ms - node_.settings.idempotency_ttl.count();
  append_request request;
  auto& forgotten = request.derived.idempotency_erase;
  std::size_t looked_at = 0;
  {
    const auto now = node_.store.read();
    const auto at = now->open(storage::table::idempotency);
    bool there = at->seek(looked_up_to_);
    for (; there && looked_at < keys_per_look; ++looked_at, there = at->next()) {
      looked_up_to_ = std::string(at->key()) + '\0';
      if (is_older(*at, oldest_ms)) forgotten.emplace_back(at->key());
    }
    if (!there) looked_up_to_.clear();
  }
  if (forgotten.empty()) return;
  const keys_forgotten some{forgotten.size() * in_a_hurry >= looked_at};
  request.derived.idempotency_before = {oldest_ms};
  request.derived.meta.emplace_back(storage::forgotten_key(), storage::number_key(static_cast<std::uint64_t>(oldest_ms)));
  request.lingers = true;
  request.outputs.push_back([self = caf::actor_cast<caf::actor>(this), some] { caf::anon_send(self, some); });
  forgetting_ = node_.log.append(std::move(request)) != nullptr;
}

void housekeeper::look_for_room() {
  node_.store.make_room();
  const auto now = node_.store.short_of();
  if (now == short_of_) return;
  short_of_ = now;
  switch (now) {
    case storage::shortage::none: return telemetry::log(telemetry::level::info, "there is room for more again; requests are taken");
    case storage::shortage::disk:
      return telemetry::log(telemetry::level::error,
                            "the disk has no room for more: requests are refused, and what is under way goes on; make room on it, see "
                            "data.reserveBytes");
    case storage::shortage::limit:
      return telemetry::log(telemetry::level::error,
                            "the data file may hardly grow any more: requests are refused, and what is under way goes on; raise "
                            "data.mapBytesMax and start again");
  }
}

void housekeeper::trim_when_idle() {
  const auto end = node_.log.durable();
  if (end == seen_ && !trimmed_) node_.store.trim();
  trimmed_ = end == seen_;
  seen_ = end;
}

}  // namespace crema::actors
