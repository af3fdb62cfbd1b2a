#include "behaviors/systems.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include "behaviors/breakfast/breakfast.hpp"
#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/hotel/hotel.hpp"
#include "behaviors/preorder/preorder.hpp"
#include "behaviors/rewards/rewards.hpp"

namespace crema {

namespace {

// One line a system.
// clang-format off
constexpr std::array all{
    std::pair{"cafeteria", &cafeteria::cafeteria},
    std::pair{"rewards", &rewards::rewards},
    std::pair{"hotel", &hotel::hotel},
    std::pair{"breakfast", &breakfast::breakfast},
    std::pair{"preorder", &preorder::preorder},
};
// clang-format on

}  // namespace

std::vector<std::string> system_names() {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const auto& [name, declare] : all) names.emplace_back(name);
  return names;
}

system_declaration find_system(std::string_view name) {
  for (const auto& [known, declare] : all)
    if (name == known) return declare();
  throw std::out_of_range("there is no system called '" + std::string(name) + "'");
}

}  // namespace crema
