// The node's log: writes batches of steps in one transaction each, and reads records back in log order.
//
// log_reader belongs to the thread and snapshot that it was made with.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/journal_block.hpp"
#include "storage/layout.hpp"
#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

struct row_write {
  collection_ref where;
  std::uint64_t id = 0;
  std::string bytes;  ///< empty: the row goes
};

/// What one step changes on disk. A step without a record (a view's progress) is derived data.
struct commit_item {
  std::shared_ptr<const journal_record> record;  ///< with its sequence
  std::string body;                              ///< encode_body(*record)
  std::vector<row_write> rows;                   ///< the subject's own state row first
  std::vector<std::string> index_put, index_erase;
  std::vector<std::pair<std::string, std::uint64_t>> unique_put;  ///< unique_key → id
  std::vector<std::pair<collection_ref, int>> row_delta;          ///< rows more or fewer in a collection
  std::vector<std::string> idempotency_erase;                     ///< keys whose time is over …
  timestamp idempotency_before;                                   ///< … if their entry is older than this by then
  std::vector<std::pair<std::string, std::string>> meta;
};

/// Where the chain of a partition's records ends.
struct chain_end {
  std::uint64_t sequence = 0;  ///< of its last record; 0: it has none
  std::uint64_t checksum = 0;
};
chain_end read_chain_end(const snapshot& s, std::uint16_t partition);

/// Steps on their way to disk are gathered into a batch, which is then written: two threads may share the work, one that gathers the
/// next batch while the other writes the one before.
class log_writer {
 public:
  /// Reads where the log ends. Throws storage_error (corrupt) where the tail does not match its checksum.
  log_writer(store& s, std::uint16_t partitions, std::size_t contexts);

  std::uint64_t next_sequence() const noexcept { return next_sequence_; }

  /// What some steps change together; later changes of a key replace earlier ones.
  class batch {
   public:
    batch() = default;
    batch(batch&&) noexcept = default;
    batch& operator=(batch&&) noexcept = default;

    std::size_t size() const noexcept { return steps_.size(); }

   private:
    friend class log_writer;
    // What these point to lives in steps_. An entry is either a message or a hold.
    struct outbox_entry {
      const stored_message* message = nullptr;
      const hold* held = nullptr;
    };
    struct change {
      table where;
      std::string key;
      std::optional<std::string> value;  // nothing: erased
    };
    struct row {
      collection_ref where;
      std::uint64_t id;
      std::string_view bytes;  // empty: the row goes
      auto place() const noexcept { return std::pair(where, id); }
    };
    struct index_change {
      std::string_view key;
      bool stays;        // false: erased
      std::uint64_t id;  // the value; 0: empty
      std::string_view place() const noexcept { return key; }
    };
    std::deque<commit_item> steps_;
    block_builder block_;
    std::vector<change> in_order_;
    std::vector<row> rows_;
    std::vector<index_change> index_;
    std::map<outbox_ref, outbox_entry> fresh_;
    std::map<std::uint16_t, chain_end> chains_;        // by partition
    std::map<std::uint16_t, std::uint64_t> counters_;  // by context
    std::map<collection_ref, std::uint64_t> row_counts_;
    std::map<std::string, std::string> meta_;                   // whatever else
    std::vector<std::pair<std::string, timestamp>> forgotten_;  // idempotency keys, if older than this
    std::uint64_t next_sequence_ = 0;                           // 0: no records
  };

  /// Steps come in the order of the log. One thread at a time.
  void gather(batch& into, commit_item step);
  /// One transaction. One thread at a time, batches in the order in which they were gathered. Throws storage_error; then nothing may be
  /// taken as done and the writer is not to be used again.
  void write(batch& gathered) const;
  /// The two in one; takes the steps out of their places.
  void write(std::span<commit_item> steps);

 private:
  void gather_record(batch& into, const commit_item& step);
  static void close_block(batch& into);
  void deal(batch& into, const address& a);
  void count(batch& into, collection_ref c, int n);

  store& store_;
  std::vector<chain_end> chains_;        ///< by partition
  std::vector<std::uint64_t> counters_;  ///< highest number dealt, by context
  std::map<collection_ref, std::uint64_t> row_counts_;
  std::uint64_t next_sequence_ = 1;
};

/// The first sequence that no record has yet.
std::uint64_t next_sequence(const snapshot& s);

/// The record that begins with this sequence, or null. Throws storage_error (corrupt) or decode_error.
std::shared_ptr<journal_record> read_record(const snapshot& s, std::uint64_t sequence, const type_catalog& types);

/// Records in log order.
class log_reader {
 public:
  /// Begins with the record that holds offset `from`, or the next one; an earlier record may come before it, as only decoding tells
  /// how many offsets a record takes up.
  log_reader(const snapshot& s, std::uint64_t from);
  /// The next record, or nothing at the end; its body dies with the next call. Throws storage_error (corrupt) for a block that cannot
  /// be read on; the call after that begins with the next block.
  std::optional<raw_record> next();

 private:
  void to_next_block();

  std::unique_ptr<cursor> at_;
  bool there_;                         // the cursor stands at a block
  std::optional<block_reader> block_;  // that block; empty before its first record
  std::uint64_t from_ = 0;             // records of its first block that end before this are passed over
};

std::string idempotency_value(std::uint64_t fingerprint, timestamp at, const address& subject, std::string_view row_bytes);
struct idempotency_entry {
  std::uint64_t fingerprint = 0;
  timestamp at;
  std::uint16_t context = 0;
  std::uint64_t id = 0;
  std::string_view row_bytes;
};
idempotency_entry decode_idempotency(std::string_view bytes);

}  // namespace crema::storage
