// A declaration is checked before anything starts: each mistake has a sentence, a good system has none.
#include "behaviors/core/declaration.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using Catch::Matchers::Contains;

// The vocabulary of a system finds decide and evolve by argument, so they live beside the types.
namespace tea_house {

using namespace crema;

struct cup {
  static constexpr std::string_view type_name = "cup";
  std::int64_t size = 0;
  std::int64_t price = 0;
  std::int64_t unlisted = 0;
  static std::vector<field_spec> fields() { return {field<&cup::size>("size"), field<&cup::price>("price")}; }
};
struct pour {
  static constexpr std::string_view type_name = "pour";
  std::int64_t size = 0;
  static std::vector<field_spec> fields() { return {field<&pour::size>("size")}; }
};
struct poured {
  static constexpr std::string_view type_name = "poured";
  std::int64_t size = 0;
  static std::vector<field_spec> fields() { return {field<&poured::size>("size")}; }
};
struct bill {
  static constexpr std::string_view type_name = "bill";
  std::int64_t sum = 0;
  static std::vector<field_spec> fields() { return {field<&bill::sum>("sum")}; }
};
struct charge {
  static constexpr std::string_view type_name = "charge";
  std::int64_t sum = 0;
  static std::vector<field_spec> fields() { return {field<&charge::sum>("sum")}; }
};
struct false_bill {  // takes the name of another type
  static constexpr std::string_view type_name = "bill";
  static std::vector<field_spec> fields() { return {}; }
};

result<outcome> decide(const cup&, const pour& c, const given&) { return record_event(poured{c.size}); }
result<outcome> decide(const bill&, const charge&, const given&) { return nothing(); }
result<outcome> decide(const false_bill&, const charge&, const given&) { return nothing(); }
void evolve(cup& s, const poured& e) { s.size = e.size; }

/// A system that is right.
void add_cup(system_builder& b) {
  b.context<cup>("cup", "cup", "cups").handles<pour>().records<poured>().on_create<pour>().finder("findBySize", &cup::size);
}
void add_bill(system_builder& b) { b.context<bill>("bill", "bill", "bills").handles<charge>(); }

struct pages : row_store {
  value last(std::string_view, const std::vector<scalar>&) override { return {}; }
  value get(std::uint64_t id) override { return kept.contains(id) ? kept[id] : value{}; }
  void put(std::uint64_t id, value row) override { kept[id] = std::move(row); }
  void erase(std::uint64_t id) override { kept.erase(id); }
  std::uint64_t next_id() override { return kept.size() + 1; }
  std::map<std::uint64_t, value> kept;
};

}  // namespace tea_house

using namespace tea_house;

TEST_CASE("declaration: a right system is built, with receivers, finders and types resolved") {
  system_builder b("teahouse");
  add_cup(b);
  add_bill(b);
  b.whenever<poured>().tell<charge>([](const poured& e) { return charge{e.size * 2}; });
  const auto system = std::move(b).build();

  REQUIRE(system.contexts.size() == 2);
  CHECK(system.contexts[1].index == 1);
  CHECK(system.contexts[1].bulkhead == "bill");
  CHECK(system.find_context("bill") == &system.contexts[1]);
  CHECK(system.find_context("nowhere") == nullptr);
  CHECK(system.receiver_of(type_of<charge>()) == &system.contexts[1]);
  CHECK(system.policies.at(0).receiver == 1);
  CHECK(system.contexts[0].resource->finders.at(0).fields == std::vector<std::size_t>{0});
  CHECK(system.catalog().at("poured") == &type_of<poured>());
  CHECK(system.all_types().size() == system.catalog().size());

  const poured e{21};
  const auto told = system.policies[0].make(&e, {});
  CHECK(told.as<charge>()->sum == 42);
}

TEST_CASE("declaration: the erased decide and evolve are the written ones") {
  system_builder b("teahouse");
  add_cup(b);
  const auto system = std::move(b).build();
  const auto& context = system.contexts[0];
  cup state;
  const pour command{3};
  const auto decided = context.handler_of(type_of<pour>())->decide(&state, &command, {});
  REQUIRE(decided.ok());
  context.evolver_of(type_of<poured>())->evolve(&state, decided->events.at(0).data());
  CHECK(state.size == 3);
  CHECK(context.handler_of(type_of<charge>()) == nullptr);
  CHECK(context.evolver_of(type_of<charge>()) == nullptr);
}

