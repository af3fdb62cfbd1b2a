// Entries of a table that lie side by side, as one value: docs/formats/tables.md. Pure.
//
// Neighbours resemble each other: a key is written as what it does not share with the one before it, numbers as differences, and an
// entry that is like one before it, apart from numbers, says so in one byte. An index entry of 40 bytes becomes one of five.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crema::storage {

/// A block that is read or changed as a whole. Views of keys and values die with the next load, put or clear.
class entry_block {
 public:
  void clear() noexcept;
  /// Takes what encode() wrote in place of what it held. Throws decode_error.
  void load(std::string_view encoded);

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  std::string_view key(std::size_t i) const noexcept { return view(entries_[i].key); }
  std::string_view value(std::size_t i) const noexcept { return view(entries_[i].value); }
  std::size_t lower_bound(std::string_view key) const noexcept;  ///< the first entry with a key ≥ `key`

  void put(std::string_view key, std::string_view value);
  bool erase(std::string_view key);  ///< false: it was not there

  /// The entries from `first` on, as many as have room in `bytes_max`, at least one. `next` is set behind the last.
  std::string encode(std::size_t first, std::size_t bytes_max, std::size_t& next) const;

 private:
  struct piece {
    std::uint32_t at = 0, size = 0;
  };
  struct entry {
    piece key, value;
  };
  std::string_view view(piece p) const noexcept { return std::string_view(text_).substr(p.at, p.size); }
  piece keep(std::string_view bytes);

  std::string text_;
  std::vector<entry> entries_;
};

/// Encodes entries as they come, sorted by key.
class entry_writer {
 public:
  /// An entry can be as one that is fewer than so many before it.
  static constexpr std::size_t shapes_kept = 16;

  /// False, and nothing happened: with it, all entries would take more than `bytes_max`. The key must live until the next call.
  bool add(std::string_view key, std::string_view value, std::size_t bytes_max);
  std::string finish() const;

 private:
  // An entry without its numbers and its value.
  struct shape {
    std::uint32_t at;      // of what it does not share with the key before, in the body
    std::uint16_t length;  // of that
    std::uint8_t shared;   // bytes, with the key before
    std::uint8_t flags;
  };
  void put_entry(std::string_view key, std::string_view value);
  void put_shape(std::size_t shared, std::string_view rest, unsigned flags);
  void put_number(std::uint64_t n);

  std::string body_;
  std::string_view before_;
  std::size_t count_ = 0;
  std::uint64_t number_ = 0;  // the last one
  std::size_t distance_ = 0;  // at which a shape was found last
  std::array<shape, shapes_kept> shapes_;
};

/// Looks one key up in an encoded block, without taking it apart. Throws decode_error.
std::optional<std::string> find_in_block(std::string_view encoded, std::string_view key);
/// Likewise the last entry before `key`. Throws decode_error.
struct found_entry {
  std::string key, value;
};
std::optional<found_entry> last_before_in_block(std::string_view encoded, std::string_view key);
/// How many entries an encoded block has. Throws decode_error.
std::uint64_t entries_in_block(std::string_view encoded);

}  // namespace crema::storage
