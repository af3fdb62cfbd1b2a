// The binary form of an order's row and of its journal record: written and read.
#include <benchmark/benchmark.h>

#include "bench/micro/orders.hpp"

namespace {

using namespace crema;

void encode_order(benchmark::State& state) {
  const auto order = bench::an_order();
  std::string bytes;
  while (state.KeepRunning()) {
    bytes.clear();
    encode_fields(type_of<cafeteria::order>(), &order, bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(encode_order);

void decode_order(benchmark::State& state) {
  const auto order = bench::an_order();
  std::string bytes;
  encode_fields(type_of<cafeteria::order>(), &order, bytes);
  while (state.KeepRunning()) benchmark::DoNotOptimize(decode_fields(type_of<cafeteria::order>(), 1, bytes));
}
BENCHMARK(decode_order);

void encode_record(benchmark::State& state) {
  const auto record = bench::record_of_order(1);
  std::size_t bytes = 0;
  while (state.KeepRunning()) {
    const auto body = storage::encode_body(record);
    benchmark::DoNotOptimize(body.data());
    bytes = body.size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(encode_record);

void decode_record(benchmark::State& state) {
  const type_catalog types{{cafeteria::ordered::type_name, &type_of<cafeteria::ordered>()}};
  const auto body = storage::encode_body(bench::record_of_order(1));
  while (state.KeepRunning()) benchmark::DoNotOptimize(storage::decode_body(7, 1, body, types));
}
BENCHMARK(decode_record);

}  // namespace
