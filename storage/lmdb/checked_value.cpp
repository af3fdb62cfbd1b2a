#include "storage/lmdb/checked_value.hpp"

#include <xxhash.h>

#include <array>
#include <cstdint>

#include "storage/layout.hpp"

namespace crema::storage {

namespace {

using check_of_value = std::array<char, check_bytes>;

check_of_value check_of(table t, std::string_view key, std::string_view value) noexcept {
  const auto place = XXH3_64bits_withSeed(key.data(), key.size(), static_cast<XXH64_hash_t>(t));
  const auto hash = XXH3_64bits(value.data(), value.size()) ^ (place * 0x9E3779B97F4A7C15ULL);
  check_of_value bytes;
  for (std::size_t i = 0; i < check_bytes; ++i) bytes[i] = static_cast<char>(hash >> (8 * i));
  return bytes;
}

[[noreturn]] void refuse(table t, std::string_view key, const char* why) {
  const bool is_truth = t == table::journal || t == table::schemas;
  throw storage_error(storage_errc::corrupt, describe_entry(t, key) + " is damaged (" + why +
                                                 "); run 'crema verify', then 'crema restore' from " +
                                                 (is_truth ? "a backup" : "this directory, which makes it anew from the journal"));
}

}  // namespace

void append_check(table t, std::string_view key, std::string_view value, std::string& out) {
  const auto check = check_of(t, key, value);
  out.reserve(value.size() + check_bytes);
  out.assign(value).append(check.data(), check.size());
}

std::string_view checked_value(table t, std::string_view key, std::string_view stored) {
  if (stored.size() < check_bytes) refuse(t, key, "it is too short");
  const auto value = stored.substr(0, stored.size() - check_bytes);
  const auto check = check_of(t, key, value);
  if (stored.substr(value.size()) != std::string_view(check.data(), check.size())) refuse(t, key, "it does not match its checksum");
  return value;
}

}  // namespace crema::storage
