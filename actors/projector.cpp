#include "actors/projector.hpp"

#include <caf/send.hpp>

#include "telemetry/log.hpp"

namespace crema::actors {

namespace {

constexpr std::size_t pending_batches_max = 256;  // more: let go, and read from the journal
constexpr std::size_t records_per_write = 2000;
constexpr milliseconds look_whether_over_every{50};
constexpr int rounds_between_writes = 16;  // of a busy journal

struct written {};
struct rested {};
struct read_on {};
struct look_whether_over {};

}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::rested)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::read_on)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::look_whether_over)

namespace crema::actors {

projector::projector(caf::actor_config& cfg, services& node, const context_declaration& context, std::uint64_t epoch,
                     std::shared_ptr<projection_failures> failures)
    : base_actor(cfg),
      node_(node),
      context_(context),
      guard_{{context.index, storage::view_partition}, epoch},
      failures_(std::move(failures)) {}

caf::behavior projector::make_behavior() {
  // A weak handle: the listener must not keep a stopped projector alive.
  const auto self = caf::actor_cast<caf::actor_addr>(this);
  listener_ = node_.log.add_listener([self](const committed_batch_ptr& b) {
    if (const auto target = caf::actor_cast<caf::actor>(self)) caf::anon_send(target, b);
  });
  // What a predecessor appended last is durable once this passes: only then does the checkpoint tell where to go on.
  append_request barrier;
  barrier.guard = guard_;
  const auto me = caf::actor_cast<caf::actor>(this);
  barrier.outputs.push_back([me] { caf::anon_send(me, read_on{}); });
  (void)node_.log.append(std::move(barrier));
  return {
      [this](committed_batch_ptr& b) { take(std::move(b)); },
      [this](written) {
        rounds_left_ = behind_ ? 0 : rounds_between_writes;
        rest();
      },
      [this](rested) { rest(); },
      [this](read_on) { work(); },
      [this](look_whether_over) {
        if (node_.faults.lasts(stalled_by_, node_.time.steady_ms())) {
          delayed_send(this, look_whether_over_every, look_whether_over{});
        } else {
          stalled_by_ = 0;
          work();
        }
      },
  };
}

void projector::on_exit() {
  node_.log.remove_listener(listener_);
  pending_.clear();
  views_.reset();  // with the snapshot that it may have: this actor may be referred to for long
}

void projector::load() {
  views_ = std::make_unique<storage::projection>(node_.system, context_.index, node_.store, node_.types);
  for (const auto& [sequence, times] : *failures_)
    if (times >= node_.settings.poison_attempts) views_->skip(sequence);
  views_->on_shown([this](const storage::journal_record& r) {
    if (!reading_ && r.trace.sampled) record_shown(r, false);  // catching up tells of what is long over
  });
}

void projector::take(committed_batch_ptr batch) {
  if (!reading_) {
    pending_.push_back(std::move(batch));
    if (pending_.size() > pending_batches_max) {
      pending_.clear();
      reading_ = true;
    }
  }
  if (views_) work();
}

void projector::work() {
  if (writing_ || stalled()) return;
  try {
    if (!views_) load();
    behind_ = reading_ ? apply_from_journal() : apply_live();
    write();
    if (behind_ && !writing_) send(this, read_on{});
  } catch (const std::exception& e) {
    // The supervisor starts a new one from the last checkpoint; a record that fails too often is left out of the views.
    telemetry::log(telemetry::level::warn, "a view could not take in an event", {{"context", context_.name}, {"error", e.what()}});
    quit(caf::sec::runtime_error);
  }
}

bool projector::stalled() {
  if (stalled_by_ != 0 || !node_.faults.watching()) return stalled_by_ != 0;
  if (const auto hit = node_.faults.at_projector(context_.index, node_.time.steady_ms())) {
    stalled_by_ = hit->fault;
    delayed_send(this, look_whether_over_every, look_whether_over{});
  }
  return stalled_by_ != 0;
}

bool projector::apply_live() {
  std::size_t n = 0;
  while (!pending_.empty() && n < records_per_write) {
    const auto batch = std::move(pending_.front());
    pending_.pop_front();
    for (const auto& r : batch->records) apply(r);
    n += batch->records.size();
  }
  return !pending_.empty();
}

bool projector::apply_from_journal() {
  const auto now = node_.store.read();
  storage::log_reader log(*now, views_->position());
  std::size_t n = 0;
  while (const auto raw = log.next()) {
    if (raw->sequence < views_->position()) continue;
    apply(std::make_shared<storage::journal_record>(storage::decode_body(raw->sequence, raw->partition, raw->body, node_.types)));
    if (++n == records_per_write) return true;
  }
  // A batch that is not in this snapshot is told of after it: its message is still to be handled, so none falls in between.
  reading_ = false;
  return false;
}

void projector::apply(const std::shared_ptr<const storage::journal_record>& r) {
  began_us_ = node_.time.steady_us();
  try {
    views_->apply(r);
  } catch (const std::exception& e) {
    record_shown(*r, true);
    auto& times = (*failures_)[r->sequence];
    if (++times == node_.settings.poison_attempts)
      telemetry::log(telemetry::level::error,
                     "an event is left out of the views; mend the projection, then run: crema verify --rebuild-views",
                     {{"context", context_.name}, {"offset", std::to_string(r->sequence)}, {"error", e.what()}});
    throw;
  }
}

void projector::record_shown(const storage::journal_record& r, bool failed) {
  auto own = r.trace;
  own.span_id = {};
  const auto what = r.events.empty() ? std::string_view("record") : r.events.front().type().name;
  node_.record_span({"view", what, context_.index, r.subject.id, own, r.trace.span_id, began_us_, 0, failed});
}

void projector::write() {
  auto item = views_->take();
  if (!item) return;
  append_request request;
  request.guard = guard_;
  request.derived = std::move(*item);
  request.lingers = true;
  const auto self = caf::actor_cast<caf::actor>(this);
  request.outputs.push_back([self] { caf::anon_send(self, written{}); });
  writing_ = true;
  if (!node_.log.append(std::move(request))) quit();
}

// Under load one write covers the events of several commits: rows that change together are written together. An idle journal is
// not waited for, and who has fallen behind does not rest.
void projector::rest() {
  if (rounds_left_ > 0 && node_.log.depth() > 0) {
    --rounds_left_;
    append_request round;
    round.lingers = true;
    const auto self = caf::actor_cast<caf::actor>(this);
    round.outputs.push_back([self] { caf::anon_send(self, rested{}); });
    if (!node_.log.append(std::move(round))) quit();
    return;
  }
  writing_ = false;
  work();
}

}  // namespace crema::actors
