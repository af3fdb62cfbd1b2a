#include "actors/journal.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/batch_thread.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {

// While a commit is under way, the next batch is put together in pieces of so many steps: each costs a wake-up.
constexpr std::size_t piece = 32;

// From so many steps on, a batch takes only half of what waits. All callers in one commit would leave the processor idle while it
// lasts, and the disk idle after it, for as long as they come and go together.
constexpr std::size_t undivided = 200;

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

}  // namespace

journal::journal(storage::store& store, std::size_t contexts, const runtime_settings& settings, const clock& time,
                 telemetry::metrics& metrics)
    : settings_(settings),
      time_(time),
      log_(store, settings.partitions, contexts),
      next_sequence_(log_.next_sequence()),
      durable_(log_.next_sequence()),
      batch_records_(metrics.make_histogram("crema_journal_batch_records", "Steps written by one commit",
                                            {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000})),
      commit_seconds_(
          metrics.make_histogram("crema_journal_commit_seconds", "Time of one commit, with its sync", telemetry::latency_bounds())) {}

journal::~journal() { stop(); }

std::shared_ptr<const storage::journal_record> journal::append(append_request request) {
  const bool has_record = request.record != nullptr;
  const auto record = has_record ? std::move(request.record) : std::make_shared<storage::journal_record>();
  if (has_record) request.derived.body = storage::encode_body(*record);
  std::condition_variable* sleeper = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || failed_) return nullptr;
    if (request.guard) {
      const auto at = epochs_.find(request.guard->where);
      if (at != epochs_.end() && at->second != request.guard->epoch) return nullptr;
    }
    record->sequence = has_record ? next_sequence_ : next_sequence_ - 1;
    if (has_record) {
      next_sequence_ += record->width();
      std::uint32_t index = 0;
      for (auto& m : record->messages) {
        m.ref.id = {record->sequence, ++index};
        if (m.causation == 0) m.causation = record->sequence;
      }
      if (record->held)
        for (auto& m : record->held->messages)
          if (m.causation == 0) m.causation = record->sequence;
      for (auto& row : request.derived.rows) storage::stamp_row(row.bytes, record->sequence);
      request.derived.record = record;
    }
    queue_.push_back({std::move(request.derived), std::move(request.outputs), request.lingers});
    depth_.fetch_add(1, std::memory_order_relaxed);
    const bool first = !std::exchange(waits_, true), hurried = hurries_;
    hurries_ = hurries_ || !request.lingers || queue_.size() >= undivided;
    if (first) linger_until_ = std::chrono::steady_clock::now() + settings_.linger;
    if (committer_sleeps_ && (first || hurries_ != hurried)) {
      committer_sleeps_ = false;
      sleeper = &committer_wakes_;
    } else if (committing_ && queue_.size() >= gatherer_wakes_at_) {
      gatherer_wakes_at_ = never;
      sleeper = &gatherer_wakes_;
    }
  }
  if (sleeper != nullptr) sleeper->notify_one();
  return record;
}

void journal::set_epoch(storage::lane where, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  epochs_[where] = epoch;
}

int journal::add_listener(listener l) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.emplace(++next_listener_, std::move(l));
  return next_listener_;
}

void journal::remove_listener(int id) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
}

void journal::start() {
  running_ = true;
  gatherer_ = std::thread([this] {
    storage::schedule_as_batch();
    gather_batches();
  });
  committer_ = std::thread([this] { commit_batches(); });
}

void journal::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  committer_wakes_.notify_one();
  if (committer_.joinable()) committer_.join();
  if (gatherer_.joinable()) gatherer_.join();
  running_ = false;
}

// While a commit is under way: the next batch, piece by piece.
void journal::gather_batches() {
  std::vector<queued> taken;
  std::vector<batch> spent;
  std::unique_lock lock(mutex_);
  const auto may_gather = [this] { return committing_ && !gathering_ && queue_.size() >= enough_for(open_); };
  for (;;) {
    gatherer_wakes_at_ = gathering_ ? never : enough_for(open_);
    gatherer_wakes_.wait(lock, [&] { return failed_ || committed_all_ || !spent_.empty() || may_gather(); });
    if (failed_ || committed_all_) break;
    spent.swap(spent_);
    const bool gathers = may_gather();
    if (gathers) {
      gathering_ = true;
      take_queue(taken, open_);
    }
    lock.unlock();
    spent.clear();
    const bool well = !gathers || gather(taken, open_);
    lock.lock();
    if (!gathers) continue;
    gathering_ = false;
    if (!well) break;
    if (!committing_) committer_wakes_.notify_one();
  }
  lock.unlock();
  drop_queue();
}

