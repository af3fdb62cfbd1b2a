#include "storage/batch_thread.hpp"

#include <sched.h>

namespace crema::storage {

void schedule_as_batch() noexcept {
  const sched_param none{};
  (void)sched_setscheduler(0, SCHED_BATCH, &none);
}

}  // namespace crema::storage
