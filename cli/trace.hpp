// `crema trace`: an aggregate's causal tree, drawn. Pure but for the first function.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/remote.hpp"
#include "cli/terminal.hpp"

namespace crema::cli {

/// `aggregate`: "order/11", or "hotel/pay/3" where several systems are served. Returns the process's exit code.
int show_trace(const http_client& node, const screen& s, const terminal& t, const std::string& aggregate, bool mermaid);

/// Each conversation as an indented tree with a bar of time: ░ (.) waiting, █ (#) handled, to its commit where that is known.
std::string drawn_tree(const nlohmann::json& tree, const terminal& t);
/// Each conversation as a Mermaid sequence diagram, one below the other in one diagram.
std::string mermaid_diagram(const nlohmann::json& tree);

}  // namespace crema::cli
