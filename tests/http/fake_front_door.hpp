// A system of one aggregate and one view, kept in memory behind the front-door port: what the HTTP tests talk to.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "behaviors/core/front_door.hpp"

namespace fake {

using namespace crema;

enum class cup_status : std::uint8_t { ordered, canceled };

struct cup {
  static constexpr std::string_view type_name = "cup";
  std::string phone_number;
  std::int64_t qty = 0;
  cup_status status = cup_status::ordered;
  static std::vector<field_spec> fields();
};

}  // namespace fake

namespace crema {
template <>
inline constexpr std::array literals_of<fake::cup_status>{std::string_view("Ordered"), std::string_view("OrderCanceled")};
}

namespace fake {

inline std::vector<field_spec> cup::fields() {
  return {field<&cup::phone_number>("phoneNumber"), field<&cup::qty>("qty"), field<&cup::status>("status")};
}

/// A row of the view: the same cup as its customer sees it.
struct my_cup {
  static constexpr std::string_view type_name = "my_cup";
  std::string phone_number;
  std::int64_t qty = 0;
  static std::vector<field_spec> fields() { return {field<&my_cup::phone_number>("phoneNumber"), field<&my_cup::qty>("qty")}; }
};
struct place_cup {
  static constexpr std::string_view type_name = "place_cup";
  std::string phone_number;
  std::int64_t qty = 0;
  static std::vector<field_spec> fields() {
    return {field<&place_cup::phone_number>("phoneNumber").must(), field<&place_cup::qty>("qty").must().at_least(1)};
  }
};
struct cancel_cup {
  static constexpr std::string_view type_name = "cancel_cup";
  std::string reason;
  static std::vector<field_spec> fields() { return {field<&cancel_cup::reason>("reason")}; }
};
struct drop_cup {
  static constexpr std::string_view type_name = "drop_cup";
  static std::vector<field_spec> fields() { return {}; }
};
struct cup_placed {
  static constexpr std::string_view type_name = "CupPlaced";
  std::string phone_number;
  static std::vector<field_spec> fields() { return {field<&cup_placed::phone_number>("phoneNumber")}; }
};
inline result<outcome> decide(const cup&, const place_cup&, const given&) { return nothing(); }
inline result<outcome> decide(const cup&, const cancel_cup&, const given&) { return nothing(); }
inline result<outcome> decide(const cup&, const drop_cup&, const given&) { return nothing(); }
inline void evolve(cup&, const cup_placed&) {}

inline system_declaration make_system() {
  system_builder b("fake");
  b.context<cup>("cup", "cup", "cups")
      .handles<place_cup, cancel_cup, drop_cup>()
      .records<cup_placed>()
      .on_create<place_cup>()
      .on_status<cancel_cup>("OrderCanceled")
      .on_remove<drop_cup>()
      .finder("findByPhoneNumber", &cup::phone_number);
  b.view<my_cup>("cup", "mycup", "mycups").plain_finder("findByPhoneNumber", &my_cup::phone_number);
  return std::move(b).build();
}

class door final : public front_door {
 public:
  enum class mode { answer, on_thread, hold, refuse };

  ~door() override {
    for (auto& t : threads_) t.join();
  }

  const system_declaration& system() const noexcept override { return system_; }

  void ask(command_request r, answer_handler on_answer) override {
    if (on_ask) on_ask();
    std::unique_lock lock(mutex_);
    asked.push_back(r);
    if (how == mode::hold) {
      held.emplace_back(std::move(r), std::move(on_answer));
      arrived_.notify_all();
      return;
    }
    auto answer = carry_out(r);
    if (how == mode::on_thread) {
      threads_.emplace_back([on_answer = std::move(on_answer), answer = std::move(answer)] { on_answer(answer); });
      return;
    }
    lock.unlock();
    on_answer(std::move(answer));
  }

