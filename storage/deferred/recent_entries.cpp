#include "storage/deferred/recent_entries.hpp"

#include <algorithm>
#include <iterator>

namespace crema::storage {

namespace {

std::optional<std::string> owned(const std::optional<std::string_view>& value) {
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

}  // namespace

std::uint64_t recent_entries::number_at(std::string_view k, std::size_t at) noexcept {
  std::uint64_t n = 0;  // a key that ends earlier sorts before its longer kin: as if zeros followed, then by its text
  for (std::size_t i = at; i < at + 8; ++i) n = n << 8U | (i < k.size() ? static_cast<std::uint8_t>(k[i]) : 0U);
  return n;
}

// Counted first, then looked again: a commit that was published meanwhile may have let go of what this reader would need.
std::uint64_t reader_count::enter() noexcept {
  for (;;) {
    const auto commit = published_.load();
    auto& here = readers_[commit % places];
    here.fetch_add(1);
    if (published_.load() == commit) return commit;
    here.fetch_sub(1);
  }
}

void reader_count::leave(std::uint64_t entered) noexcept { readers_[entered % places].fetch_sub(1); }

std::uint64_t reader_count::oldest() noexcept {
  const auto last = published_.load();
  while (oldest_ < last && readers_[oldest_ % places].load() == 0) ++oldest_;
  return oldest_;
}

bool recent_entries::empty() const {
  const std::shared_lock lock(mutex_);
  return entries_.empty();
}

void recent_entries::history::set(std::string_view key, std::optional<std::string_view> value) {
  const auto size = value ? value->size() : 0;
  auto text = std::make_unique_for_overwrite<char[]>(key.size() + size);
  std::copy(key.begin(), key.end(), text.get());
  if (value) std::copy(value->begin(), value->end(), text.get() + key.size());
  text_ = std::move(text);
  key_size_ = static_cast<std::uint16_t>(key.size());
  value_size_ = static_cast<std::uint32_t>(size);
  erased_ = !value;
}

void recent_entries::history::replace(const std::optional<std::string_view>& value, std::uint64_t commit) {
  set(key(), value);
  commit_ = commit;
}

std::optional<recent_entries::seen_value> recent_entries::seen(const history& h, std::uint64_t at) noexcept {
  if (h.commit() <= at) return h.value();
  if (!h.earlier) return std::nullopt;
  for (auto v = h.earlier->rbegin(); v != h.earlier->rend(); ++v)
    if (v->commit <= at) return v->value ? seen_value(*v->value) : seen_value();
  return std::nullopt;
}

std::optional<std::optional<std::string>> recent_entries::find(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  const auto found = entries_.find(sort_view(key));
  if (found == entries_.end()) return std::nullopt;
  const auto v = seen(*found->what, at);
  return v ? std::optional(owned(*v)) : std::nullopt;
}

std::optional<recent_entries::entry> recent_entries::first_seen(histories::const_iterator from, std::uint64_t at) const {
  for (; from != entries_.end(); ++from)
    if (const auto v = seen(*from->what, at)) return entry{from->what->key(), owned(*v)};
  return std::nullopt;
}

std::optional<recent_entries::entry> recent_entries::first_from(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  return first_seen(entries_.lower_bound(sort_view(key)), at);
}

std::optional<recent_entries::entry> recent_entries::first_after(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  return first_seen(entries_.upper_bound(sort_view(key)), at);
}

std::optional<recent_entries::entry> recent_entries::last_before(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  for (auto from = entries_.lower_bound(sort_view(key)); from != entries_.begin();) {
    --from;
    if (const auto v = seen(*from->what, at)) return entry{from->what->key(), owned(*v)};
  }
  return std::nullopt;
}

// ---- the writer

std::vector<recent_entries::place> recent_entries::run_after(std::string_view after, std::size_t count, const key_changes& changing) {
  std::vector<place> run;  // no lock: nobody else changes entries_
  auto changed = changing.upper_bound(after);
  for (auto at = entries_.upper_bound(sort_view(after)); at != entries_.end() && run.size() < count; ++at) {
    auto& h = *at->what;
    while (changed != changing.end() && changed->first < h.key()) ++changed;
    const bool replaced = changed != changing.end() && changed->first == h.key();
    if (h.moved == 0 && !replaced) run.push_back(&h);
  }
  return run;
}

// The first entry that is not before `sought`. One change often follows right behind the last: what one customer's rows add lies together.
recent_entries::histories::iterator recent_entries::first_from(const sort_view& sought, histories::iterator behind) {
  const auto before = [&](histories::iterator p) { return p != entries_.end() && by_bytes()(*p, sought); };
  if (!before(behind)) return entries_.lower_bound(sought);
  const auto next = std::next(behind);
  return before(next) ? entries_.lower_bound(sought) : next;
}

void recent_entries::prepare(const key_changes& changes) {
  const auto oldest = readers_.oldest(), commit = published() + 1;
  const std::lock_guard lock(mutex_);
  auto at = entries_.end();
  for (const auto& [key, value] : changes) {
    const sort_view sought(key);
    at = first_from(sought, at);
    if (at == entries_.end() || by_bytes()(sought, *at)) {
      at = entries_.emplace_hint(at, sought, std::make_unique<history>(key, value, commit));
      ++unmoved_;
      continue;
    }
    auto& h = *at->what;
    if (h.moved != 0) ++unmoved_;
    h.moved = 0;
    if (!h.earlier) h.earlier = std::make_unique<std::vector<version>>();
    auto& earlier = *h.earlier;
    earlier.push_back({h.commit(), owned(h.value())});
    h.replace(value, commit);
    // Of the versions that every reader is past, the newest is enough.
    const auto newer = std::find_if(earlier.begin(), earlier.end(), [&](const version& v) { return v.commit > oldest; });
    if (newer != earlier.begin()) earlier.erase(earlier.begin(), std::prev(newer));
  }
}

void recent_entries::take_back(const key_changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, value] : changes) {
    const auto at = entries_.find(sort_view(key));
    auto& h = *at->what;
    if (h.earlier && !h.earlier->empty()) {
      const auto& before = h.earlier->back();
      h.replace(before.value, before.commit);
      h.earlier->pop_back();
    } else {
      entries_.erase(at);
      --unmoved_;
    }
  }
}

