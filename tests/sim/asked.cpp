#include "tests/sim/asked.hpp"

#include <charconv>

namespace crema::sim {

namespace {
constexpr std::uint8_t mark = 0x51;  // in every trace id's first byte, so that none is all zero
}

trace_context asked::trace() const {
  trace_context t;
  t.trace_id[0] = mark;
  for (std::size_t i = 0; i < 8; ++i) t.trace_id[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  t.span_id[0] = mark;
  return t;
}

std::size_t asked::number_of(const std::array<std::uint8_t, 16>& trace_id) noexcept {
  std::size_t n = 0;
  for (std::size_t i = 8; i < 16; ++i) n = (n << 8U) | trace_id[i];
  return n;
}

std::uint64_t number_at_end(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  std::uint64_t n = 0;
  std::from_chars(path.data(), path.data() + path.size(), n);
  return n;
}

std::string collection_of(std::string_view path) {
  const auto text = path.substr(1);
  return std::string(text.substr(0, text.find_first_of("/?")));
}

}  // namespace crema::sim
