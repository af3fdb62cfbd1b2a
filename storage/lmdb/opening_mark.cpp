#include "storage/lmdb/opening_mark.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "behaviors/core/codec.hpp"
#include "storage/lmdb/lmdb_error.hpp"
#include "storage/record.hpp"

namespace crema::storage {

namespace {

// In LMDB's own table of tables, so that it is part of the file whatever the tables hold. A name with a zero byte is not taken for a
// table's by LMDB's tools. FROZEN.
constexpr std::string_view mark_key{"opening\0", 8};

MDB_dbi main_table(MDB_txn* txn) {
  MDB_dbi dbi = 0;
  check(mdb_dbi_open(txn, nullptr, 0, &dbi), "open the table of tables");
  return dbi;
}

MDB_val key_val() { return {mark_key.size(), const_cast<char*>(mark_key.data())}; }

}  // namespace

file_identity identity_of(int file) {
  struct statx found {};
  if (statx(file, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &found) != 0) check(errno, "look at the data file");
  constexpr std::uint64_t ns_per_s = 1'000'000'000;
  file_identity id{found.stx_ino, 0};
  if ((found.stx_mask & STATX_BTIME) != 0)
    id.born_ns = static_cast<std::uint64_t>(found.stx_btime.tv_sec) * ns_per_s + found.stx_btime.tv_nsec;
  return id;
}

std::optional<opening_mark> read_mark(MDB_txn* txn) {
  auto key = key_val();
  MDB_val bytes{};
  const int rc = mdb_get(txn, main_table(txn), &key, &bytes);
  if (rc == MDB_NOTFOUND) return std::nullopt;
  check(rc, "read who has the data file open");
  try {
    const std::string_view all(static_cast<const char*>(bytes.mv_data), bytes.mv_size);
    wire::reader in(all);
    opening_mark mark;
    mark.open = in.byte() != 0;
    mark.file.inode = in.fixed64();
    mark.file.born_ns = in.fixed64();
    const auto told = in.fixed64();
    return told == checksum(all.substr(0, all.size() - 8), 0) ? std::optional(mark) : std::nullopt;
  } catch (const decode_error&) { return std::nullopt; }
}

void write_mark(MDB_txn* txn, const opening_mark& mark) {
  std::string bytes(1, mark.open ? '\1' : '\0');
  wire::put_fixed64(bytes, mark.file.inode);
  wire::put_fixed64(bytes, mark.file.born_ns);
  wire::put_fixed64(bytes, checksum(bytes, 0));
  auto key = key_val();
  MDB_val value{bytes.size(), bytes.data()};
  check(mdb_put(txn, main_table(txn), &key, &value, 0), "write who has the data file open");
}

}  // namespace crema::storage
