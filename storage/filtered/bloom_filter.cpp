#include "storage/filtered/bloom_filter.hpp"

#include <algorithm>

namespace crema::storage {

namespace {

// One odd factor a word, each picks one of its 32 bits by the upper bits of the product (multiply-shift hashing).
constexpr std::array<std::uint32_t, 8> factors{0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                               0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

std::uint32_t bit_of(std::uint64_t hash, std::size_t word) noexcept {
  return std::uint32_t{1} << ((static_cast<std::uint32_t>(hash) * factors[word]) >> 27U);
}

}  // namespace

bloom_filter::bloom_filter(std::size_t bytes) : blocks_(std::max<std::size_t>(1, (bytes + sizeof(block) - 1) / sizeof(block))) {}

// By the hash's upper half, scaled; the bits come from the lower one.
std::size_t bloom_filter::block_of(std::uint64_t hash) const noexcept {
  return static_cast<std::size_t>(((hash >> 32U) * blocks_.size()) >> 32U);
}

void bloom_filter::add(std::uint64_t hash) noexcept {
  auto& b = blocks_[block_of(hash)];
  for (std::size_t i = 0; i < words; ++i) {
    const auto bit = bit_of(hash, i);
    if ((b.word[i].load(std::memory_order_relaxed) & bit) == 0) b.word[i].fetch_or(bit, std::memory_order_release);
  }
}

void bloom_filter::add(std::span<const std::uint64_t> hashes) noexcept {
  constexpr std::size_t ahead = 8;
  for (std::size_t i = 0; i < hashes.size() + ahead; ++i) {
    if (i < hashes.size()) __builtin_prefetch(&blocks_[block_of(hashes[i])], 1);
    if (i >= ahead) add(hashes[i - ahead]);
  }
}

bool bloom_filter::may_have(std::uint64_t hash) const noexcept {
  const auto& b = blocks_[block_of(hash)];
  for (std::size_t i = 0; i < words; ++i)
    if ((b.word[i].load(std::memory_order_acquire) & bit_of(hash, i)) == 0) return false;
  return true;
}

}  // namespace crema::storage
