// A virtual node that a test steps by hand, with what tests ask of one.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/faulty/faulty_store.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/support/virtual_node.hpp"

namespace crema::testing {

class stepped_node : public virtual_node {
 public:
  explicit stepped_node(system_declaration system, actors::runtime_settings settings = {}, std::shared_ptr<storage::store> disk = nullptr)
      : virtual_node(std::move(system), std::move(settings),
                     disk ? std::move(disk) : std::shared_ptr<storage::store>(storage::make_memory_store())) {
    start();
  }

  struct pending {
    std::optional<command_answer> answer;  // the first one
    int answers = 0;                       // checked by whoever waits: nothing may be thrown from within an answer
    bool done() const { return answer.has_value(); }
    bool ok() const { return done() && !answer->refused; }
  };
  /// Sends without stepping.
  template <record Command>
  std::shared_ptr<pending> send(std::string_view context, std::optional<std::uint64_t> id, Command c,
                                std::optional<idempotency_key> key = {}, std::optional<std::uint64_t> version = {},
                                std::chrono::milliseconds time_limit = std::chrono::milliseconds(5000)) {
    command_request r;
    r.context = system().context_named(context).index;
    r.id = id;
    r.command = value::of(std::move(c));
    r.idempotency = key;
    r.expected_version = version;
    r.time_limit = time_limit;
    return send(std::move(r));
  }
  std::shared_ptr<pending> send(command_request r) {
    auto p = std::make_shared<pending>();
    node().ask(std::move(r), [p](command_answer a) {
      if (++p->answers == 1) p->answer = std::move(a);
    });
    return p;
  }
  /// Sends and settles; the answer must be there.
  template <record Command>
  command_answer ask(std::string_view context, std::optional<std::uint64_t> id, Command c, std::optional<idempotency_key> key = {}) {
    const auto p = send(context, id, std::move(c), key);
    settle();
    REQUIRE(p->answers == 1);
    return *p->answer;
  }

  template <record Row>
  std::optional<Row> row(std::string_view context, std::uint64_t id) {
    const auto found = node().get({false, system().context_named(context).index}, id);
    return found ? std::optional<Row>(*found->row.as<Row>()) : std::nullopt;
  }
  template <record Row>
  std::optional<Row> view_row(std::uint16_t view, std::uint64_t id) {
    const auto found = node().get({true, view}, id);
    return found ? std::optional<Row>(*found->row.as<Row>()) : std::nullopt;
  }
  std::vector<std::string> event_names() {
    std::vector<std::string> names;
    event_query q;
    q.limit = 10000;
    for (const auto& e : node().events(q).events) names.emplace_back(e.event.type().name);
    return names;
  }
  void switch_context(std::string_view name, bool running) {
    const auto switched = std::make_shared<bool>(false);  // told later than this call lasts, where a test fails
    node().switch_context(name, running, [switched](std::optional<rejection> why) { *switched = !why; });
    settle();
    for (int i = 0; i < 100 && !*switched; ++i) advance(std::chrono::milliseconds(1));
    REQUIRE(*switched);
  }
  std::uint64_t rows_in(storage::table t) { return disk()->read()->count(t); }
};

}  // namespace crema::testing
