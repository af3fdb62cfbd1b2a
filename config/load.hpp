// Gives every declared setting its value: default < file < environment < flags. Whatever is misspelt or out of bounds stops the
// start with one line that names it and where it was written.
//
// The file is JSON with // and /* */ comments; sections may be nested objects or dotted names. The environment's names are
// environment_name's. A secret `x` may be given as `xFile`, the path of a file whose text, without the newline at its end, it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "config/registry.hpp"

namespace crema::config {

/// what() is one line for the operator.
struct config_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct flag {
  std::string name;  ///< the setting's
  std::string value;
  std::string origin;  ///< as it was written: "--listen", "--set"
};

struct sources {
  std::filesystem::path file;                                    ///< empty: none
  std::vector<std::pair<std::string, std::string>> environment;  ///< name and value; passed over: names that mean no setting
  std::vector<flag> flags;                                       ///< a later one counts
};

/// The variables of this process.
std::vector<std::pair<std::string, std::string>> process_environment();

/// Every setting's value and where it came from. Immutable: any thread may read it.
/// The getters throw std::logic_error for a name that is not declared or of another type: a bug.
class values {
 public:
  bool get_bool(std::string_view name) const;
  std::int64_t get_int(std::string_view name) const;
  std::chrono::milliseconds get_ms(std::string_view name) const { return std::chrono::milliseconds(get_int(name)); }
  double get_decimal(std::string_view name) const;
  const std::string& get_text(std::string_view name) const;  ///< also of a choice
  const std::vector<std::string>& get_list(std::string_view name) const;

  /// "default", "config/cafeteria.json:12", "CREMA_HTTP__LISTEN", "--listen".
  const std::string& origin(std::string_view name) const { return at(name).origin; }
  const setting& get(std::string_view name) const { return at(name).value; }
  const registry& declared() const noexcept { return *registry_; }

  /// What the system declared for itself, by its own names, as deciders get it.
  system_settings of_system(const system_declaration& system, const std::string& scope = {}) const;

 private:
  friend class loader;
  struct entry {
    setting value;
    std::string origin;
  };
  const entry& at(std::string_view name) const;
  template <class T>
  const T& get_as(std::string_view name) const;

  std::shared_ptr<const registry> registry_;
  std::map<std::string, entry, std::less<>> entries_;
};

/// Throws config_error.
values load(const registry& declared, const sources& from);

}  // namespace crema::config
