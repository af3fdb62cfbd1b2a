// The commands that speak to a running node over its HTTP interface: what they ask, and how they print the answers.
// Each returns the process's exit code and prints a failure to `err` as one line. They throw unreachable.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/http_client.hpp"

namespace crema::cli {

struct screen {
  std::ostream& out;
  std::ostream& err;
  bool json = false;  ///< print what the node answered, for programs
};

struct event_options {
  std::string from;  ///< an offset, alone or behind its history; empty: the first
  bool follow = false;
  std::string type, context;
  std::optional<std::uint64_t> id;
};

/// The JSON document at `target`; nothing where that failed, which is then printed.
std::optional<nlohmann::json> fetch(const http_client& node, const screen& s, const std::string& target);

int list_contexts(const http_client& node, const screen& s);
int switch_context(const http_client& node, const screen& s, const std::string& name, bool running);
/// The supervision tree; with `all` also each of many children that have nothing to tell.
int show_supervisors(const http_client& node, const screen& s, bool all);
int list_faults(const http_client& node, const screen& s);
int add_fault(const http_client& node, const screen& s, const nlohmann::json& fields);
/// One, or all of them.
int clear_faults(const http_client& node, const screen& s, std::optional<std::uint64_t> id);
int print_events(const http_client& node, const screen& s, const event_options& o);
int list_dead_letters(const http_client& node, const screen& s);
int settle_dead_letter(const http_client& node, const screen& s, std::uint64_t id, bool replay);
/// `directory` is on the node's machine; a relative one is taken from here.
int backup(const http_client& node, const screen& s, const std::string& directory);

}  // namespace crema::cli
