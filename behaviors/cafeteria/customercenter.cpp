#include "behaviors/cafeteria/customercenter.hpp"

#include <utility>

namespace crema::cafeteria {

namespace {

// The order's number is the row's; an order event knows it from its aggregate, a drink event carries it.
std::uint64_t row_of(std::int64_t order_id) { return static_cast<std::uint64_t>(order_id); }

// A canceled order goes on in the background until the cancel is settled, so its progress is kept but not shown.
template <class DrinkEvent>
void move_on(rows<mypage>& all, const DrinkEvent& e, mypage_status progress) {
  // The drink is known to the barista a moment before the order itself is recorded; then it begins the row.
  auto row = all.get(row_of(e.order_id)).value_or(mypage{e.order_id, e.phone_number, e.product_name, e.qty, e.amt, progress, progress});
  row.progress = progress;
  if (row.status != mypage_status::order_canceled) row.status = progress;
  all.put(row_of(e.order_id), std::move(row));
}

orderinfo as_orderinfo(const auto& e) { return {e.order_id, e.phone_number, e.product_name, e.qty, e.status}; }

}  // namespace

void apply(rows<mypage>& all, const ordered& e, const event_meta& m) {
  const auto begun = all.get(m.id);
  const auto progress = begun ? begun->progress : mypage_status::ordered;
  all.put(m.id, {static_cast<std::int64_t>(m.id), e.phone_number, e.product_name, e.qty, e.amt, progress, progress});
}

void apply(rows<mypage>& all, const order_canceled&, const event_meta& m) {
  all.update(m.id, [](mypage& row) { row.status = mypage_status::order_canceled; });
}

void apply(rows<mypage>& all, const order_cancel_reverted&, const event_meta& m) {
  all.update(m.id, [](mypage& row) { row.status = row.progress; });
}

void apply(rows<mypage>& all, const receipted& e, const event_meta&) { move_on(all, e, mypage_status::receipted); }

void apply(rows<mypage>& all, const made& e, const event_meta&) { move_on(all, e, mypage_status::made); }

void apply(rows<mypage>& all, const drink_canceled& e, const event_meta&) {
  if (e.voided) all.erase(row_of(e.order_id));
}

void apply(rows<orderinfo>& all, const drink_ordered& e, const event_meta&) { all.put(row_of(e.order_id), as_orderinfo(e)); }

void apply(rows<orderinfo>& all, const receipted& e, const event_meta&) { all.put(row_of(e.order_id), as_orderinfo(e)); }

void apply(rows<orderinfo>& all, const made& e, const event_meta&) { all.put(row_of(e.order_id), as_orderinfo(e)); }

void apply(rows<orderinfo>& all, const drink_canceled& e, const event_meta&) {
  if (e.voided)
    all.erase(row_of(e.order_id));
  else
    all.put(row_of(e.order_id), as_orderinfo(e));
}

void apply(rows<sale_page>& all, const sale_counted& e, const event_meta&) {
  all.append({e.order_id, e.phone_number, e.product_name, e.amt, e.yyyymm, e.sum_amt});
}

void apply(rows<sale_page>& all, const sale_uncounted& e, const event_meta&) {
  all.append({e.order_id, e.phone_number, e.product_name, -e.amt, e.yyyymm, e.sum_amt});
}

}  // namespace crema::cafeteria