// Takes what has been gathered and adds what has come since: no other thread has to wake up for that.
void journal::commit_batches() {
  std::vector<queued> taken;
  std::unique_lock lock(mutex_);
  const auto something_waits = [this] { return open_.steps > 0 || !queue_.empty(); };
  for (;;) {
    committer_sleeps_ = true;
    committer_wakes_.wait(lock, [&] { return failed_ || (!gathering_ && (stopping_ || something_waits())); });
    committer_sleeps_ = true;
    committer_wakes_.wait_until(lock, linger_until_, [&] { return failed_ || stopping_ || hurries_; });
    committer_sleeps_ = false;
    if (failed_) return;
    if (!something_waits()) break;
    if (open_.steps == 0 && settings_.batch_wait.count() > 0)
      committer_wakes_.wait_for(lock, settings_.batch_wait, [this] { return stopping_; });
    committing_ = gathering_ = true;
    take_queue(taken, open_);
    waits_ = hurries_ = !queue_.empty();
    auto closed = std::exchange(open_, {});
    lock.unlock();
    if (!gather(taken, closed)) return;
    depth_.fetch_sub(closed.steps, std::memory_order_relaxed);
    lock.lock();
    gathering_ = false;
    gatherer_wakes_at_ = enough_for(open_);
    if (queue_.size() >= gatherer_wakes_at_) gatherer_wakes_.notify_one();
    lock.unlock();
    commit(closed);
    if (failed_) return;
    lock.lock();
    spent_.push_back(std::move(closed));
    committing_ = false;
    gatherer_wakes_.notify_one();
  }
  committed_all_ = true;
  gatherer_wakes_.notify_one();
}

std::size_t journal::room_in(const batch& open) const noexcept {
  const auto half = (open.steps + queue_.size()) / 2;
  const auto limit = std::min<std::size_t>(settings_.batch_items_max, std::max(undivided, half));
  return limit - std::min(open.steps, limit);
}

std::size_t journal::enough_for(const batch& open) const noexcept {
  if (open.steps >= settings_.batch_items_max) return never;
  return open.steps < undivided ? piece : open.steps + 2 * piece;  // from there on, half of it all has room for a piece
}

void journal::take_queue(std::vector<queued>& into, const batch& open) {
  const auto room = room_in(open);
  if (queue_.size() <= room) {
    into.swap(queue_);
  } else {
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(room);
    into.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
  }
}

bool journal::gather(std::vector<queued>& taken, batch& into) {
  try {
    for (auto& q : taken) {
      ++into.steps;
      if (q.item.record) into.records.push_back(q.item.record);
      auto& outputs = q.lingers ? into.unhurried : into.answers;
      outputs.insert(outputs.end(), std::make_move_iterator(q.outputs.begin()), std::make_move_iterator(q.outputs.end()));
      if (!q.item.record && q.item.rows.empty() && q.item.meta.empty()) continue;
      into.changes_disk = true;
      log_.gather(into.changes, std::move(q.item));
    }
  } catch (const std::exception& e) {
    fail(e.what());
    return false;
  }
  taken.clear();
  return true;
}

bool journal::pump() {
  std::vector<queued> taken;
  batch open;
  {
    const std::lock_guard lock(mutex_);
    if (failed_ || queue_.empty()) return false;
    take_queue(taken, open);
    depth_.fetch_sub(taken.size(), std::memory_order_relaxed);
  }
  if (gather(taken, open)) commit(open);
  return true;
}

void journal::commit(batch& b) {
  if (b.changes_disk) {
    const auto began_us = time_.steady_us();
    try {
      log_.write(b.changes);
    } catch (const std::exception& e) {
      fail(e.what());
      return;
    }
    commit_seconds_.observe(static_cast<double>(time_.steady_us() - began_us) / 1e6);
    batch_records_.observe(static_cast<double>(b.changes.size()));
  }
  publish(b);
}

void journal::drop_queue() {
  std::vector<queued> dropped;  // declared before the lock, so destroyed after it: their destructors may want to append
  std::vector<batch> spent;
  std::optional<batch> open;
  const std::lock_guard lock(mutex_);
  dropped.swap(queue_);
  spent.swap(spent_);
  if (!gathering_) open = std::exchange(open_, {});
  depth_.store(0, std::memory_order_relaxed);
}

void journal::fail(const std::string& why) {
  if (failed_.exchange(true)) return;
  telemetry::log(telemetry::level::error, "the journal could not be written; the node stops and recovers from what is on disk",
                 {{"reason", why}});
  drop_queue();
  gatherer_wakes_.notify_one();
  committer_wakes_.notify_one();
  if (on_failure_) on_failure_(why);
}

void journal::publish(batch& b) {
  const auto done = std::make_shared<committed_batch>();
  done->previous = durable_.load();
  done->records = std::move(b.records);
  done->next = done->records.empty() ? done->previous : done->records.back()->sequence + done->records.back()->width();
  durable_.store(done->next, std::memory_order_release);

  for (const auto& release : b.answers) release();
  for (const auto& release : b.unhurried) release();
  if (done->records.empty()) return;
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, tell] : listeners_) tell(done);
}

}  // namespace crema::actors
