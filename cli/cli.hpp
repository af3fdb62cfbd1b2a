// The command line of `crema`. It reads arguments and settings, speaks to a running node over HTTP, and leaves what needs actors
// or storage (serve, verify, restore) to callbacks of main.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "behaviors/core/field.hpp"
#include "config/load.hpp"
#include "config/registry.hpp"

namespace crema::cli {

/// Exit codes of the process.
enum exit_code : int { ok = 0, failed = 1, usage = 2 };

struct serve_options {
  std::string system;  ///< empty: all of them, each below its prefix
  config::values settings;
  std::function<config::values()> read_again;  ///< the settings, from the same sources; throws config::config_error
};

struct verify_options {
  std::string system;
  config::values settings;  ///< data.directory is what to verify
  bool rebuild_views = false;
  bool json = false;
};

struct restore_options {
  std::string system;
  config::values settings;  ///< data.directory is where to restore to
  std::filesystem::path backup;
  std::optional<std::uint64_t> to_sequence;  ///< the last event to keep; at most one of these two is set
  std::optional<timestamp> to_time;
};

struct actions {
  std::vector<std::string> systems;  ///< their names; the first is the default
  std::function<config::registry(const std::string& system)>
      settings;                                    ///< every setting of a node that serves it; "": of one that serves all
  std::function<int(const serve_options&)> serve;  ///< each returns the exit code
  std::function<int(const verify_options&)> verify;
  std::function<int(const restore_options&)> restore;
};

/// Runs one command line (argv[0] is the program) and returns the exit code. Reads CREMA_… variables of the environment.
/// An exception of an action passes through, except config::config_error, which is printed.
int run(int argc, const char* const* argv, const actions& does, std::ostream& out, std::ostream& err);

}  // namespace crema::cli
