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

}  // namespace

void prepare(store& s, const system_declaration& system, std::uint16_t partitions, std::uint64_t new_history) {
  const auto tx = s.write();
  if (tx->get(table::meta, "format")) {
    check_version_and_system(*tx, system);
    const auto stored = read_number(*tx, table::meta, "partitions").value_or(0);
    if (stored != partitions)
      refuse("this data was made with node.partitions = " + std::to_string(stored) + ", which cannot change; set it back from " +
             std::to_string(partitions));
  } else {
    tx->put(table::meta, "format", number_key(format_version));
    tx->put(table::meta, "system", system.name);
    tx->put(table::meta, "partitions", number_key(partitions));
    tx->put(table::meta, "history", history_text(new_history));
  }
  for (const auto* type : system.all_types())
    if (!check_type(*tx, *type)) tx->put(table::schemas, type->name, describe(*type));
  tx->commit();
}

void check_format(const snapshot& s, const system_declaration& system) {
  if (!s.get(table::meta, "format")) refuse("there is no crema data here; give the right directory with --data");
  check_version_and_system(s, system);
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
