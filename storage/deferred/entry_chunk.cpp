#include "storage/deferred/entry_chunk.hpp"

#include <algorithm>
#include <utility>

namespace crema::storage {

namespace {
std::size_t bytes_of(const entry_chunk::slot& s) noexcept { return s.key_size + std::size_t{s.value_size}; }
}  // namespace

std::size_t entry_chunk::lower_bound(std::string_view key, std::size_t from) const noexcept {
  if (from > 0 && (from == size() || this->key(from) >= key)) return from;
  const auto at =
      std::lower_bound(slots_.begin() + static_cast<std::ptrdiff_t>(from), slots_.end(), key,
                       [this](const slot& s, std::string_view k) { return std::string_view(text_.data() + s.at, s.key_size) < k; });
  return static_cast<std::size_t>(at - slots_.begin());
}

void entry_chunk::write(slot& s, std::string_view key, seen_value value, std::uint64_t commit) {
  s.commit = commit;
  s.at = static_cast<std::uint32_t>(text_.size());
  s.key_size = static_cast<std::uint16_t>(key.size());
  s.value_size = value ? static_cast<std::uint32_t>(value->size()) : 0;
  s.erased = !value;
  text_.append(key);
  if (value) text_.append(*value);
}

void entry_chunk::insert(std::size_t i, std::string_view key, seen_value value, std::uint64_t commit) {
  tidy();
  slot s;
  write(s, key, value, commit);
  slots_.insert(slots_.begin() + static_cast<std::ptrdiff_t>(i), s);
}

void entry_chunk::replace(std::size_t i, seen_value value, std::uint64_t commit) {
  const std::string key(this->key(i));  // the text moves as it grows
  dead_ += bytes_of(slots_[i]);
  write(slots_[i], key, value, commit);
  tidy();
}

entry_chunk entry_chunk::split() {
  const auto half = slots_.size() / 2;
  entry_chunk upper(key(half));
  upper.slots_.assign(slots_.begin() + static_cast<std::ptrdiff_t>(half), slots_.end());
  for (auto& s : upper.slots_) {
    const auto from = s.at;
    s.at = static_cast<std::uint32_t>(upper.text_.size());
    upper.text_.append(text_, from, bytes_of(s));
    dead_ += bytes_of(s);
  }
  slots_.resize(half);
  tidy();
  return upper;
}

// Once half of the text is dead, the rest is written anew.
void entry_chunk::tidy() {
  if (dead_ == 0 || 2 * dead_ < text_.size()) return;
  std::string kept;
  kept.reserve(text_.size() - dead_);
  for (auto& s : slots_) {
    const auto from = s.at;
    s.at = static_cast<std::uint32_t>(kept.size());
    kept.append(text_, from, bytes_of(s));
  }
  text_ = std::move(kept);
  dead_ = 0;
}

}  // namespace crema::storage
