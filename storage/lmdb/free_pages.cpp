#include "storage/lmdb/free_pages.hpp"

#include <cstddef>
#include <cstring>

#include "storage/lmdb/lmdb_error.hpp"

namespace crema::storage {

namespace {

constexpr MDB_dbi free_table = 0;  // LMDB's own, as its tools open it

// A value is a count and so many page numbers, in the machine's own words.
std::uint64_t count_from(const MDB_val& list, std::uint64_t first) {
  const auto word = [&](std::size_t i) {
    std::size_t w = 0;
    std::memcpy(&w, static_cast<const char*>(list.mv_data) + i * sizeof(w), sizeof(w));
    return w;
  };
  const auto words = list.mv_size / sizeof(std::size_t);
  std::uint64_t n = 0;
  for (std::size_t i = 1; i < words && i <= word(0); ++i) n += word(i) >= first ? 1 : 0;
  return n;
}

}  // namespace

std::uint64_t free_pages_from(MDB_txn* reader, std::uint64_t first) {
  MDB_cursor* at = nullptr;
  check(mdb_cursor_open(reader, free_table, &at), "read the free pages");
  MDB_val key{}, list{};
  std::uint64_t n = 0;
  int rc = 0;
  try {
    while ((rc = mdb_cursor_get(at, &key, &list, MDB_NEXT)) == 0) n += count_from(list, first);
  } catch (...) {
    mdb_cursor_close(at);
    throw;
  }
  mdb_cursor_close(at);
  if (rc != MDB_NOTFOUND) check(rc, "read the free pages");
  return n;
}

}  // namespace crema::storage
