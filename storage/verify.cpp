#include <chrono>
#include <iostream>

#include "storage/format.hpp"
#include "storage/layout.hpp"
#include "storage/verify_parts.hpp"

namespace crema::storage {

void verify_scope::fault(std::string text) const {
  ++report.faults_total;
  if (report.faults.size() < verify_report::faults_max) report.faults.push_back(std::move(text));
}

std::string place_of(const system_declaration& system, std::uint16_t context, std::uint64_t id) {
  return (context < system.contexts.size() ? system.contexts[context].name : "context " + std::to_string(context)) + "/" +
         std::to_string(id);
}

std::string place_of(std::uint64_t sequence, std::uint16_t partition) {
  return "record " + std::to_string(sequence) + " (partition " + std::to_string(partition) + ")";
}

std::optional<raw_record> next_readable(log_reader& log, const std::function<void(std::string)>& fault) {
  for (;;) try {
      return log.next();
    } catch (const storage_error& e) {
      if (e.code() != storage_errc::corrupt) throw;
      if (fault) fault(e.what());
    }
}

std::optional<journal_record> try_decode(const verify_scope& in, const raw_record& raw, std::string& why) {
  try {
    return decode_body(raw.sequence, raw.partition, raw.body, in.types);
  } catch (const std::exception& e) {
    why = e.what();
    return std::nullopt;
  }
}

void progress_to_stderr(const std::string& what, std::uint64_t done) { std::cerr << "crema: " << what << ": " << done << '\n'; }

namespace {

// Counts, and tells at every progress_every.
class ticker {
 public:
  ticker(const progress_handler& tell, std::string what) : tell_(tell), what_(std::move(what)) {}
  void tick() {
    if (++done_ % progress_every == 0) tell_(what_, done_);
  }

 private:
  const progress_handler& tell_;
  std::string what_;
  std::uint64_t done_ = 0;
};

derived_totals check_partitions(const verify_scope& in, const progress_handler& progress) {
  derived_totals totals;
  ticker t(progress, "records checked, with their aggregates");
  for (std::uint16_t p = 0; p < in.partitions; ++p) partition_check(in, p, totals).run([&] { t.tick(); });
  return totals;
}

// Returns how many index entries the views have.
std::uint64_t check_in_log_order(const verify_scope& in, const progress_handler& progress) {
  ticker t(progress, "records checked, with their messages and views");
  log_check messages(in);
  view_check views(in);
  log_reader log(in.now, 0);
  std::string ignored;  // the partition's check has told of it
  while (const auto raw = next_readable(log, [&](std::string text) { in.fault(std::move(text)); })) {
    t.tick();
    auto decoded = try_decode(in, *raw, ignored);
    if (!decoded) continue;
    const auto record = std::make_shared<const journal_record>(std::move(*decoded));
    in.report.last_offset = record->sequence + record->width() - 1;
    messages.take(*record);
    views.take(record);
  }
  messages.finish();
  return views.finish();
}

}  // namespace

verify_report verify(const store& s, const system_declaration& system, const progress_handler& progress) {
  const auto began = std::chrono::steady_clock::now();
  verify_report report;
  const auto partitions = partitions_of(s);
  const auto now = s.read();
  check_format(*now, system);
  const auto types = system.catalog();
  const verify_scope in{*now, system, types, partitions, report};
  if (being_made(*now) == making::views)
    in.fault("The views were being made anew, and that was not finished; run 'crema verify --rebuild-views'.");
  try {
    const auto totals = check_partitions(in, progress);
    check_totals(in, totals, check_in_log_order(in, progress));
  } catch (const storage_error& e) {
    if (e.code() != storage_errc::corrupt) throw;
    in.fault(e.what());
  } catch (const decode_error& e) { in.fault(std::string("an entry cannot be read: ") + e.what()); }
  report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  return report;
}

verify_report rebuild_and_verify(store& s, const system_declaration& system, const progress_handler& progress) {
  check_format(*s.read(), system);
  rebuild_views(s, system, partitions_of(s), [&](std::uint64_t done) {
    if (done % progress_every == 0) progress("records taken into the views", done);
  });
  return verify(s, system, progress);
}

void check_whole(store& s, const system_declaration& system, const progress_handler& progress) {
  const auto doubt = s.doubt();
  if (doubt.empty()) return;
  const auto report = verify(s, system, progress);
  if (report.faults_total > 0)
    throw storage_error(storage_errc::corrupt,
                        doubt + ", and it is not whole. The first of " + std::to_string(report.faults_total) +
                            " faults: " + report.faults.front() +
                            " 'crema verify' lists them; restore a backup, or what the journal still has, into a new "
                            "directory with 'crema restore'.");
  s.accept();
}

}  // namespace crema::storage
