// What one durable commit costs: the yardstick of the row `single`. The store that a node has, with its flags and its tables, and one
// record of 250 bytes appended to the journal by each commit. Nothing else is written.
//
//   commit_cost DIRECTORY SECONDS     a new directory. Prints {"commits", "p50_us", "p99_us"}.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/layout.hpp"
#include "storage/lmdb/lmdb_store.hpp"

namespace {

using namespace crema;
using steady = std::chrono::steady_clock;

constexpr std::size_t record_bytes = 250;
constexpr std::uint64_t warm_up_commits = 100;

std::vector<double> commit_for(storage::store& disk, std::chrono::seconds limit) {
  const std::string record(record_bytes, 'r');
  std::vector<double> took_us;
  std::uint64_t sequence = 0;
  for (const auto end = steady::now() + limit; steady::now() < end;) {
    const auto begun = steady::now();
    const auto tx = disk.write();
    tx->put(storage::table::journal, storage::journal_key(++sequence), record);
    tx->commit();
    if (sequence > warm_up_commits) took_us.push_back(std::chrono::duration<double, std::micro>(steady::now() - begun).count());
  }
  std::sort(took_us.begin(), took_us.end());
  return took_us;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size() && n > 0 ? std::optional(n) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto seconds = argc == 3 ? number(argv[2]) : std::nullopt;
  if (!seconds) {
    std::fputs("usage: commit_cost DIRECTORY SECONDS\n", stderr);
    return 2;
  }
  const auto disk = storage::open_lmdb(argv[1]);
  const auto took = commit_for(*disk, std::chrono::seconds(*seconds));
  if (took.empty()) {
    std::fputs("commit_cost: the disk is too slow to say anything in this time; give more seconds\n", stderr);
    return 1;
  }
  const auto at = [&](std::size_t percent) { return took[(took.size() - 1) * percent / 100]; };
  std::printf("{\"commits\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", took.size(), at(50), at(99));
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "commit_cost: %s\n", e.what());
  return 1;
}
