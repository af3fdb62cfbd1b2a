// One order as a HAL resource.
#include <benchmark/benchmark.h>

#include "behaviors/cafeteria/cafeteria.hpp"
#include "bench/micro/orders.hpp"
#include "http/hal.hpp"

namespace {

using namespace crema;

void render_order(benchmark::State& state) {
  const auto system = cafeteria::cafeteria();
  const http::route_table routes(system);
  const auto& orders = *routes.find("orders");
  const stored_row row{12345, 1, value::of(bench::an_order())};
  std::string text;
  while (state.KeepRunning()) {
    text.clear();
    http::append_resource(text, orders, "http://127.0.0.1:8080", row);
    benchmark::DoNotOptimize(text.data());
  }
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(render_order);

}  // namespace
