#include "storage/entry_block.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "behaviors/core/codec.hpp"
#include "storage/store.hpp"

namespace crema::storage {

namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t shared_max = 255;
// The two low bits of an entry's length.
constexpr unsigned ends_in_number = 1, has_value = 2;

// Eight at a time: neighbours share most of a key.
std::size_t bytes_shared(std::string_view a, std::string_view b) noexcept {
  const auto limit = std::min({a.size(), b.size(), shared_max});
  std::size_t n = 0;
  for (std::uint64_t x = 0, y = 0; n + sizeof x <= limit; n += sizeof x) {
    std::memcpy(&x, a.data() + n, sizeof x);
    std::memcpy(&y, b.data() + n, sizeof y);
    if (x != y) break;
  }
  while (n < limit && a[n] == b[n]) ++n;
  return n;
}

std::uint64_t number_in(std::string_view big_endian) noexcept {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < number_bytes; ++i) n = n << 8U | static_cast<std::uint8_t>(big_endian[i]);
  return n;
}

void put_entry(std::string& out, std::string_view before, std::string_view key, std::string_view value) {
  const bool long_enough = key.size() >= number_bytes;
  const auto last = long_enough ? number_in(key.substr(key.size() - number_bytes)) : 0;
  const bool number = long_enough && last >> 49U == 0;  // shorter as a varint
  const auto head = number ? key.substr(0, key.size() - number_bytes) : key;
  const auto shared = bytes_shared(before, head);
  out.push_back(static_cast<char>(shared));
  const auto rest = head.substr(shared);
  wire::put_varint(out, rest.size() << 2U | (value.empty() ? 0U : has_value) | (number ? ends_in_number : 0U));
  out.append(rest);
  if (number) wire::put_varint(out, last);
  if (!value.empty()) wire::put_bytes(out, value);
}

// Steps through an encoded block; makes each key from the one before it.
class entry_reader {
 public:
  explicit entry_reader(std::string_view encoded) : in_(encoded), left_(in_.varint()) {}

  std::uint64_t left() const noexcept { return left_; }
  bool next() {
    if (left_ == 0) return false;
    --left_;
    const std::size_t shared = in_.byte();
    const auto length = in_.varint();
    const auto rest = length >> 2U;
    const bool number = (length & ends_in_number) != 0;
    if (shared > size_ || rest > max_key_bytes || shared + rest + (number ? number_bytes : 0) > max_key_bytes)
      throw decode_error("a block of entries has a key that cannot be");
    size_ = shared;
    for (const char c : in_.take(rest)) key_[size_++] = c;  // a few
    if (number) {
      const auto n = in_.varint();
      for (std::size_t i = 0; i < number_bytes; ++i) key_[size_ + i] = static_cast<char>(n >> (8U * (number_bytes - 1 - i)));
      size_ += number_bytes;
    }
    value_ = (length & has_value) != 0 ? in_.bytes() : std::string_view();
    return true;
  }
  std::string_view key() const noexcept { return {key_, size_}; }
  std::string_view value() const noexcept { return value_; }

 private:
  wire::reader in_;
  std::uint64_t left_;
  char key_[max_key_bytes];
  std::size_t size_ = 0;
  std::string_view value_;
};

}  // namespace

void entry_block::clear() noexcept {
  text_.clear();
  entries_.clear();
}

entry_block::piece entry_block::keep(std::string_view bytes) {
  const piece p{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(bytes.size())};
  text_.append(bytes);
  return p;
}

void entry_block::load(std::string_view encoded) {
  clear();
  text_.reserve(encoded.size() * 4);
  entry_reader in(encoded);
  while (in.next()) {
    const auto key = keep(in.key());
    entries_.push_back({key, keep(in.value())});
  }
}

std::size_t entry_block::lower_bound(std::string_view key) const noexcept {
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), key, [this](const entry& e, std::string_view k) { return view(e.key) < k; });
  return static_cast<std::size_t>(at - entries_.begin());
}

void entry_block::put(std::string_view key, std::string_view value) {
  const auto i = lower_bound(key);
  if (i < size() && this->key(i) == key) {
    entries_[i].value = keep(value);
    return;
  }
  const auto kept = keep(key);
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(i), {kept, keep(value)});
}

bool entry_block::erase(std::string_view key) {
  const auto i = lower_bound(key);
  if (i == size() || this->key(i) != key) return false;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
  return true;
}

std::string entry_block::encode(std::size_t first, std::size_t bytes_max, std::size_t& next) const {
  entry_writer out;
  for (next = first; next < size(); ++next)
    if (!out.add(key(next), value(next), next == first ? std::numeric_limits<std::size_t>::max() : bytes_max)) break;
  return out.finish();
}

bool entry_writer::add(std::string_view key, std::string_view value, std::size_t bytes_max) {
  const auto end = body_.size();
  put_entry(body_, before_, key, value);
  if (body_.size() > bytes_max) {
    body_.resize(end);
    return false;
  }
  before_ = key;
  ++count_;
  return true;
}

std::string entry_writer::finish() const {
  std::string out;
  out.reserve(body_.size() + 2);
  wire::put_varint(out, count_);
  return out.append(body_);
}

std::optional<std::string_view> find_in_block(std::string_view encoded, std::string_view key) {
  entry_reader in(encoded);
  while (in.next()) {
    const auto order = in.key().compare(key);
    if (order == 0) return in.value();
    if (order > 0) break;
  }
  return std::nullopt;
}

std::optional<found_entry> last_before_in_block(std::string_view encoded, std::string_view key) {
  std::optional<found_entry> found;
  entry_reader in(encoded);
  while (in.next() && in.key() < key) {
    if (!found) found.emplace();
    found->key.assign(in.key());
    found->value = in.value();
  }
  return found;
}

std::uint64_t entries_in_block(std::string_view encoded) { return wire::reader(encoded).varint(); }

}  // namespace crema::storage
