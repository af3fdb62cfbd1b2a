// A body from a client as a command of any system: what is accepted can be kept, and comes back as it was. The first byte chooses the
// command.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "behaviors/core/json.hpp"
#include "behaviors/systems.hpp"
#include "http/commands.hpp"
#include "tests/fuzz/require.hpp"

using namespace crema;

namespace {

constexpr std::size_t depth_max = 32;

const std::vector<const record_type*>& all_commands() {
  static const auto all = [] {
    static std::vector<system_declaration> systems;
    std::vector<const record_type*> types;
    for (const auto& name : system_names()) systems.push_back(find_system(name));
    for (const auto& s : systems)
      for (const auto& c : s.contexts)
        for (const auto& h : c.commands) types.push_back(h.type);
    return types;
  }();
  return all;
}

std::string fields_of(const record_type& type, const void* object) {
  std::string out;
  encode_fields(type, object, out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& type = *all_commands()[data[0] % all_commands().size()];
  http::request r;
  r.content_type = "application/json";
  r.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto body = http::parse_body(r, depth_max);
  if (!std::holds_alternative<nlohmann::json>(body)) return 0;
  const auto made = from_json(type, std::get<nlohmann::json>(body));
  if (!made) {
    fuzz::require(!made.why().detail.empty(), "a refusal says why");
    return 0;
  }
  const auto bytes = fields_of(type, made->data());
  const auto again = decode_fields(type, type.version, bytes);
  fuzz::require(fields_of(type, again.data()) == bytes, "what is accepted is kept as it was");
  std::string text = "{";
  append_json_fields(text, type, made->data());
  fuzz::require(nlohmann::json::accept(text + "}"), "what is accepted is shown as JSON");
  return 0;
}
