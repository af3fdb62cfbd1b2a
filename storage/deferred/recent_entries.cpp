#include "storage/deferred/recent_entries.hpp"

#include <algorithm>
#include <iterator>

namespace crema::storage {

namespace {

std::optional<std::string> owned(const std::optional<std::string_view>& value) {
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

constexpr std::size_t chunk_max = 64;  // entries

}  // namespace

std::uint64_t recent_entries::number_at(std::string_view k, std::size_t at) noexcept {
  const auto part = k.substr(std::min(at, k.size()), 8);
  std::uint64_t n = 0;
  for (const char c : part) n = n << 8U | static_cast<std::uint8_t>(c);
  // A key that ends earlier sorts before its longer kin: as if zeros followed, then by its text.
  return part.empty() ? 0 : n << (8U * (8 - part.size()));
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

recent_entries::recent_entries() { chunks_.insert(ref(entry_chunk(std::string_view()))); }

bool recent_entries::empty() const {
  const std::shared_lock lock(mutex_);
  return chunks_.size() == 1 && chunks_.begin()->what->empty();
}

// The chunk to which a key belongs.
template <class Chunks>
auto recent_entries::chunk_of(Chunks& all, std::string_view key) {
  return std::prev(all.upper_bound(sort_view(key)));
}

std::optional<recent_entries::seen_value> recent_entries::seen(const entry_chunk& c, std::size_t i, std::uint64_t at) const {
  if (c[i].commit <= at) return c.value(i);
  if (!c[i].has_earlier) return std::nullopt;
  const auto& earlier = earlier_.at(std::string(c.key(i)));
  for (auto v = earlier.rbegin(); v != earlier.rend(); ++v)
    if (v->commit <= at) return v->value ? seen_value(*v->value) : seen_value();
  return std::nullopt;
}

std::optional<std::optional<std::string>> recent_entries::find(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  const auto& c = *chunk_of(chunks_, key)->what;
  const auto i = c.lower_bound(key);
  if (!c.has(i, key)) return std::nullopt;
  const auto v = seen(c, i, at);
  return v ? std::optional(owned(*v)) : std::nullopt;
}

std::optional<recent_entries::entry> recent_entries::first_seen(chunks::const_iterator chunk, std::size_t i, std::uint64_t at) const {
  for (; chunk != chunks_.end(); ++chunk, i = 0)
    for (const auto& c = *chunk->what; i < c.size(); ++i)
      if (const auto v = seen(c, i, at)) return entry{c.key(i), owned(*v)};
  return std::nullopt;
}

std::optional<recent_entries::entry> recent_entries::first_from(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  const auto chunk = chunk_of(chunks_, key);
  return first_seen(chunk, chunk->what->lower_bound(key), at);
}

std::optional<recent_entries::entry> recent_entries::first_after(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  const auto chunk = chunk_of(chunks_, key);
  return first_seen(chunk, chunk->what->first_behind(key), at);
}

std::optional<recent_entries::entry> recent_entries::last_before(std::string_view key, std::uint64_t at) const {
  const std::shared_lock lock(mutex_);
  auto chunk = chunk_of(chunks_, key);
  for (auto i = chunk->what->lower_bound(key);; i = chunk->what->size()) {
    for (const auto& c = *chunk->what; i > 0; --i)
      if (const auto v = seen(c, i - 1, at)) return entry{c.key(i - 1), owned(*v)};
    if (chunk == chunks_.begin()) return std::nullopt;
    --chunk;
  }
}

// ---- the writer

recent_entries::run recent_entries::run_after(const std::string& after, std::size_t count, const key_changes& changing) const {
  run found{after, std::nullopt, {}};  // no lock: nobody else changes anything
  auto changed = changing.upper_bound(after);
  auto chunk = chunk_of(chunks_, after);
  for (auto i = chunk->what->first_behind(after); chunk != chunks_.end(); ++chunk, i = 0) {
    for (const auto& c = *chunk->what; i < c.size(); ++i) {
      const auto key = c.key(i);
      while (changed != changing.end() && changed->first < key) ++changed;
      const bool replaced = changed != changing.end() && changed->first == key;
      if (c[i].moved || replaced) continue;
      if (found.entries.size() == count) {
        found.upto = found.entries.back().first;
        return found;
      }
      found.entries.emplace_back(key, c.value(i));
    }
  }
  return found;
}

// Of the versions that every reader is past, the newest is enough.
void recent_entries::keep_earlier(entry_chunk& c, std::size_t i, std::uint64_t oldest) {
  auto& earlier = earlier_[std::string(c.key(i))];
  earlier.push_back({c[i].commit, owned(c.value(i))});
  c[i].has_earlier = true;
  const auto newer = std::find_if(earlier.begin(), earlier.end(), [&](const version& v) { return v.commit > oldest; });
  if (newer != earlier.begin()) earlier.erase(earlier.begin(), std::prev(newer));
}

// True: the chunk was divided.
bool recent_entries::insert(entry_chunk& c, std::size_t i, std::string_view key, seen_value value, std::uint64_t commit) {
  c.insert(i, key, value, commit);
  ++unmoved_;
  if (c.size() <= chunk_max) return false;
  chunks_.insert(ref(c.split()));
  return true;
}

void recent_entries::prepare(const key_changes& changes) {
  const auto oldest = readers_.oldest(), commit = published() + 1;
  const std::lock_guard lock(mutex_);
  entry_chunk* last = nullptr;  // keys come sorted, and neighbours lie together
  std::string_view end;         // where its keys end; empty: nowhere
  std::size_t from = 0;         // behind the change before
  for (const auto& [key, value] : changes) {
    if (last == nullptr || (!end.empty() && key >= end)) {
      const auto behind = chunks_.upper_bound(sort_view(key));
      end = behind == chunks_.end() ? std::string_view() : behind->what->least();
      last = std::prev(behind)->what.get();
      from = 0;
    }
    auto& c = *last;
    const auto i = c.lower_bound(key, from);
    from = i + 1;
    if (!c.has(i, key)) {
      if (insert(c, i, key, value, commit)) last = nullptr;
      continue;
    }
    keep_earlier(c, i, oldest);
    if (c[i].moved) ++unmoved_;
    c[i].moved = false;
    c.replace(i, value, commit);
  }
}

void recent_entries::take_back(const key_changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, value] : changes) {
    auto& c = *chunk_of(chunks_, key)->what;
    const auto i = c.lower_bound(key);
    if (!c[i].has_earlier) {
      c.erase(i);
      --unmoved_;
      continue;
    }
    auto& earlier = earlier_.at(key);
    c.replace(i, earlier.back().value, earlier.back().commit);
    earlier.pop_back();
    if (!earlier.empty()) continue;
    earlier_.erase(key);
    c[i].has_earlier = false;
  }
}

// Calls visit(chunk, first, end) with each piece of the range, and lets go of chunks that are empty then.
template <class Visit>
void recent_entries::visit_range(const std::string& after, const std::optional<std::string>& upto, Visit visit) {
  for (auto chunk = chunk_of(chunks_, after); chunk != chunks_.end() && (!upto || chunk->what->least() <= *upto);) {
    auto& c = *chunk->what;
    visit(c, c.first_behind(after), upto ? c.first_behind(*upto) : c.size());
    chunk = chunk->what->empty() && chunk != chunks_.begin() ? chunks_.erase(chunk) : std::next(chunk);
  }
}

void recent_entries::publish(run moved) {
  const auto commit = published() + 1;
  if (!moved.entries.empty()) {
    const std::lock_guard lock(mutex_);
    visit_range(moved.after, moved.upto, [&](entry_chunk& c, std::size_t first, std::size_t end) {
      for (auto i = first; i < end; ++i)
        if (c[i].commit < commit) c[i].moved = true;
    });
    unmoved_ -= moved.entries.size();
    forgettable_.push_back({commit, std::move(moved.after), std::move(moved.upto)});
  }
  readers_.publish(commit);
  forget_moved();
}

void recent_entries::load(std::string_view key, std::optional<std::string_view> value, std::uint64_t commit) {
  auto& c = *chunk_of(chunks_, key)->what;
  const auto i = c.lower_bound(key);
  if (c.has(i, key))
    c.replace(i, value, commit);
  else
    (void)insert(c, i, key, value, commit);
}

void recent_entries::begin(std::uint64_t commit) { readers_.publish(commit); }

// What every reader finds in its place: what a commit moved, unless it was changed since.
void recent_entries::forget_moved() {
  const auto oldest = readers_.oldest();
  if (forgettable_.empty() || forgettable_.front().commit > oldest) return;
  const std::lock_guard lock(mutex_);
  for (; !forgettable_.empty() && forgettable_.front().commit <= oldest; forgettable_.pop_front()) {
    const auto& range = forgettable_.front();
    visit_range(range.after, range.upto, [&](entry_chunk& c, std::size_t first, std::size_t end) {
      c.erase_if(first, end, [&](std::size_t i) {
        const bool goes = c[i].moved && c[i].commit < range.commit;
        if (goes && c[i].has_earlier) earlier_.erase(std::string(c.key(i)));
        return goes;
      });
    });
  }
}

}  // namespace crema::storage
