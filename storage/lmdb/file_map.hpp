// The memory that a data file is mapped to, as the kernel tells it. Private to storage/lmdb.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace crema::storage {

/// Where the file is mapped: LMDB does not tell (me_mapaddr is for fixed maps), the kernel does. Empty where it cannot be read.
std::span<std::byte> mapping_of(int file);

/// Zeros in place of what a file that is too short does not have, up to `needed_bytes` of it: a touch there would end the process.
/// Writes nothing. For as long as the file is mapped and this lives, nobody may write there.
class zeros_behind_end {
 public:
  /// Throws storage_error (io).
  zeros_behind_end(int file, std::uint64_t needed_bytes);
  zeros_behind_end(const zeros_behind_end&) = delete;
  zeros_behind_end& operator=(const zeros_behind_end&) = delete;

  /// Gives the file those bytes, and shows it again where the zeros were. Throws storage_error (io, full).
  void become_real();

 private:
  void map(int file, int flags, std::uint64_t from) const;

  int file_;
  std::uint64_t needed_bytes_;
  std::span<std::byte> hidden_;  // of the map
};

}  // namespace crema::storage
