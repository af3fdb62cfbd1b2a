// What must be true of every run, whatever the system: each check is one function, reads only, and adds a sentence for what it finds.
#pragma once

#include <vector>

#include "tests/sim/final_state.hpp"
#include "tests/sim/findings.hpp"
#include "tests/sim/transport.hpp"

namespace crema::sim {

/// Every record, in log order.
std::vector<storage::journal_record> read_journal(const storage::store& store, const system_declaration& system);

/// Every request was answered once; one whose connection broke with the node, at most once and never with a yes.
void check_exchanges(const std::vector<exchange_ptr>& all, findings& found);
/// What was answered 2xx is in the journal, as it was answered.
void check_acknowledged(const final_state& end, findings& found);
/// A key was used for one record; a request that was not repeated made one thing at the most.
void check_effects_once(const final_state& end, findings& found);
/// Every durable message was settled once, and was put before.
void check_messages_once(const final_state& end, findings& found);
/// Between each sender and receiver, messages were consumed in the order in which they were put.
void check_order(const final_state& end, findings& found);
/// Each aggregate is the fold of its journal, and what is gone is not shown.
void check_folds(const final_state& end, findings& found);
/// Every notification was delivered, under the name of its message, and none that is not in the journal.
void check_letters(const final_state& end, findings& found);
/// Nobody's message was given up.
void check_no_dead_letters(const final_state& end, findings& found);
/// What `crema verify` finds: checksums, rows, index entries, outbox, views made again …
void check_verify(const final_state& end, findings& found);

/// All of them that look at the final state.
void check_everything(const final_state& end, findings& found);

}  // namespace crema::sim
