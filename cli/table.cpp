#include "cli/table.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "behaviors/core/text.hpp"

namespace crema::cli {

namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::string cell(const nlohmann::json& row, const std::string& column) {
  const auto at = row.find(column);
  if (at == row.end() || at->is_null()) return "";
  return one_line(at->is_string() ? at->get<std::string>() : at->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::vector<std::string> columns_of(const nlohmann::json& rows, const std::vector<std::string>& first) {
  std::vector<std::string> found;
  for (const auto& row : rows)
    for (const auto& [key, value] : row.items())
      if (std::find(found.begin(), found.end(), key) == found.end()) found.push_back(key);
  const auto rank = [&](const std::string& name) { return std::find(first.begin(), first.end(), name) - first.begin(); };
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return found;
}

}  // namespace

std::string one_line(std::string_view s, std::size_t columns_max) {
  std::string flat(s);
  std::replace_if(
      flat.begin(), flat.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  const auto shown = visible(flat);
  std::size_t columns = 0;
  for (std::size_t i = 0; i < shown.size(); ++i)
    if (begins_character(shown[i]) && ++columns > columns_max) return shown.substr(0, i) + "…";
  return shown;
}

void print_table(std::ostream& out, const nlohmann::json& rows, const std::vector<std::string>& first, std::string_view nothing) {
  if (rows.empty()) {
    out << nothing << '\n';
    return;
  }
  const auto columns = columns_of(rows, first);
  std::vector<std::vector<std::string>> lines{{}};
  for (const auto& c : columns) lines[0].push_back(one_line(c));
  for (const auto& row : rows) {
    lines.emplace_back();
    for (const auto& c : columns) lines.back().push_back(cell(row, c));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], character_count(line[i]));
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) text += line[i] + std::string(widths[i] - character_count(line[i]) + 2, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  }
}

}  // namespace crema::cli
