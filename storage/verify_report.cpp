#include <array>
#include <utility>

#include "behaviors/core/json.hpp"
#include "storage/maintenance.hpp"

namespace crema::storage {

namespace {

struct figure {
  std::string_view name, text;
  std::uint64_t verify_report::*member;
};

// The names are part of what `crema verify --json` promises.
constexpr std::array figures{
    figure{"records", "records", &verify_report::records},
    figure{"events", "events", &verify_report::events},
    figure{"lastOffset", "last offset", &verify_report::last_offset},
    figure{"aggregates", "aggregates", &verify_report::aggregates},
    figure{"rows", "state rows", &verify_report::rows},
    figure{"viewRows", "view rows", &verify_report::view_rows},
    figure{"viewRecordsBehind", "records that views have not taken in yet", &verify_report::view_records_behind},
    figure{"indexEntries", "index entries", &verify_report::index_entries},
    figure{"outboxEntries", "messages outstanding", &verify_report::outbox_entries},
    figure{"timers", "timers", &verify_report::timers},
    figure{"idempotencyKeys", "idempotency keys", &verify_report::idempotency_keys},
    figure{"deadLetters", "dead letters", &verify_report::dead_letters},
};

}  // namespace

std::string to_text(const verify_report& report) {
  std::string out;
  for (const auto& f : figures) {
    auto number = std::to_string(report.*f.member);
    out.append(number.size() < 12 ? 12 - number.size() : 0, ' ').append(number).append("  ").append(f.text).append("\n");
  }
  for (const auto& fault : report.faults) out.append("FAULT: ").append(fault).append("\n");
  if (report.faults_total > report.faults.size())
    out.append("… and ").append(std::to_string(report.faults_total - report.faults.size())).append(" more faults\n");
  const auto took = std::to_string(report.elapsed.count() / 1000) + "." + std::to_string(report.elapsed.count() % 1000 / 100) + " s";
  if (report.faults.empty()) return out + "clean: everything on disk is what the journal says (" + took + ")\n";
  return out + std::to_string(report.faults_total) + " faults (" + took +
         "); views are mended by 'crema verify --rebuild-views', anything else by 'crema restore' from a backup or from this directory\n";
}

std::string to_json(const verify_report& report) {
  std::string out = "{\"clean\":";
  out += report.faults.empty() ? "true" : "false";
  for (const auto& f : figures) out.append(",\"").append(f.name).append("\":").append(std::to_string(report.*f.member));
  out.append(",\"elapsedMs\":")
      .append(std::to_string(report.elapsed.count()))
      .append(",\"faultsTotal\":")
      .append(std::to_string(report.faults_total))
      .append(",\"faults\":[");
  for (std::size_t i = 0; i < report.faults.size(); ++i) {
    if (i > 0) out += ",";
    append_json_text(out, report.faults[i]);
  }
  return out + "]}\n";
}

}  // namespace crema::storage
