// Prints a JSON array of objects as a table for people.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace crema::cli {

/// Columns: those of `first` that occur, in that order, then every other key. An empty table prints `nothing` instead.
void print_table(std::ostream& out, const nlohmann::json& rows, const std::vector<std::string>& first, std::string_view nothing);

/// Text from a node, on one line and with what could drive the terminal written out; cut after `columns_max`.
std::string one_line(std::string_view s, std::size_t columns_max = 80);

}  // namespace crema::cli
