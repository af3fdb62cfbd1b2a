// Which hashes were added: "no" is certain, "maybe" is wrong now and then. Pure.
//
// A split block Bloom filter (Putze, Sanders, Singler 2007; the one that Parquet's format describes): all bits of a hash lie in one block
// of 32 bytes, so that a question costs one line of memory. With 10 bits for each hash one answer in a hundred is "maybe" in vain, with
// 20 bits one in ten thousand; a filter that is fuller than planned says "maybe" more often, and is never wrong.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace crema::storage {

class bloom_filter {
 public:
  /// `bytes`: rounded up to whole blocks, one at least.
  explicit bloom_filter(std::size_t bytes);

  /// Any thread. Who learns by a lock or a commit that something was added finds it.
  void add(std::uint64_t hash) noexcept;
  void add(std::span<const std::uint64_t> hashes) noexcept;  ///< faster than one by one: memory is asked for ahead
  /// False: it was not added. Any thread.
  bool may_have(std::uint64_t hash) const noexcept;

 private:
  static constexpr std::size_t words = 8;
  struct alignas(words * sizeof(std::uint32_t)) block {
    std::array<std::atomic<std::uint32_t>, words> word{};
  };
  std::size_t block_of(std::uint64_t hash) const noexcept;

  std::vector<block> blocks_;
};

}  // namespace crema::storage
