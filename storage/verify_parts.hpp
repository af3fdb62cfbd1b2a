// The checks that `verify` is made of. Each reads one snapshot and adds what it finds to the report.
//
// partition_check   one partition's chain of records, and the rows, index entries and idempotency keys of its aggregates
// log_check         all records in log order: messages, timers and dead letters left over, counters
// view_check        the views, made again in memory
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "storage/log.hpp"
#include "storage/maintenance.hpp"
#include "storage/projection.hpp"
#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

struct verify_scope {
  const snapshot& now;
  const system_declaration& system;
  const type_catalog& types;
  std::uint16_t partitions;
  verify_report& report;

  void fault(std::string text) const;
};

/// What the journal says that the derived tables hold, over all partitions.
struct derived_totals {
  std::uint64_t state_rows = 0, index_entries = 0, idempotency_keys = 0;
  std::map<std::uint16_t, std::uint64_t> collection_rows;  ///< by context
};

class partition_check {
 public:
  partition_check(const verify_scope& in, std::uint16_t partition, derived_totals& totals);
  /// `on_record` is called for each.
  void run(const std::function<void()>& on_record);

 private:
  struct aggregate {
    std::shared_ptr<void> state;
    std::string key;
    std::uint64_t version = 0;
    std::uint64_t last = 0;  // sequence of the record that wrote its row
  };
  using name = std::pair<std::uint16_t, std::uint64_t>;  // context, number
  struct name_hash {
    std::size_t operator()(const name& n) const noexcept {
      return static_cast<std::size_t>((n.second ^ (static_cast<std::uint64_t>(n.first) << 48U)) * 0x9E3779B97F4A7C15ULL);
    }
  };

  void check_chain(const raw_record& r);
  void check_end();
  void take(const journal_record& r);
  void check_order(const aggregate& a, const journal_record& r) const;
  void check_idempotency(const aggregate& a, const journal_record& r);
  void compare(const name& who, const aggregate& a);
  void compare_row(const context_declaration& context, const name& who, const aggregate& a, const value& state,
                   std::string_view bytes) const;
  void compare_indexes(const context_declaration& context, const name& who, const aggregate& a, const value& state, bool in_collection);

  const verify_scope& in_;
  const std::uint16_t partition_;
  derived_totals& totals_;
  chain_end chain_;
  std::unordered_map<name, aggregate, name_hash> aggregates_;
};

/// Rows, index entries and keys that no record accounts for, and the counts of rows. After all partitions.
void check_totals(const verify_scope& in, const derived_totals& totals, std::uint64_t view_index_entries);

class log_check {
 public:
  explicit log_check(const verify_scope& in);
  void take(const journal_record& r);
  void finish();

 private:
  using due_name = std::pair<std::int64_t, message_id>;

  void put(const journal_record& r);
  void settle(const journal_record& r);
  void note_numbers(const address& a);
  void compare_outbox() const;
  void compare_timers() const;
  void compare_dead_letters() const;
  void check_counters() const;

  const verify_scope& in_;
  // What is outstanding.
  std::set<outbox_ref> outbox_;
  std::set<due_name> timers_;
  std::set<std::uint64_t> dead_letters_;
  std::map<std::uint16_t, std::uint64_t> highest_;  // number seen, by context
  std::uint64_t next_ = 1;
};

class view_check {
 public:
  explicit view_check(const verify_scope& in);
  ~view_check();
  void take(const std::shared_ptr<const journal_record>& r);
  /// Compares, and returns how many index entries the views have.
  std::uint64_t finish();

 private:
  struct one_context;
  void write_down();
  void compare(const view_declaration& view);
  bool is_compared(const view_declaration& view) const;

  const verify_scope& in_;
  std::unique_ptr<store> scratch_;
  std::unique_ptr<log_writer> writer_;
  std::vector<one_context> contexts_;
  std::size_t unwritten_ = 0;
};

/// "order/12", for a fault's place.
std::string place_of(const system_declaration& system, std::uint16_t context, std::uint64_t id);
/// "record 4711 (partition 3)".
std::string place_of(std::uint64_t sequence, std::uint16_t partition);
/// The next record that can be read. Where blocks cannot be read, that is a fault, or passed over in silence.
std::optional<raw_record> next_readable(log_reader& log, const std::function<void(std::string)>& fault);
/// The record, or a reason why it cannot be read.
std::optional<journal_record> try_decode(const verify_scope& in, const raw_record& raw, std::string& why);

}  // namespace crema::storage