TEST_CASE("declaration: a policy may stay silent, and may name whom it tells") {
  system_builder b("teahouse");
  add_cup(b);
  add_bill(b);
  b.whenever<poured>().tell<charge>(
      [](const poured& e, const event_meta& m) {
        return e.size > 0 ? std::optional(charge{static_cast<std::int64_t>(m.id)}) : std::nullopt;
      },
      [](const poured& e) { return static_cast<std::uint64_t>(e.size) + 100; });
  const auto system = std::move(b).build();
  const auto& p = system.policies.at(0);
  const poured none{0}, some{1};
  CHECK_FALSE(static_cast<bool>(p.make(&none, {})));
  CHECK(p.make(&some, {9, 0, {}}).as<charge>()->sum == 9);
  CHECK(p.to(&some, {}) == 101);
}

TEST_CASE("declaration: a view takes in events and its rows change") {
  system_builder b("teahouse");
  add_cup(b);
  b.context("window");
  b.view<bill>("window", "page", "pages").on<poured>([](rows<bill>& all, const poured& e, const event_meta& m) {
    if (!all.get(m.id)) all.put(m.id, bill{});
    all.update(m.id, [&](bill& row) { row.sum += e.size; });
  });
  const auto system = std::move(b).build();
  const auto& view = system.views.at(0);
  CHECK(view.context == 1);
  CHECK(view.projection_of(type_of<charge>()) == nullptr);

  pages store;
  const poured e{5};
  view.projection_of(type_of<poured>())->apply(store, &e, {7, 1, {}});
  view.projection_of(type_of<poured>())->apply(store, &e, {7, 2, {}});
  CHECK(store.kept.at(7).as<bill>()->sum == 10);
}

TEST_CASE("declaration: two contexts of one name") {
  system_builder b("teahouse");
  add_cup(b);
  b.context("cup");
  CHECK_THROWS_WITH(std::move(b).build(), Contains("two contexts are called 'cup'"));
}

TEST_CASE("declaration: two collections of one name") {
  system_builder b("teahouse");
  add_cup(b);
  b.context<bill>("bill", "bill", "cups").handles<charge>();
  CHECK_THROWS_WITH(std::move(b).build(), Contains("two collections are called 'cups'"));
}

TEST_CASE("declaration: a view's collection counts too") {
  system_builder b("teahouse");
  add_cup(b);
  b.view<bill>("cup", "page", "cups");
  CHECK_THROWS_WITH(std::move(b).build(), Contains("two collections are called 'cups'"));
}

TEST_CASE("declaration: two types of one name") {
  system_builder b("teahouse");
  add_bill(b);
  b.context<false_bill>("forged", "forged", "forgeries");
  CHECK_THROWS_WITH(std::move(b).build(), Contains("two types are called 'bill'"));
}

TEST_CASE("declaration: a command that two contexts handle") {
  system_builder b("teahouse");
  add_bill(b);
  b.context<cup>("cup", "cup", "cups").handles<pour>();
  b.context<false_bill>("forged", "forged", "forgeries").handles<charge>();
  CHECK_THROWS_AS(std::move(b).build(), std::logic_error);
}

TEST_CASE("declaration: a verb for a command that the context does not handle") {
  system_builder b("teahouse");
  b.context<cup>("cup", "cup", "cups").on_create<pour>();
  CHECK_THROWS_WITH(std::move(b).build(), Contains("'cup' offers 'pour' but does not handle it"));
}

TEST_CASE("declaration: a policy that tells a command nobody handles") {
  system_builder b("teahouse");
  add_cup(b);
  b.whenever<poured>().tell<charge>([](const poured& e) { return charge{e.size}; });
  CHECK_THROWS_WITH(std::move(b).build(), Contains("nobody handles 'charge', told whenever 'poured'"));
}

TEST_CASE("declaration: a finder on a member that is not a field") {
  system_builder b("teahouse");
  b.context<cup>("cup", "cup", "cups").handles<pour>().finder("findByUnlisted", &cup::unlisted);
  CHECK_THROWS_WITH(std::move(b).build(), Contains("finder 'findByUnlisted' of 'cups' names a member that is not in the field list"));
}
