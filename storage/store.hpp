// The storage port: ordered tables of bytes with one writer and many readers at a committed state. Nothing above it knows LMDB.
//
// Behind it: lmdb/ (the real one), memory/ (same contract, for simulation), faulty/ (wraps one and injects failures).
// Layout of keys and values: storage/layout.hpp and docs/formats/.
//
// Thread-safety: read() from any thread; write() from one thread at a time. A snapshot belongs to the thread that took it, is
// short, and is never held across messages. Views returned by a snapshot or cursor die with it (or with the next cursor step).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace crema::storage {

/// Order and names are FROZEN: they are the databases on disk.
enum class table : std::uint8_t { journal, state, index, views, outbox, timers, idempotency, deadletters, meta, deferred, schemas };
inline constexpr std::size_t table_count = 11;
std::string_view name_of(table t) noexcept;

enum class storage_errc : std::uint8_t {
  full,         ///< no space left on the disk, or the map's limit is reached
  io,           ///< a write or a sync failed: what is on disk is not known, the node must stop and recover
  locked,       ///< another process has this directory open
  corrupt,      ///< what was read cannot be right
  format,       ///< written by another version, or not a crema directory
  unsupported,  ///< a key is too long, or the file system cannot do what LMDB needs
  stopped,      ///< somebody asked for the end of what was under way
};

/// Operational failure of the store. `what()` is one sentence for the operator, with what to do.
class storage_error : public std::runtime_error {
 public:
  storage_error(storage_errc code, const std::string& what) : std::runtime_error(what), code_(code) {}
  storage_errc code() const noexcept { return code_; }

 private:
  storage_errc code_;
};

inline constexpr std::size_t max_key_bytes = 500;  // LMDB's limit is 511

/// Stands before the first key at first, and after prev() found none; next() goes to the first key from there.
/// A cursor of a transaction may be stepped after a put or erase: it goes on from its key, also if that is gone.
class cursor {
 public:
  virtual ~cursor() = default;
  /// To the first key ≥ `key`. False: there is none (the cursor is then at the end, and prev() goes to the last key).
  virtual bool seek(std::string_view key) = 0;
  virtual bool next() = 0;
  virtual bool prev() = 0;
  /// To the last key < `key`.
  virtual bool seek_before(std::string_view key) { return (void)seek(key), prev(); }
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
};

class snapshot {
 public:
  virtual ~snapshot() = default;
  virtual std::optional<std::string_view> get(table t, std::string_view key) const = 0;
  virtual std::unique_ptr<cursor> open(table t) const = 0;
  virtual std::uint64_t count(table t) const = 0;
};

/// Sees its own changes. Without commit() it leaves no trace. What its get() returned dies with the next put or erase.
class transaction : public snapshot {
 public:
  virtual void put(table t, std::string_view key, std::string_view value) = 0;  ///< the key has 1 … max_key_bytes bytes
  virtual bool erase(table t, std::string_view key) = 0;                        ///< false: it was not there
  /// Returns once everything is on disk. Throws storage_error; then nothing of it may be taken as done.
  virtual void commit() = 0;
};

enum class shortage : std::uint8_t {
  none,
  disk,   ///< the disk's room
  limit,  ///< what the store may grow to
};

struct store_usage {
  std::uint64_t bytes_used = 0;   ///< pages in use
  std::uint64_t bytes_limit = 0;  ///< what the store may grow to
};

class store {
 public:
  virtual ~store() = default;
  virtual std::unique_ptr<snapshot> read() const = 0;
  virtual std::unique_ptr<transaction> write() = 0;
  /// False: no commit that has ended left a key that begins with `prefix`, whatever a snapshot would cost to say so. Any thread.
  virtual bool may_have(table /*t*/, std::string_view /*prefix*/) const noexcept { return true; }
  /// A hot, consistent copy of everything committed. `directory` is new or empty. Blocks; ends soon after `stop` is asked for.
  /// Throws storage_error: full (the copy would take room that the store wants free), stopped, unsupported, io.
  virtual void copy_to(const std::filesystem::path& directory, const std::stop_token& stop) const = 0;
  virtual store_usage usage() const = 0;
  /// What there is no more of, beyond what is under way needs: then nothing new should begin. Any thread, at the price of a load.
  virtual shortage short_of() const noexcept = 0;
  bool has_room() const noexcept { return short_of() == shortage::none; }
  /// Looks whether there is room again, as each commit does. Call now and then: where nothing begins, nothing commits.
  virtual void make_room() noexcept = 0;
  /// Why what is there may not be whole: it is a copy of a file that was being written, or cut short. Empty: nothing speaks for that.
  /// Then nothing can be written before accept(), which is for who has checked all of it (storage/maintenance.hpp: check_whole).
  virtual std::string doubt() const { return {}; }
  virtual void accept() {}
  /// Gives memory of cached pages back to the system. Call when idle.
  virtual void trim() noexcept {}
};

}  // namespace crema::storage
