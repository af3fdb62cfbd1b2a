#include "actors/journal.hpp"

#include <algorithm>

#include "telemetry/log.hpp"

namespace crema::actors {

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
  auto record = std::make_shared<storage::journal_record>();
  const bool has_record = request.record.has_value();
  if (has_record) {
    *record = std::move(*request.record);
    request.derived.body = storage::encode_body(*record);
  }
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
    queue_.push_back({std::move(request.derived), std::move(request.outputs)});
    depth_.store(queue_.size(), std::memory_order_relaxed);
    if (!waiting_) return record;
    waiting_ = false;
  }
  wake_.notify_one();
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
  thread_ = std::thread([this] { run(); });
}

void journal::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  running_ = false;
}

void journal::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      waiting_ = true;
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      waiting_ = false;
      if (queue_.empty() || failed_) return;
      if (settings_.batch_wait.count() > 0 && !stopping_) wake_.wait_for(lock, settings_.batch_wait, [this] { return stopping_; });
    }
    (void)pump();
  }
}

bool journal::pump() {
  std::vector<queued> batch;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty() || failed_) return false;
    if (queue_.size() <= settings_.batch_items_max) {
      batch.swap(queue_);
    } else {
      const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(settings_.batch_items_max);
      batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
      queue_.erase(queue_.begin(), end);
    }
    depth_.store(queue_.size(), std::memory_order_relaxed);
  }
  write(batch);
  return true;
}

void journal::write(std::vector<queued>& batch) {
  const auto changes_disk = [](const queued& q) { return q.item.record != nullptr || !q.item.rows.empty() || !q.item.meta.empty(); };
  if (std::any_of(batch.begin(), batch.end(), changes_disk)) {
    std::vector<storage::commit_item> items;
    items.reserve(batch.size());
    for (auto& q : batch) items.push_back(std::move(q.item));
    const auto began_us = time_.steady_us();
    try {
      log_.write(items);
    } catch (const std::exception& e) {
      fail(e.what());
      return;
    }
    commit_seconds_.observe(static_cast<double>(time_.steady_us() - began_us) / 1e6);
    batch_records_.observe(static_cast<double>(items.size()));
    for (std::size_t i = 0; i < items.size(); ++i) batch[i].item.record = std::move(items[i].record);
  }
  publish(batch);
}

void journal::drop_queue() {
  std::vector<queued> dropped;  // declared before the lock, so destroyed after it: their destructors may want to append
  const std::lock_guard lock(mutex_);
  dropped.swap(queue_);
  depth_.store(0, std::memory_order_relaxed);
}

void journal::fail(const std::string& why) {
  failed_ = true;
  telemetry::log(telemetry::level::error, "the journal could not be written; the node stops and recovers from what is on disk",
                 {{"reason", why}});
  drop_queue();
  if (on_failure_) on_failure_(why);
}

void journal::publish(const std::vector<queued>& batch) {
  const auto done = std::make_shared<committed_batch>();
  done->previous = durable_.load();
  for (const auto& q : batch)
    if (q.item.record) done->records.push_back(q.item.record);
  done->next = done->records.empty() ? done->previous : done->records.back()->sequence + done->records.back()->width();
  durable_.store(done->next, std::memory_order_release);

  for (const auto& q : batch)
    for (const auto& release : q.outputs) release();
  if (done->records.empty()) return;
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, tell] : listeners_) tell(done);
}

}  // namespace crema::actors
