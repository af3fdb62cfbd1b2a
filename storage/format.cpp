#include "storage/format.hpp"

#include <cstdio>
#include <string>

#include "storage/layout.hpp"

namespace crema::storage {

namespace {

[[noreturn]] void refuse(const std::string& text) { throw storage_error(storage_errc::format, text); }

// By field_kind. FROZEN.
constexpr std::string_view kind_letters = "idbtmyl";

// One line a field: "orderId i", "rewardId i?". Append only: the stored text is a prefix of the present one.
std::string describe(const record_type& type) {
  std::string text;
  for (const auto& f : type.fields) {
    text.append(f.name).append(" ").append(1, kind_letters[static_cast<std::size_t>(f.kind)]);
    if (f.nullable) text.append("?");
    text.append("\n");
  }
  return text;
}

// Refuses a field list that would misread what is on disk. True: it is noted down as it is.
bool check_type(const snapshot& s, const record_type& type) {
  const auto present = describe(type);
  const auto stored = s.get(table::schemas, type.name);
  if (stored && present.compare(0, stored->size(), *stored) != 0)
    refuse("the fields of '" + std::string(type.name) +
           "' are not those that this data was written with: fields may only be added at the end. Written: " + std::string(*stored) +
           "Now: " + present);
  return stored && *stored == present;
}

void check_version_and_system(const snapshot& s, const system_declaration& system) {
  const auto version = read_number(s, table::meta, "format").value_or(0);
  if (version != format_version)
    refuse("this data has format " + std::to_string(version) + ", this crema reads format " + std::to_string(format_version) +
           "; use the crema that wrote it, or begin anew in another --data directory");
  const auto written_by = std::string(s.get(table::meta, "system").value_or(""));
  if (written_by != system.name)
    refuse("this data belongs to the system '" + written_by + "', not '" + system.name + "'; choose another --data directory");
}

std::string history_text(std::uint64_t id) {
  char digits[17];
  (void)std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(id));
  return digits;
}

// Key and values. FROZEN.
constexpr std::string_view making_key = "making", making_restored = "restored", making_views = "views";

void refuse_unfinished_restore(const snapshot& s) {
  if (being_made(s) == making::restored)
    refuse("this data was being restored, and that was not finished; run 'crema restore' again, into a new directory");
}

// Whatever has entries has had a format from its first commit on.
void require_empty(const snapshot& s) {
  for (std::size_t t = 0; t < table_count; ++t)
    if (s.count(static_cast<table>(t)) > 0)
      throw storage_error(storage_errc::corrupt,
                          "this data is not whole: it does not say what format it has; restore a backup into a new directory");
}

void put_beginnings(transaction& tx, const system_declaration& system, std::uint16_t partitions, std::uint64_t new_history) {
  require_empty(tx);
  tx.put(table::meta, "format", number_key(format_version));
  tx.put(table::meta, "system", system.name);
  tx.put(table::meta, "partitions", number_key(partitions));
  tx.put(table::meta, "history", history_text(new_history));
}

void put_types(transaction& tx, const system_declaration& system) {
  for (const auto* type : system.all_types())
    if (!check_type(tx, *type)) tx.put(table::schemas, type->name, describe(*type));
}

}  // namespace

std::optional<making> being_made(const snapshot& s) {
  const auto what = s.get(table::meta, making_key);
  if (!what) return std::nullopt;
  return *what == making_views ? making::views : making::restored;
}

void begin_making(store& s, making what) {
  const auto tx = s.write();
  tx->put(table::meta, making_key, what == making::views ? making_views : making_restored);
  tx->commit();
}

void end_making(store& s) {
  const auto tx = s.write();
  (void)tx->erase(table::meta, making_key);
  tx->commit();
}

void prepare_to_restore(store& s, const system_declaration& system, std::uint16_t partitions, std::uint64_t new_history) {
  const auto tx = s.write();
  put_beginnings(*tx, system, partitions, new_history);
  tx->put(table::meta, making_key, making_restored);
  put_types(*tx, system);
  tx->commit();
}

void prepare(store& s, const system_declaration& system, std::uint16_t partitions, std::uint64_t new_history) {
  const auto tx = s.write();
  refuse_unfinished_restore(*tx);
  if (being_made(*tx) == making::views)
    refuse("the views of this data were being made anew, and that was not finished; run 'crema verify --rebuild-views' on it");
  if (tx->get(table::meta, "format")) {
    check_version_and_system(*tx, system);
    const auto stored = read_number(*tx, table::meta, "partitions").value_or(0);
    if (stored != partitions)
      refuse("this data was made with node.partitions = " + std::to_string(stored) + ", which cannot change; set it back from " +
             std::to_string(partitions));
  } else {
    put_beginnings(*tx, system, partitions, new_history);
  }
  put_types(*tx, system);
  tx->commit();
}

void check_format(const snapshot& s, const system_declaration& system) {
  if (!s.get(table::meta, "format")) refuse("there is no crema data here; give the right directory with --data");
  check_version_and_system(s, system);
  refuse_unfinished_restore(s);
  for (const auto* type : system.all_types()) (void)check_type(s, *type);
}

std::uint16_t partitions_of(const store& s) {
  const auto n = read_number(*s.read(), table::meta, "partitions");
  if (!n) refuse("there is no crema data here; give the right directory with --data");
  return static_cast<std::uint16_t>(*n);
}

std::string history_of(const store& s) {
  const auto now = s.read();
  const auto id = now->get(table::meta, "history");
  if (!id) refuse("this data does not name its history, so it is not whole; restore it from a backup");
  return std::string(*id);
}

}  // namespace crema::storage
