// The settings that a node has: each declared once, with its meaning, type, default, bounds and unit, and found by its dotted name.
//
// Start here: settings.cpp, the list itself. `load` (load.hpp) gives each a value; `explain` (explain.hpp) prints them.
// Built at start, immutable afterwards: any thread may read it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "behaviors/core/declaration.hpp"

namespace crema::config {

class values;

enum class kind : std::uint8_t { boolean, integer, decimal, text, list, choice };

/// The alternative that a kind uses, in the order of `kind`; a choice is a text.
using setting = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct declaration {
  std::string name;  ///< "payment.bulkhead.callTimeoutMs"
  kind type = kind::integer;
  setting default_value;
  std::string meaning;            ///< prose: what it does, and what 0 or empty means
  std::int64_t min = 0, max = 0;  ///< of an integer or decimal; lengths in bytes of a text; number of items of a list
  std::string unit;               ///< "ms", "bytes", "%", …; empty: a count or none
  std::vector<std::string> choices;
  std::string form;                               ///< what `accepts` wants, for people: "HOST:PORT"
  std::function<bool(std::string_view)> accepts;  ///< of a text, or of each item of a list; absent: anything
  bool secret = false;                            ///< never printed; `<name>File` names a file that holds it
  bool fixed_at_creation = false;                 ///< a data directory keeps the value that it was made with
  bool power_of_two = false;
  /// Variables by which others name the same, weaker than the file: the first one that is set counts. `more` stands behind its value.
  struct standard_variable {
    std::string name, more;
  };
  std::vector<standard_variable> also_from;

  declaration in(std::string u) && {
    unit = std::move(u);
    return std::move(*this);
  }
  declaration shaped(std::string f, std::function<bool(std::string_view)> a) && {
    form = std::move(f);
    accepts = std::move(a);
    return std::move(*this);
  }
  declaration kept_secret() && {
    secret = true;
    return std::move(*this);
  }
  declaration fixed() && {
    fixed_at_creation = true;
    return std::move(*this);
  }
  declaration also_by(std::vector<standard_variable> variables) && {
    also_from = std::move(variables);
    return std::move(*this);
  }
  declaration power() && {
    power_of_two = true;
    return std::move(*this);
  }
};

declaration boolean(std::string name, bool by_default, std::string meaning);
declaration integer(std::string name, std::int64_t by_default, std::int64_t min, std::int64_t max, std::string meaning);
declaration decimal(std::string name, double by_default, std::int64_t min, std::int64_t max, std::string meaning);
declaration text(std::string name, std::string by_default, std::string meaning);
declaration list(std::string name, std::string meaning);
declaration choice(std::string name, std::vector<std::string> choices, std::string meaning);  ///< the first one is the default

/// What is wrong with all the settings together, or nothing. Starts with the name of the setting to change.
using check = std::function<std::optional<std::string>(const values&)>;

class registry {
 public:
  /// Throws std::logic_error for a name that is taken, or a default that breaks its own bounds: a bug.
  registry& add(declaration d);
  registry& require(check c) {
    checks_.push_back(std::move(c));
    return *this;
  }
  /// Requires the integer `lower` to be at most the integer `upper`.
  registry& require_ordered(const std::string& lower, const std::string& upper);

  const declaration* find(std::string_view name) const noexcept;
  /// The declared name most like `name`, or empty where none is near.
  std::string_view nearest(std::string_view name) const;

  const std::vector<declaration>& all() const& noexcept { return all_; }
  const std::vector<declaration>& all() && = delete;  // `for (… : runtime_settings().all())` would dangle
  const std::vector<check>& checks() const noexcept { return checks_; }

 private:
  std::vector<declaration> all_;  // in the order of declaration, which is the order of `explain`
  std::vector<check> checks_;
};

/// The runtime's own settings.
registry runtime_settings();
/// The settings of each context of the system (bulkhead, slowness), and those that the system declares for itself. `scope` stands
/// before the names of contexts: "hotel." where several systems share a registry.
void add_system(registry& to, const system_declaration& system, const std::string& scope = {});
/// What operators call a setting that the system declares: "breakfast.autoShip"; of a context: "alarm.prefix".
std::string name_of(const system_declaration& system, const setting_declaration& s, const std::string& scope);

/// "payment.bulkhead.callTimeoutMs" → "CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS".
std::string environment_name(std::string_view setting_name);

/// "1 … 60000 ms", "true or false", "one of log, webhook": what a value must be.
std::string bounds_text(const declaration& d);
/// A value as `--set` would take it.
std::string value_text(const setting& v);
/// What is wrong with the value, as the rest of a sentence ("must be 1 … 60000 ms"), or nothing.
std::optional<std::string> fault_of(const declaration& d, const setting& v);

}  // namespace crema::config
