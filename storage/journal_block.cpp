#include "storage/journal_block.hpp"

#include <zstd.h>

#include <memory>
#include <utility>

#include "storage/layout.hpp"
#include "storage/store.hpp"

namespace crema::storage {

namespace {

// How the records of a block are kept: its value's first byte. FROZEN.
constexpr char plain = 0;
constexpr char zstd = 1;

// So small that a batch has several: all but the last are compressed while the commit before is under way.
constexpr std::size_t full_bytes = 16U << 10U;
constexpr std::size_t packed_from_bytes = 1U << 10U;  // what is smaller hardly shrinks
constexpr std::size_t unpacked_bytes_max = 1U << 30U;
constexpr int level = 1;

[[noreturn]] void refuse(std::uint64_t first, const std::string& why) {
  throw storage_error(storage_errc::corrupt,
                      "the journal's entry at offset " + std::to_string(first) + " cannot be read: " + why + "; run: crema verify");
}

// Working space that is made once a thread: it is larger than what is worked on.
ZSTD_CCtx* packer() {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> made(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  return made.get();
}
ZSTD_DCtx* unpacker() {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> made(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  return made.get();
}

// The value that begins with `zstd`; empty where `records` are better left as they are.
std::string packed(const std::string& records) {
  std::string out(1 + ZSTD_compressBound(records.size()), zstd);
  const auto size = ZSTD_compressCCtx(packer(), out.data() + 1, out.size() - 1, records.data(), records.size(), level);
  if (ZSTD_isError(size) != 0U || size >= records.size()) return {};
  out.resize(1 + size);
  return out;
}

std::string unpacked(std::uint64_t first, std::string_view bytes) {
  const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > unpacked_bytes_max) refuse(first, "it is damaged");
  std::string out(size, '\0');
  const auto done = ZSTD_decompressDCtx(unpacker(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(done) != 0U) refuse(first, std::string("it is damaged (") + ZSTD_getErrorName(done) + ")");
  if (done != size) refuse(first, "it is damaged");
  return out;
}

}  // namespace

std::uint64_t seal(std::string_view body, std::uint64_t previous, std::uint16_t partition, std::uint64_t sequence) {
  return checksum(body, previous ^ (sequence * 0x9E3779B97F4A7C15ULL) ^ partition);
}

bool raw_record::intact() const noexcept { return seal(body, previous_checksum, partition, sequence) == checksum; }

// ---- writing

bool block_builder::full() const noexcept { return records_.size() >= full_bytes; }

void block_builder::add(const raw_record& r) {
  if (empty()) first_ = last_ = r.sequence;
  wire::put_varint(records_, r.sequence - std::exchange(last_, r.sequence));
  wire::put_varint(records_, r.partition);
  wire::put_fixed64(records_, r.previous_checksum);
  wire::put_fixed64(records_, r.checksum);
  wire::put_bytes(records_, r.body);
}

std::string block_builder::finish() {
  const auto records = std::exchange(records_, {});
  std::string out;
  if (records.size() >= packed_from_bytes) out = packed(records);
  if (out.empty()) out.append(1, plain).append(records);
  return out;
}

// ---- reading

block_reader::block_reader(std::uint64_t first, std::string_view value) : first_(first), sequence_(first), rest_({}) {
  const auto content = value.substr(value.empty() ? 0 : 1);
  if (content.empty()) refuse(first, "it is empty");
  switch (value.front()) {
    case plain: rest_ = wire::reader(content); break;
    case zstd:
      unpacked_ = unpacked(first, content);
      rest_ = wire::reader(unpacked_);
      break;
    default: refuse(first, "it is of no known kind");
  }
}

std::optional<raw_record> block_reader::next() try {
  if (rest_.done()) return std::nullopt;
  raw_record r;
  r.sequence = sequence_ += rest_.varint();
  r.partition = static_cast<std::uint16_t>(rest_.varint());
  r.previous_checksum = rest_.fixed64();
  r.checksum = rest_.fixed64();
  r.body = rest_.bytes();
  return r;
} catch (const decode_error& e) { refuse(first_, e.what()); }

}  // namespace crema::storage
