#include "behaviors/preorder/fields.hpp"

namespace crema::preorder {

std::optional<std::string> masked_card(std::string_view sent) {
  constexpr std::size_t shortest = 12, longest = 19, shown = 4;
  std::string digits;
  for (const char c : sent) {
    if (c == '-' || c == ' ') continue;
    if (c < '0' || c > '9') return std::nullopt;
    digits += c;
  }
  if (digits.size() < shortest || digits.size() > longest) return std::nullopt;
  return digits.substr(0, shown) + "-****-****-" + digits.substr(digits.size() - shown);
}

}  // namespace crema::preorder