  /// Waits until `n` asks are held.
  bool wait_held(std::size_t n) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::seconds(5), [&] { return held.size() >= n; });
  }
  void release() {
    std::vector<std::pair<command_request, answer_handler>> all;
    std::vector<command_answer> answers;
    {
      const std::lock_guard lock(mutex_);
      all.swap(held);
      for (const auto& [r, h] : all) answers.push_back(carry_out(r));
    }
    for (std::size_t i = 0; i < all.size(); ++i) all[i].second(answers[i]);
  }

  std::optional<stored_row> get(collection_ref, std::uint64_t id) const override {
    const std::lock_guard lock(mutex_);
    const auto at = rows.find(id);
    return at == rows.end() ? std::nullopt : std::optional(at->second);
  }
  result<page> list(collection_ref, const page_request& p) const override {
    last_page = p;
    return cut([](const cup&) { return true; }, p);
  }
  result<page> find(collection_ref from, const finder_declaration&, const std::vector<scalar>& arguments,
                    const page_request& p) const override {
    last_page = p;
    const auto phone = std::string(std::get<std::string_view>(arguments.at(0)));
    auto found = cut([&](const cup& c) { return c.phone_number == phone; }, p);
    found.complete = found.total <= p.scan_limit;
    if (from.view)
      for (auto& r : found.rows) r.row = value::of(my_cup{phone, r.row.as<cup>()->qty});
    return found;
  }
  std::string_view history() const noexcept override { return "00000000000feed1"; }
  std::uint64_t next_offset() const override {
    const std::lock_guard lock(mutex_);
    return log.empty() ? 1 : log.back().offset + 1;
  }
  event_page events(const event_query& q) const override {
    if (on_events) on_events(q);
    const std::lock_guard lock(mutex_);
    event_page found;
    found.next = q.from;
    found.at_end = true;
    std::uint32_t seen = 0;
    for (const auto& e : log) {
      if (e.offset < q.from || (q.id && e.id != *q.id)) continue;
      if (found.events.size() == q.limit || seen++ == q.scan_limit) return (found.at_end = false, found);
      found.events.push_back(e);
      found.next = e.offset + 1;
    }
    return found;
  }
  std::unique_ptr<subscription> subscribe(std::function<void()> wake) override {
    struct ended final : subscription {};
    const std::lock_guard lock(mutex_);
    wakes.push_back(std::move(wake));
    return std::make_unique<ended>();
  }

  bool is_ready = true;
  bool ready() const noexcept override { return is_ready; }
  bool live() const noexcept override { return injected.empty() || injected.back().at("kind") != "zombie"; }
  nlohmann::json health() const override { return {{"journal", {{"status", "UP"}}}}; }
  nlohmann::json circuit_breakers() const override { return nlohmann::json::array(); }
  nlohmann::json supervisors() const override { return nlohmann::json::object(); }
  nlohmann::json traces(std::string_view) const override { return nlohmann::json::array(); }
  nlohmann::json causal_tree(std::uint16_t, std::uint64_t id) const override {
    const std::lock_guard lock(mutex_);
    if (!rows.contains(id)) return {};
    return {{"aggregate", "cup/" + std::to_string(id)}, {"steps", nlohmann::json::array()}};
  }
  std::string metrics() const override { return "up 1\n"; }
  nlohmann::json contexts() const override { return nlohmann::json::array({{{"name", "cup"}, {"state", "running"}}}); }
  void switch_context(std::string_view, bool, std::function<void(std::optional<rejection>)> done) override { done(std::nullopt); }
  nlohmann::json dead_letters() const override { return nlohmann::json::array(); }
  void settle_dead_letter(std::uint64_t id, bool, std::function<void(std::optional<rejection>)> done) override {
    done(id == 1 ? std::nullopt : std::optional(rejection::not_found("There is no such dead letter.")));
  }
  nlohmann::json faults() const override { return injected; }
  result<nlohmann::json> add_fault(const nlohmann::json& fields) override {
    if (!fields.contains("kind")) return rejection::invalid("kind", "Field 'kind' is required.");
    auto f = fields;
    f["id"] = ++last_fault;
    injected.push_back(f);
    return f;
  }
  std::size_t remove_faults(std::optional<std::uint64_t> id) override {
    return std::erase_if(injected, [&](const nlohmann::json& f) { return !id || f.at("id") == *id; });
  }
  void backup(const std::string&, std::function<void(std::optional<rejection>)> done) override { done(std::nullopt); }

  /// Adds a cup as if it had been ordered.
  std::uint64_t put(std::string phone, std::int64_t qty) {
    std::vector<std::function<void()>> woken;
    const auto id = [&] {
      const std::lock_guard lock(mutex_);
      woken = wakes;
      return add({std::move(phone), qty, cup_status::ordered});
    }();
    for (const auto& w : woken) w();
    return id;
  }

  mode how = mode::answer;
  std::function<void()> on_ask;                       ///< called first, on the asking thread
  std::function<void(const event_query&)> on_events;  ///< called first, on the reading thread
  std::vector<nlohmann::json> injected;
  std::uint64_t last_fault = 0;
  rejection refusal = rejection::conflict("no");
  bool replayed = false;
  std::vector<command_request> asked;
  std::vector<std::pair<command_request, answer_handler>> held;
  std::map<std::uint64_t, stored_row> rows;
  std::vector<stored_event> log;
  std::vector<std::function<void()>> wakes;
  mutable page_request last_page;

 private:
  template <class Matches>
  page cut(Matches matches, const page_request& p) const {
    const std::lock_guard lock(mutex_);
    page found;
    std::vector<stored_row> all;
    for (const std::pair<const std::uint64_t, stored_row>& entry : rows)
      if (matches(*entry.second.row.as<cup>())) all.push_back(entry.second);
    if (!p.sort.empty() && p.sort.front().descending) std::reverse(all.begin(), all.end());
    found.total = all.size();
    for (auto i = p.offset; i < all.size() && i < p.offset + p.limit; ++i) found.rows.push_back(all[i]);
    return found;
  }
  std::uint64_t add(cup c) {
    const auto id = rows.size() + 1;
    log.push_back({log.size() + 1, 0, id, timestamp{1611025319000}, {}, value::of(cup_placed{c.phone_number})});
    rows[id] = {id, 1, value::of(std::move(c))};
    return id;
  }
  command_answer carry_out(const command_request& r) {
    command_answer answer;
    answer.replayed = replayed;
    if (how == mode::refuse) return (answer.refused = refusal, answer);
    if (const auto* place = r.command.as<place_cup>()) {
      answer.resource = rows[add({place->phone_number, place->qty, cup_status::ordered})];
      return answer;
    }
    const auto at = rows.find(*r.id);
    if (at == rows.end()) return (answer.refused = rejection::not_found("There is no such cup."), answer);
    if (r.expected_version && *r.expected_version != at->second.version)
      return (answer.refused = rejection{rejection_kind::stale, "Changed meanwhile.", {}, 0}, answer);
    if (const auto* f = changed_since(r.read_only, at->second.row.data()))
      return (answer.refused = rejection::invalid(std::string(f->name), "Not so any more."), answer);
    auto changed = *at->second.row.as<cup>();
    changed.status = cup_status::canceled;
    at->second = {at->first, at->second.version + 1, value::of(std::move(changed))};
    answer.resource = at->second;
    return answer;
  }

  system_declaration system_ = make_system();
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::thread> threads_;
};

}  // namespace fake
