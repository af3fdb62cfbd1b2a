#include "storage/entry_block.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "behaviors/core/codec.hpp"
#include "storage/store.hpp"

namespace crema::storage {

namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t shared_max = 255;
// The low bits of the length in a shape of its own, and of a shape's flags.
constexpr unsigned ends_in_number = 1, has_value = 2, value_is_number = 4, flag_bits = 3;

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

std::uint64_t swapped(std::uint64_t n) noexcept { return std::endian::native == std::endian::big ? n : __builtin_bswap64(n); }

std::uint64_t number_in(std::string_view big_endian) noexcept {
  std::uint64_t n = 0;
  std::memcpy(&n, big_endian.data(), number_bytes);
  return swapped(n);
}

void write_number(std::uint64_t n, char* to) noexcept {
  n = swapped(n);
  std::memcpy(to, &n, number_bytes);
}

// Whether eight bytes are a number that is shorter as the difference to another such.
bool is_short(std::uint64_t n) noexcept { return n >> 49U == 0; }
constexpr auto not_short = std::numeric_limits<std::uint64_t>::max();

std::uint64_t difference(std::uint64_t n, std::uint64_t before) noexcept { return wire::zigzag(static_cast<std::int64_t>(n - before)); }
std::uint64_t apart(std::uint64_t before, std::uint64_t difference) noexcept {
  return before + static_cast<std::uint64_t>(wire::unzigzag(difference));
}

// Steps through an encoded block; makes each key from the one before it.
class entry_reader {
 public:
  explicit entry_reader(std::string_view encoded) : in_(encoded), left_(in_.varint()) {}

  std::uint64_t left() const noexcept { return left_; }
  bool next() {
    if (left_ == 0) return false;
    --left_;
    const auto& how = read_shape();
    const bool number = (how.flags & ends_in_number) != 0;
    if (how.shared > size_ || how.shared + how.rest.size() + (number ? number_bytes : 0) > max_key_bytes)
      throw decode_error("a block of entries has a key that cannot be");
    size_ = how.shared;
    for (const char c : how.rest) key_[size_++] = c;  // a few
    if (number) {
      write_number(read_number(), key_ + size_);
      size_ += number_bytes;
    }
    if ((how.flags & has_value) == 0)
      value_ = {};
    else if ((how.flags & value_is_number) == 0)
      value_ = in_.bytes();
    else
      value_ = number_value();
    return true;
  }
  std::string_view key() const noexcept { return {key_, size_}; }
  std::string_view value() const noexcept { return value_; }

 private:
  struct shape {
    std::size_t shared;
    std::string_view rest;
    unsigned flags;
  };

  const shape& read_shape() {
    const auto head = in_.varint();
    auto& here = shapes_[read_ % entry_writer::shapes_kept];
    if ((head & 1U) != 0) {
      const auto back = head >> 1U;
      if (back == 0 || back >= entry_writer::shapes_kept || back > read_) throw decode_error("an entry is like one that is not there");
      here = shapes_[(read_ - back) % entry_writer::shapes_kept];
    } else {
      const auto length = in_.varint();
      here.shared = head >> 1U;
      here.rest = in_.take(length >> flag_bits);
      here.flags = static_cast<unsigned>(length & ((1U << flag_bits) - 1));
    }
    ++read_;
    return here;
  }
  std::uint64_t read_number() { return number_ = apart(number_, in_.varint()); }
  std::string_view number_value() {
    write_number(read_number(), number_value_);
    return {number_value_, number_bytes};
  }

  wire::reader in_;
  std::uint64_t left_;
  std::array<shape, entry_writer::shapes_kept> shapes_;  // a ring of the last ones
  std::size_t read_ = 0;
  std::uint64_t number_ = 0;  // the last one
  char key_[max_key_bytes];
  std::size_t size_ = 0;
  char number_value_[number_bytes];
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
  const auto number_before = number_;
  put_entry(key, value);
  if (body_.size() > bytes_max) {
    body_.resize(end);
    number_ = number_before;
    return false;
  }
  before_ = key;
  ++count_;
  return true;
}

void entry_writer::put_entry(std::string_view key, std::string_view value) {
  const auto number = key.size() >= number_bytes ? number_in(key.substr(key.size() - number_bytes)) : not_short;
  const auto number_value = value.size() == number_bytes ? number_in(value) : not_short;
  const auto head = is_short(number) ? key.substr(0, key.size() - number_bytes) : key;
  const auto shared = bytes_shared(before_, head);
  put_shape(shared, head.substr(shared),
            (is_short(number) ? ends_in_number : 0U) | (value.empty() ? 0U : has_value) | (is_short(number_value) ? value_is_number : 0U));
  if (is_short(number)) put_number(number);
  if (is_short(number_value))
    put_number(number_value);
  else if (!value.empty())
    wire::put_bytes(body_, value);
}

void entry_writer::put_number(std::uint64_t n) {
  wire::put_varint(body_, difference(n, number_));
  number_ = n;
}

// Where entries repeat themselves, they do at one distance: that of before is tried first.
void entry_writer::put_shape(std::size_t shared, std::string_view rest, unsigned flags) {
  auto& here = shapes_[count_ % shapes_kept];
  const auto kept = std::min(count_, shapes_kept - 1);
  for (std::size_t tried = 0, back = distance_; tried <= kept; back = ++tried) {
    if (back == 0 || back > kept) continue;
    const auto& earlier = shapes_[(count_ - back) % shapes_kept];
    if (earlier.shared != shared || earlier.flags != flags || earlier.length != rest.size()) continue;
    if (body_.compare(earlier.at, earlier.length, rest) != 0) continue;
    here = earlier;
    distance_ = back;
    return wire::put_varint(body_, back << 1U | 1U);
  }
  wire::put_varint(body_, shared << 1U);
  wire::put_varint(body_, rest.size() << flag_bits | flags);
  here = {static_cast<std::uint32_t>(body_.size()), static_cast<std::uint16_t>(rest.size()), static_cast<std::uint8_t>(shared),
          static_cast<std::uint8_t>(flags)};
  body_.append(rest);
}

std::string entry_writer::finish() const {
  std::string out;
  out.reserve(body_.size() + 2);
  wire::put_varint(out, count_);
  return out.append(body_);
}

std::optional<std::string> find_in_block(std::string_view encoded, std::string_view key) {
  entry_reader in(encoded);
  while (in.next()) {
    const auto order = in.key().compare(key);
    if (order == 0) return std::string(in.value());
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
    found->value.assign(in.value());
  }
  return found;
}

std::uint64_t entries_in_block(std::string_view encoded) { return wire::reader(encoded).varint(); }

}  // namespace crema::storage
