// The pages of docs/formats/names against the declarations: what is on disk under a name or a number is written down there, all of it and
// nothing else. A new field without its line fails here, and so does one that was renamed, reordered or taken away.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviors/systems.hpp"
#include "tests/support/source_directory.hpp"

using namespace crema;

namespace {

using cells = std::vector<std::string>;
using tables = std::map<std::string, std::vector<cells>>;  // by heading, without the tables' own heads

// ---- the page

std::filesystem::path formats() { return source_directory() / "docs" / "formats"; }

std::string text_of(const std::filesystem::path& page) {
  INFO(page);
  std::ifstream in(page);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string page_of(const std::string& system) { return text_of(formats() / "names" / (system + ".md")); }

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
  return first == std::string_view::npos ? std::string() : std::string(text.substr(first, last - first + 1));
}

bool is_row(std::string_view line) { return !line.empty() && line.front() == '|'; }

cells cells_of(std::string_view line) {
  cells all;
  std::string cell;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '|' && line[i - 1] != '\\') {
      all.push_back(trimmed(cell));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  while (!all.empty() && all.back().empty()) all.pop_back();
  return all;
}

tables tables_of(const std::string& page) {
  tables all;
  std::istringstream in(page);
  std::string line, heading;
  for (int in_table = 0; std::getline(in, line);) {
    if (line.starts_with("## ")) heading = line.substr(3);
    in_table = is_row(line) ? in_table + 1 : 0;
    if (in_table > 2) all[heading].push_back(cells_of(line));  // after the head and its rule
  }
  return all;
}

// ---- the declaration

std::string marked(std::string_view name) { return "`" + std::string(name) + "`"; }

// As the table `schemas` keeps it, on one line: docs/formats/record.md.
std::string fields_of(const record_type& type) {
  constexpr std::string_view letters = "idbtmyl";
  std::string text;
  for (const auto& f : type.fields) {
    if (!text.empty()) text += ", ";
    text.append(f.name).append(" ").append(1, letters.at(static_cast<std::size_t>(f.kind)));
    if (f.nullable) text += "?";
  }
  if (type.version > 1) text += " (version " + std::to_string(type.version) + ")";
  return text.empty() ? "(none)" : text;
}

cells line_of(const record_type& type) { return {marked(type.name), fields_of(type)}; }

cells finders_of(const resource_declaration& r) {
  cells line{marked(r.collection)};
  for (const auto& f : r.finders) {
    std::string names;
    for (const auto at : f.fields) names.append(names.empty() ? "" : ", ").append(r.row->fields.at(at).name);
    line.push_back(marked(f.name) + " (" + names + ")" + (f.up_to ? ", up to" : "") + (f.plain_array ? ", a plain array" : ""));
  }
  return line;
}

tables tables_of(const system_declaration& system) {
  tables all;
  for (const auto& c : system.contexts) {
    all["Contexts"].push_back(
        {std::to_string(c.index), marked(c.name), c.state == nullptr ? "none" : marked(c.state->name), c.key_of ? "key" : ""});
    if (c.resource) all["Finders"].push_back(finders_of(*c.resource));
    if (c.state != nullptr) all["States"].push_back(line_of(*c.state));
    for (const auto& h : c.events) all["Events"].push_back(line_of(*h.type));
    for (const auto& h : c.commands) all["Commands"].push_back(line_of(*h.type));
  }
  for (const auto& v : system.views) {
    all["Views"].push_back({std::to_string(v.index), marked(v.name), std::to_string(v.context)});
    all["Finders"].push_back(finders_of(v.resource));
    all["View rows"].push_back(line_of(*v.resource.row));
  }
  for (const auto* type : system.all_types())
    for (const auto& f : type->fields) {
      if (f.kind != field_kind::literal) continue;
      cells line{marked(std::string(type->name) + "." + std::string(f.name))};
      for (const auto literal : f.literals) line.push_back(marked(literal));
      all["Literals"].push_back(line);
    }
  return all;
}

// ---- the comparison

cells all_marked(const std::string& cell) {
  cells all;
  for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
    const auto end = cell.find('`', at + 1);
    REQUIRE(end != std::string::npos);
    all.push_back(cell.substr(at, end - at + 1));
    at = end + 1;
  }
  return all;
}

// The page's lines in the form that the declaration's have: without what is only said to people, one line a field with literals.
tables as_declared(tables page) {
  for (auto& line : page["Contexts"]) {
    line.resize(4);
    line[3] = line[3].starts_with("the key ") ? "key" : "";
  }
  for (auto& line : page["Views"]) line.resize(3);
  std::vector<cells> literals;
  for (auto& line : page["Literals"]) {
    line.resize(2);
    for (const auto& field : all_marked(line[0])) {
      literals.push_back({field});
      for (const auto& literal : all_marked(line[1])) literals.back().push_back(literal);
    }
  }
  page["Literals"] = literals;
  return page;
}

