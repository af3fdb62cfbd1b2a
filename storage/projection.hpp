// Builds the views of one context from the journal's records: the one code path for live views, catching up, and rebuilding.
//
// A step taken for an asker (a record with a hold) is shown only when a later record confirms it; a step that was undone, and
// what undid it, are never shown. So a chain that failed leaves no trace in any view.
//
// Belongs to one thread at a time. The caller feeds records in log order, then takes what is to be written.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "storage/log.hpp"
#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

class projection {
 public:
  /// Reads the context's checkpoint. Throws storage_error or decode_error where it cannot be read.
  projection(const system_declaration& system, std::uint16_t context, const store& s, const type_catalog& types);
  ~projection();

  /// Sequence up to which (exclusive) everything was taken in.
  std::uint64_t position() const noexcept { return position_; }

  /// Takes in one record; older ones than position() are ignored. What a projection throws passes through; the object is then
  /// to be thrown away (a new one starts from the last written checkpoint).
  void apply(const std::shared_ptr<const journal_record>& record);
  /// Called with each record whose events were shown just now.
  void on_shown(std::function<void(const journal_record&)> tell) { tell_ = std::move(tell); }
  /// Leaves this record's events out of every view: for an event on which a view always throws.
  void skip(std::uint64_t sequence) { skipped_.insert(sequence); }

  /// The changes since the last take, with the new checkpoint. Nothing if no row changed and no step is pending or was settled.
  std::optional<commit_item> take();

 private:
  class overlay;
  using records = std::vector<std::shared_ptr<const journal_record>>;

  bool relevant(const journal_record& r) const;
  void show(const journal_record& r);
  void load(const snapshot& s);
  std::string checkpoint() const;

  const system_declaration& system_;
  std::uint16_t context_;
  const type_catalog& types_;
  std::uint64_t position_ = 0;
  std::map<outbox_ref, records> pending_;  ///< by the hold they wait for
  std::set<std::uint64_t> skipped_;
  std::unique_ptr<overlay> changes_;
  bool checkpoint_changed_ = false;
  std::function<void(const journal_record&)> tell_;
};

/// Forgets every row and checkpoint of all views, then projects the whole journal again. The node must not be running.
/// Until all is made, nothing else goes on from there (storage/format.hpp: making). Where a view throws, what is made is whole as far
/// as it goes: it is taken up there by who serves it. `progress(records done)` is called now and then.
void rebuild_views(store& s, const system_declaration& system, std::uint16_t partitions,
                   const std::function<void(std::uint64_t)>& progress);

}  // namespace crema::storage
