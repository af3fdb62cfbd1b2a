// One system in the simulation: what its people want, and what must be true of it in the end. Each in stories/.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "actors/settings.hpp"
#include "behaviors/core/declaration.hpp"
#include "http/message.hpp"
#include "tests/sim/final_state.hpp"
#include "tests/sim/findings.hpp"
#include "tests/support/chance.hpp"

namespace crema::sim {

/// What somebody asks for.
struct wish {
  http::method verb = http::method::get;
  std::string path;
  nlohmann::json body = {};  ///< null: none
};

/// What people know: the numbers of what they were told was made, by collection; how many requests there were.
struct knowledge {
  std::map<std::string, std::vector<std::uint64_t>> made;
  std::size_t asked = 0;

  /// The number of something in the collection, mostly of something recent; 1 where nothing is known.
  std::uint64_t some(const std::string& collection, testing::chance& random) const {
    const auto at = made.find(collection);
    if (at == made.end() || at->second.empty()) return 1;
    constexpr std::size_t recent = 6;
    const auto count = at->second.size();
    const auto from = count > recent && !random.one_in(4) ? count - recent : 0;
    return at->second[from + random.below(count - from)];
  }
};

struct story {
  std::string_view system;
  system_declaration (*declare)();
  /// The system's own settings, as this seed has them.
  void (*furnish)(system_settings& settings, testing::chance& random);
  std::vector<wish> opening;  ///< asked one after the other before everything else
  wish (*next)(testing::chance& random, const knowledge& known);
  /// When everything has come to rest.
  void (*check)(const final_state& end, findings& found);
};

story breakfast_story();
story cafeteria_story();
story hotel_story();
story preorder_story();
story rewards_story();

inline std::vector<story> all_stories() { return {cafeteria_story(), rewards_story(), hotel_story(), breakfast_story(), preorder_story()}; }

}  // namespace crema::sim
