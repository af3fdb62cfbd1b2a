// Keeps the views of one context up with the journal: committed records come in batches, rows and the new checkpoint go out in one
// commit. After a start, or when too much has come at once, it reads from the journal itself, so nothing is ever missed.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include "actors/base_actor.hpp"

#include "actors/services.hpp"
#include "storage/projection.hpp"

namespace crema::actors {

/// How often each record failed to be projected. Outlives the projector, so that a restart remembers.
using projection_failures = std::map<std::uint64_t, std::uint32_t>;

class projector : public base_actor {
 public:
  projector(caf::actor_config& cfg, services& node, const context_declaration& context, std::uint64_t epoch,
            std::shared_ptr<projection_failures> failures);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.projector"; }

 private:
  void load();
  void take(committed_batch_ptr batch);
  void work();
  bool stalled();
  bool apply_live();
  bool apply_from_journal();
  void apply(const std::shared_ptr<const storage::journal_record>& r);
  void record_shown(const storage::journal_record& r, bool failed);
  void write();
  void rest();

  services& node_;
  const context_declaration& context_;
  const fence guard_;
  std::shared_ptr<projection_failures> failures_;
  std::unique_ptr<storage::projection> views_;
  std::deque<committed_batch_ptr> pending_;
  bool reading_ = true;  // from the journal, not from pending_
  bool writing_ = false;
  bool behind_ = false;        // more is waiting than one write takes
  int rounds_left_ = 0;        // of the journal, to rest
  std::int64_t began_us_ = 0;  // of the record that is being taken in
  int listener_ = 0;
  std::uint64_t stalled_by_ = 0;  // an injected fault
};

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::committed_batch_ptr)
