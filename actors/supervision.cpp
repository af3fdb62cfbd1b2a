#include "actors/supervision.hpp"

namespace crema::actors {

std::string_view name_of(strategy s) noexcept {
  constexpr std::string_view names[] = {"one_for_one", "one_for_all", "rest_for_one"};
  return names[static_cast<std::size_t>(s)];
}

std::string_view name_of(lifetime l) noexcept {
  constexpr std::string_view names[] = {"permanent", "transient", "temporary"};
  return names[static_cast<std::size_t>(l)];
}

restart_plan restart_strategy::on_end(std::size_t ended, ending why, const std::vector<bool>& running, std::int64_t now_ms,
                                      std::uint64_t random) {
  restart_plan plan;
  const auto lives = children_.at(ended);
  if (lives == lifetime::temporary || (lives == lifetime::transient && why == ending::normal)) return plan;
  if (why == ending::isolated) {
    plan.wait = *isolated_.on_failure(now_ms, random);
    plan.start = {ended};
    return plan;
  }
  const auto wait = limit_.on_failure(now_ms, random);
  plan.escalate = !wait;
  plan.wait = wait.value_or(milliseconds(0));
  const auto first = how_ == strategy::rest_for_one && !plan.escalate ? ended : 0;
  for (std::size_t i = first; i < children_.size(); ++i) {
    const bool with_it = how_ != strategy::one_for_one || plan.escalate;
    if (i != ended && !with_it) continue;
    if (i != ended && running[i]) plan.stop.push_back(i);
    // A sibling that is waiting for its own restart is started with the others; one that ended for good stays so.
    if (!plan.escalate && children_[i] != lifetime::temporary && (i == ended || running[i])) plan.start.push_back(i);
  }
  std::reverse(plan.stop.begin(), plan.stop.end());
  return plan;
}

}  // namespace crema::actors
