// Neighbours by key among the entries that wait, in two pieces of memory. Pure.
//
// There are hundreds of thousands of entries, and what follows from one request changes some that lie side by side: they are found,
// moved and let go of together, so they lie together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crema::storage {

class entry_chunk {
 public:
  struct slot {
    std::uint64_t commit = 0;  ///< that wrote it
    std::uint32_t at = 0;      // of the key in the text; the value follows
    std::uint32_t value_size = 0;
    std::uint16_t key_size = 0;
    bool erased = false;
    bool moved = false;        ///< its key's place has what is here
    bool has_earlier = false;  ///< versions before this one are kept somewhere
  };
  using seen_value = std::optional<std::string_view>;  ///< nothing: erased

  /// Holds keys from `least` on.
  explicit entry_chunk(std::string_view least) : least_(least) {}

  std::string_view least() const noexcept { return least_; }
  bool empty() const noexcept { return slots_.empty(); }
  std::size_t size() const noexcept { return slots_.size(); }
  slot& operator[](std::size_t i) noexcept { return slots_[i]; }
  const slot& operator[](std::size_t i) const noexcept { return slots_[i]; }
  std::string_view key(std::size_t i) const noexcept { return {text_.data() + slots_[i].at, slots_[i].key_size}; }
  seen_value value(std::size_t i) const noexcept {
    const auto& s = slots_[i];
    return s.erased ? seen_value() : seen_value({text_.data() + s.at + s.key_size, s.value_size});
  }

  /// The first entry with a key ≥ `key`. `from`: all before it are known to be before `key`, which probably belongs right there.
  std::size_t lower_bound(std::string_view key, std::size_t from = 0) const noexcept;
  std::size_t first_behind(std::string_view key) const noexcept {
    const auto i = lower_bound(key);
    return has(i, key) ? i + 1 : i;
  }
  bool has(std::size_t i, std::string_view key) const noexcept { return i < slots_.size() && this->key(i) == key; }

  /// A new entry before the i-th, behind which its key belongs; views into the chunk die.
  void insert(std::size_t i, std::string_view key, seen_value value, std::uint64_t commit);
  /// Another version in place of the i-th.
  void replace(std::size_t i, seen_value value, std::uint64_t commit);
  void erase(std::size_t i) {
    erase_if(i, i + 1, [](std::size_t) { return true; });
  }
  /// Those from `first` up to `end` for which goes(i) holds; it is asked in their order.
  template <class Goes>
  void erase_if(std::size_t first, std::size_t end, Goes goes) {
    auto kept = first;
    for (auto i = first; i < end; ++i) {
      if (goes(i))
        dead_ += slots_[i].key_size + std::size_t{slots_[i].value_size};
      else
        slots_[kept++] = slots_[i];
    }
    slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(kept), slots_.begin() + static_cast<std::ptrdiff_t>(end));
    if (!slots_.empty()) return;
    text_.clear();
    dead_ = 0;
  }
  /// Takes the upper half out, as a chunk of its own.
  entry_chunk split();

 private:
  void write(slot& s, std::string_view key, seen_value value, std::uint64_t commit);
  void tidy();

  std::string least_;
  std::vector<slot> slots_;  // by key
  std::string text_;         // keys and values as they came
  std::size_t dead_ = 0;     // bytes of it that nobody needs
};

}  // namespace crema::storage
