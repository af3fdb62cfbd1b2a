// A block of index entries: written, taken apart, and looked into. Thirty phone numbers with the six entries that an order adds to each.
#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "storage/entry_block.hpp"
#include "storage/layout.hpp"

namespace {

using namespace crema;

storage::entry_block thirty_customers() {
  storage::entry_block block;
  for (std::uint64_t customer = 0; customer < 30; ++customer) {
    const auto phone = "010-4321-" + std::to_string(1000 + customer * 37);
    const auto number = 1'000'000 + customer * 7'919'993 % 1'000'000;
    const auto put = [&](collection_ref c, std::size_t finder, const std::vector<scalar>& values, std::uint64_t row) {
      block.put(storage::index_prefix(c, finder, values, false) + storage::number_key(row), "");
    };
    const std::string_view text = phone, month = "202611";
    put({false, 0}, 0, {text}, number);
    put({false, 3}, 0, {text, month}, number - 100);
    put({true, 0}, 0, {text}, number);
    put({true, 2}, 0, {text}, number + 9);
    put({true, 2}, 1, {text, month}, number + 9);
    block.put(storage::unique_key(3, phone + "|202611"), storage::number_key(number - 100));
  }
  return block;
}

std::string encoded(const storage::entry_block& block) {
  std::size_t next = 0;
  return block.encode(0, std::numeric_limits<std::size_t>::max(), next);
}

void per_entry(benchmark::State& state, std::size_t entries, std::size_t bytes) {
  state.SetItemsProcessed(static_cast<std::int64_t>(static_cast<std::size_t>(state.iterations()) * entries));
  state.counters["bytes_an_entry"] = static_cast<double>(bytes) / static_cast<double>(entries);
}

void encode_entries(benchmark::State& state) {
  const auto block = thirty_customers();
  while (state.KeepRunning()) benchmark::DoNotOptimize(encoded(block).data());
  per_entry(state, block.size(), encoded(block).size());
}
BENCHMARK(encode_entries);

void load_entries(benchmark::State& state) {
  const auto bytes = encoded(thirty_customers());
  storage::entry_block block;
  while (state.KeepRunning()) {
    block.load(bytes);
    benchmark::DoNotOptimize(block.size());
  }
  per_entry(state, block.size(), bytes.size());
}
BENCHMARK(load_entries);

void find_last_entry(benchmark::State& state) {
  const auto block = thirty_customers();
  const auto bytes = encoded(block);
  const std::string key(block.key(block.size() - 1));
  while (state.KeepRunning()) benchmark::DoNotOptimize(storage::find_in_block(bytes, key));
  per_entry(state, block.size(), bytes.size());
}
BENCHMARK(find_last_entry);

}  // namespace
