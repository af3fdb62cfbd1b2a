#include "behaviors/cafeteria/customercenter.hpp"

#include <utility>

namespace crema::cafeteria {

namespace {

// The order's number is the row's; an order event knows it from its aggregate, a drink event carries it.
std::uint64_t row_of(std::int64_t order_id) { return static_cast<std::uint64_t>(order_id); }

// A canceled order goes on in the background until the cancel is settled, so its progress is kept but not shown.
template <class DrinkEvent>
void move_on(rows<mypage>& all, const DrinkEvent& e, mypage_status progress) {
  all.update(row_of(e.order_id), [&](mypage& row) {
    row.progress = progress;
    if (row.status != mypage_status::order_canceled) row.status = progress;
  });
}

orderinfo as_orderinfo(const auto& e) { return {e.order_id, e.phone_number, e.product_name, e.qty, e.status}; }

// The sum of the rows that are shown, not the event's: that one may count an order whose chain fails in the end.
void enter(rows<sale_page>& all, const auto& e, std::int64_t amt) {
  const auto before = all.last(ledger_finder, {e.phone_number, e.yyyymm});
  all.append({e.order_id, e.phone_number, e.product_name, amt, e.yyyymm, (before ? before->sum_amt : 0) + amt});
}

}  // namespace

void apply(rows<mypage>& all, const ordered& e, const event_meta& m) {
  all.put(m.id,
          {static_cast<std::int64_t>(m.id), e.phone_number, e.product_name, e.qty, e.amt, mypage_status::ordered, mypage_status::ordered});
}

void apply(rows<mypage>& all, const order_canceled&, const event_meta& m) {
  all.update(m.id, [](mypage& row) { row.status = mypage_status::order_canceled; });
}

void apply(rows<mypage>& all, const order_cancel_reverted&, const event_meta& m) {
  all.update(m.id, [](mypage& row) { row.status = row.progress; });
}

void apply(rows<mypage>& all, const receipted& e, const event_meta&) { move_on(all, e, mypage_status::receipted); }

void apply(rows<mypage>& all, const made& e, const event_meta&) { move_on(all, e, mypage_status::made); }

void apply(rows<orderinfo>& all, const drink_ordered& e, const event_meta&) { all.put(row_of(e.order_id), as_orderinfo(e)); }

void apply(rows<orderinfo>& all, const receipted& e, const event_meta&) { all.put(row_of(e.order_id), as_orderinfo(e)); }

void apply(rows<orderinfo>& all, const made& e, const event_meta&) { all.put(row_of(e.order_id), as_orderinfo(e)); }

void apply(rows<orderinfo>& all, const drink_canceled& e, const event_meta&) { all.put(row_of(e.order_id), as_orderinfo(e)); }

void apply(rows<sale_page>& all, const sale_counted& e, const event_meta&) { enter(all, e, e.amt); }

void apply(rows<sale_page>& all, const sale_uncounted& e, const event_meta&) { enter(all, e, -e.amt); }

}  // namespace crema::cafeteria