void recent_entries::publish(const std::vector<place>& moved) {
  const auto commit = published() + 1;
  {
    const std::lock_guard lock(mutex_);
    for (const auto at : moved) at->moved = commit;
  }
  for (const auto at : moved) forgettable_.emplace_back(commit, at);
  unmoved_ -= moved.size();
  readers_.publish(commit);
  forget_moved();
}

void recent_entries::load(std::string_view key, std::optional<std::string_view> value, std::uint64_t commit) {
  const sort_view sought(key);
  const auto at = entries_.lower_bound(sought);
  if (at == entries_.end() || by_bytes()(sought, *at))
    entries_.emplace_hint(at, sought, std::make_unique<history>(key, value, commit));
  else
    at->what->replace(value, commit);
}

void recent_entries::begin(std::uint64_t commit) {
  unmoved_ = entries_.size();
  readers_.publish(commit);
}

// What every reader finds in its place. One commit's moves lie side by side.
void recent_entries::forget_moved() {
  const auto oldest = readers_.oldest();
  if (forgettable_.empty() || forgettable_.front().first > oldest) return;
  const std::lock_guard lock(mutex_);
  auto next = entries_.end();
  for (; !forgettable_.empty() && forgettable_.front().first <= oldest; forgettable_.pop_front()) {
    const auto& [commit, what] = forgettable_.front();
    if (what->moved != commit) continue;
    if (next == entries_.end() || next->what.get() != what) next = entries_.find(sort_view(what->key()));
    next = entries_.erase(next);
  }
}

}  // namespace crema::storage
