// The order that the micro-benchmarks take apart and put together: as the cafeteria records and shows it.
#pragma once

#include <string>

#include "behaviors/cafeteria/order.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::bench {

inline constexpr std::uint16_t order_context = 0;

inline cafeteria::order an_order() { return {"01012345678", "coffee", 2, 1000, {1614227304716}, cafeteria::order_status::ordered, 0}; }

/// The record of a new order, as its entity makes it: one event, one confirmed hold.
inline storage::journal_record record_of_order(std::uint64_t id) {
  const auto o = an_order();
  storage::journal_record r;
  r.partition = static_cast<std::uint16_t>(id % 16);
  r.at = o.create_time;
  r.subject = r.correlation = {order_context, id, {}};
  r.version = 1;
  r.events.push_back(value::of(cafeteria::ordered{o.phone_number, o.product_name, o.qty, o.amt, o.create_time, o.status}));
  r.confirmed.push_back({{1, r.partition}, {id + 1, 0}});
  r.trace.trace_id.fill(0x5A);
  r.trace.span_id.fill(0xA5);
  return r;
}

}  // namespace crema::bench