std::multiset<std::string> lines_of(const tables& all) {
  std::multiset<std::string> lines;
  for (const auto& [heading, table] : all)
    for (const auto& line : table) {
      std::string text = heading + ":";
      for (const auto& cell : line) text += " | " + cell;
      lines.insert(text);
    }
  return lines;
}

/// One sentence a line that only one of the two has.
std::vector<std::string> differences(const std::string& page, const tables& declared) {
  const auto written = lines_of(as_declared(tables_of(page))), meant = lines_of(declared);
  std::vector<std::string> all;
  std::set_difference(meant.begin(), meant.end(), written.begin(), written.end(), std::back_inserter(all));
  for (auto& line : all) line.insert(0, "the page lacks: ");
  const auto missing = all.size();
  std::set_difference(written.begin(), written.end(), meant.begin(), meant.end(), std::back_inserter(all));
  for (auto i = missing; i < all.size(); ++i) all[i].insert(0, "nobody declares: ");
  return all;
}

std::vector<std::string> lines(const std::string& page) {
  std::vector<std::string> all;
  std::istringstream in(page);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& line : all) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("names: each system's page says what is on disk, all of it and nothing else") {
  for (const auto& name : system_names()) {
    INFO("docs/formats/names/" << name << ".md");
    CHECK(differences(page_of(name), tables_of(find_system(name))) == std::vector<std::string>{});
  }
}

TEST_CASE("names: the index leads to each system's page and says what is of every system, and there is no other page") {
  const auto index = text_of(formats() / "names.md");
  std::set<std::string> pages, systems;
  for (const auto& entry : std::filesystem::directory_iterator(formats() / "names")) pages.insert(entry.path().stem().string());
  for (const auto& name : system_names()) {
    systems.insert(name);
    CHECK(index.find("(names/" + name + ".md)") != std::string::npos);
  }
  CHECK(pages == systems);
  CHECK(differences(index, {{"Of every system", {line_of(type_of<notification>())}}}) == std::vector<std::string>{});
}

TEST_CASE("names: a page that lacks a line is found out, whichever it is") {
  for (const auto& name : system_names()) {
    const auto declared = tables_of(find_system(name));
    const auto page = lines(page_of(name));
    for (std::size_t i = 2; i < page.size(); ++i) {
      if (!is_row(page[i]) || !is_row(page[i - 1]) || !is_row(page[i - 2])) continue;  // the head and its rule may be worded freely
      INFO(name << ".md: " << page[i]);
      auto less = page;
      less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK_FALSE(differences(joined(less), declared).empty());
    }
  }
}

TEST_CASE("names: a field that was added, renamed, reordered, retyped or taken away is found out, in each type") {
  for (const auto& name : system_names()) {
    const auto system = find_system(name);
    const auto page = page_of(name);
    for (const auto* type : system.all_types()) {
      if (type == &type_of<notification>()) continue;
      INFO(name << " " << type->name);
      const auto found_out = [&](const record_type& changed) {
        auto declared = tables_of(system);
        for (auto& [heading, table] : declared) std::replace(table.begin(), table.end(), line_of(*type), line_of(changed));
        CHECK_FALSE(differences(page, declared).empty());
      };
      auto added = *type;
      added.fields.push_back(type_of<notification>().fields.front());
      found_out(added);
      auto raised = *type;
      ++raised.version;
      found_out(raised);
      if (type->fields.empty()) continue;
      auto renamed = *type;
      renamed.fields.back().name = "other";
      found_out(renamed);
      auto retyped = *type;
      retyped.fields.front().nullable = !retyped.fields.front().nullable;
      found_out(retyped);
      auto less = *type;
      less.fields.pop_back();
      found_out(less);
      if (type->fields.size() < 2) continue;
      auto reordered = *type;
      std::swap(reordered.fields.front(), reordered.fields.back());
      found_out(reordered);
    }
  }
}

TEST_CASE("names: a finder at another place and literals in another order are found out") {
  const auto page = page_of("rewards");
  auto system = find_system("rewards");
  REQUIRE(differences(page, tables_of(system)).empty());
  auto& finders = system.views.at(0).resource.finders;
  std::swap(finders.at(0), finders.at(1));
  CHECK(differences(page, tables_of(system)).size() == 2);
  system = find_system("rewards");
  auto declared = tables_of(system);
  for (auto& line : declared.at("Literals"))
    if (line.size() > 2) std::swap(line[1], line[2]);
  CHECK_FALSE(differences(page, declared).empty());
}
