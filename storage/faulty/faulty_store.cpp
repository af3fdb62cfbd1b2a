#include "storage/faulty/faulty_store.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>

#include "storage/wrapping_store.hpp"

namespace crema::storage {

namespace {

[[noreturn]] void fail(storage_errc code, const char* doing) {
  throw storage_error(code, std::string("Cannot ") + doing + ": a failure was injected; end the fault injection.");
}

class faulty_transaction final : public transaction {
 public:
  faulty_transaction(std::unique_ptr<transaction> inner, std::shared_ptr<fault_plan> plan, std::atomic<bool>& broken)
      : inner_(std::move(inner)), plan_(std::move(plan)), broken_(broken) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override { return live().get(t, key); }
  std::unique_ptr<cursor> open(table t) const override { return live().open(t); }
  std::uint64_t count(table t) const override { return live().count(t); }

  void put(table t, std::string_view key, std::string_view value) override {
    pass(write_operation::put, "write");
    live().put(t, key, value);
  }
  bool erase(table t, std::string_view key) override {
    pass(write_operation::erase, "erase");
    return live().erase(t, key);
  }
  void commit() override {
    if (failed_) {
      inner_.reset();
      fail(*failed_, "commit after a failed write");
    }
    const auto v = plan_->next(write_operation::commit);
    if (!v.failure || v.kept) live().commit();
    if (!v.failure) return;
    if (*v.failure == storage_errc::io) broken_ = true;
    inner_.reset();  // lets go of the writer's place, as a failed commit does
    fail(*v.failure, "commit");
  }

 private:
  transaction& live() const {
    if (!inner_) throw std::logic_error("a transaction is used after its end");
    return *inner_;
  }
  void pass(write_operation op, const char* doing) {
    const auto v = plan_->next(op);
    if (!v.failure) return;
    failed_ = v.failure;
    fail(*v.failure, doing);
  }

  std::unique_ptr<transaction> inner_;
  std::shared_ptr<fault_plan> plan_;
  std::atomic<bool>& broken_;
  std::optional<storage_errc> failed_;
};

class faulty_store final : public wrapping_store {
 public:
  faulty_store(std::shared_ptr<store> below, std::shared_ptr<fault_plan> plan) : wrapping_store(std::move(below)), plan_(std::move(plan)) {}

  std::unique_ptr<transaction> write() override {
    if (broken_) fail(storage_errc::io, "begin to write after a failed commit");
    return std::make_unique<faulty_transaction>(below_->write(), plan_, broken_);
  }
  shortage short_of() const noexcept override { return plan_->leaves_room() ? below_->short_of() : shortage::disk; }

 private:
  std::shared_ptr<fault_plan> plan_;
  std::atomic<bool> broken_ = false;
};

}  // namespace

fault_plan::fault_plan(std::uint64_t seed, sleeper sleep) : random_(seed), sleep_(std::move(sleep)) {
  if (!sleep_) sleep_ = [](std::chrono::milliseconds d) { std::this_thread::sleep_for(d); };
}

void fault_plan::fail_nth(write_operation op, std::uint64_t nth, storage_errc code, failed_commit after) {
  const std::lock_guard guard(mutex_);
  faults_.push_back({op, nth, code, after});
}

void fault_plan::fail_nth(std::uint64_t nth, storage_errc code, failed_commit after) {
  const std::lock_guard guard(mutex_);
  faults_.push_back({std::nullopt, nth, code, after});
}

void fault_plan::fail_all(storage_errc code) {
  const std::lock_guard guard(mutex_);
  all_ = code;
}

void fault_plan::delay_commits(std::chrono::milliseconds shortest, std::chrono::milliseconds longest) {
  const std::lock_guard guard(mutex_);
  shortest_ = shortest;
  longest_ = std::max(shortest, longest);
}

void fault_plan::leave_room(bool yes) { room_ = yes; }
bool fault_plan::leaves_room() const noexcept { return room_; }

void fault_plan::advise(commit_adviser ask) {
  const std::lock_guard guard(mutex_);
  ask_ = std::move(ask);
}

void fault_plan::on_torn(std::function<void()> die) {
  const std::lock_guard guard(mutex_);
  die_ = std::move(die);
}

void fault_plan::clear() {
  const std::lock_guard guard(mutex_);
  faults_.clear();
  all_.reset();
  shortest_ = longest_ = std::chrono::milliseconds(0);
  room_ = true;
}

std::uint64_t fault_plan::operations() const {
  const std::lock_guard guard(mutex_);
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t fault_plan::operations(write_operation op) const {
  const std::lock_guard guard(mutex_);
  return counts_[static_cast<std::size_t>(op)];
}

fault_plan::verdict fault_plan::next(write_operation op) {
  std::unique_lock guard(mutex_);
  ++counts_[static_cast<std::size_t>(op)];
  auto v = strike(op);
  auto delay = delay_of(op);
  if (op == write_operation::commit && ask_) delay += follow(ask_(), v);
  guard.unlock();  // a slow commit must not hold up who changes the plan
  if (delay.count() > 0) sleep_(delay);
  return v;
}

std::chrono::milliseconds fault_plan::follow(const commit_fault& a, verdict& v) {
  if (a.failure) v = {a.failure, false};
  if (a.torn) v = {storage_errc::io, die_ ? true : random_() % 2 == 0};
  if (a.torn && die_) die_();
  return a.delay;
}

fault_plan::verdict fault_plan::strike(write_operation op) {
  verdict v{all_, false};
  for (auto& f : faults_) {
    if (f.left == 0 || (f.op && *f.op != op) || --f.left > 0) continue;
    v.failure = f.code;
    const bool may_be_kept = op == write_operation::commit && f.code == storage_errc::io;
    v.kept = may_be_kept && (f.after == failed_commit::kept || (f.after == failed_commit::by_seed && random_() % 2 == 0));
  }
  return v;
}

std::chrono::milliseconds fault_plan::delay_of(write_operation op) {
  if (op != write_operation::commit || longest_.count() == 0) return std::chrono::milliseconds(0);
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::chrono::milliseconds::rep>(shortest_.count(), longest_.count())(random_));
}

std::unique_ptr<store> make_faulty_store(std::shared_ptr<store> inner, std::shared_ptr<fault_plan> plan) {
  return std::make_unique<faulty_store>(std::move(inner), std::move(plan));
}

}  // namespace crema::storage
