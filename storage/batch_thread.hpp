// Threads that work off what others began: they may wait for a free core (docs/adr/0030).
#pragma once

namespace crema::storage {

/// The calling thread does not interrupt the one that wakes it; its share of the processor stays the same. Where the system refuses
/// that, all goes on as it was.
void schedule_as_batch() noexcept;

}  // namespace crema::storage
