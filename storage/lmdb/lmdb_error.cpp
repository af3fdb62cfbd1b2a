#include "storage/lmdb/lmdb_error.hpp"

#include <lmdb.h>

#include <cerrno>

namespace crema::storage {

namespace {

const char* advice(storage_errc code) {
  switch (code) {
    case storage_errc::full: return "make room on the disk";
    case storage_errc::io: return "look at the disk and the kernel's log, then restart crema: it recovers from what is on disk";
    case storage_errc::locked: return "stop the other process";
    case storage_errc::corrupt: return "restore a backup, or fetch the data from a replica";
    case storage_errc::format: return "point crema at a directory that it made, or use the version that made it";
    case storage_errc::stopped: return "begin again";
    case storage_errc::unsupported: return "stay within the store's limits, or raise them";
  }
  return "";
}

}  // namespace

storage_errc errc_of(int rc) noexcept {
  switch (rc) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT: return storage_errc::full;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL: return storage_errc::corrupt;
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE: return storage_errc::format;
    case MDB_READERS_FULL:
    case MDB_BAD_VALSIZE:
    case ENOMEM: return storage_errc::unsupported;
    default: return storage_errc::io;
  }
}

void check(int rc, const char* doing) {
  if (rc == 0) return;
  const auto code = errc_of(rc);
  const auto* what_to_do = rc == MDB_MAP_FULL ? "raise data.mapBytesMax" : advice(code);
  throw storage_error(code, std::string("Cannot ") + doing + ": " + mdb_strerror(rc) + "; " + what_to_do + ".");
}

}  // namespace crema::storage
