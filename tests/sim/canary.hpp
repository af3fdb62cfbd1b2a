// Rules that can be broken on purpose, to prove that the simulator finds out. Each is a seam of the simulator's own composition: nothing
// of it is in the product.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "storage/wrapping_store.hpp"

namespace crema::sim {

enum class canary : std::uint8_t {
  acknowledge_before_commit,  ///< a commit returns before it is on the disk: a crash loses the last one
  consume_twice,              ///< what was consumed stays in the outbox: it is delivered again after a crash
  skip_compensation,          ///< what undoes a step does nothing
  deny_what_is_there,         ///< of some index keys that are there, the store says that they surely are not
};

/// "acknowledge-before-commit".
std::string_view name_of(canary c) noexcept;
std::optional<canary> find_canary(std::string_view name) noexcept;
std::vector<std::string> canary_names();
/// Whether the system has what the canary breaks.
bool concerns(canary c, const system_declaration& system);

/// A disk as the canary has it. `crash` is what the process's death does to it.
class sick_disk : public storage::wrapping_store {
 public:
  using wrapping_store::wrapping_store;
  virtual void crash() {}
};
std::shared_ptr<sick_disk> make_sick_disk(std::shared_ptr<storage::store> below, canary c);

/// A store whose may_have() says "no" where it should not.
std::shared_ptr<storage::store> make_denying_store(std::shared_ptr<storage::store> below);

/// Breaks the system's own rules, where the canary is one of those.
void break_rules(system_declaration& system, canary c);

}  // namespace crema::sim
