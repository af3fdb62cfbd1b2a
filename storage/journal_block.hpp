// Records of one commit as they stand on disk: one value, compressed where that makes it smaller. Format: docs/formats/journal.md.
//
// Pure: bytes in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "behaviors/core/codec.hpp"

namespace crema::storage {

/// One record as it stands on disk.
struct raw_record {
  std::uint16_t partition = 0;
  std::uint64_t sequence = 0;
  std::uint64_t previous_checksum = 0;
  std::uint64_t checksum = 0;
  std::string_view body;  ///< dies with its block

  bool intact() const noexcept;
};

/// The record's place is part of its checksum: one that is moved or repeated is noticed.
std::uint64_t seal(std::string_view body, std::uint64_t previous, std::uint16_t partition, std::uint64_t sequence);

/// Takes records in log order until it is full; more would make reading one of them dear.
class block_builder {
 public:
  bool empty() const noexcept { return records_.empty(); }
  bool full() const noexcept;
  void add(const raw_record& r);
  /// Sequence of the first record: the block's key.
  std::uint64_t first() const noexcept { return first_; }
  /// The block's value. The builder is empty after it.
  std::string finish();

 private:
  std::string records_;
  std::uint64_t first_ = 0, last_ = 0;
};

class block_reader {
 public:
  /// Holds on to `value` where that is not compressed. Throws storage_error (corrupt).
  block_reader(std::uint64_t first, std::string_view value);
  block_reader(const block_reader&) = delete;
  block_reader& operator=(const block_reader&) = delete;
  /// Nothing at the end. Throws storage_error (corrupt) for bytes that are no record.
  std::optional<raw_record> next();

 private:
  const std::uint64_t first_;
  std::uint64_t sequence_;
  std::string unpacked_;
  wire::reader rest_;
};

}  // namespace crema::storage
