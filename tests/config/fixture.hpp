// A little system with settings of its own, and a directory that goes when the test ends.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/load.hpp"

namespace crema::config {

struct tab {
  static constexpr std::string_view type_name = "tab";
  std::int64_t amt = 0;
  static std::vector<field_spec> fields() { return {field<&tab::amt>("amt")}; }
};

inline system_declaration sample_system() {
  system_declaration s;
  s.name = "bar";
  for (const auto* name : {"tab", "payment", "pages"}) {
    context_declaration c;
    c.name = name;
    c.bulkhead = name;
    if (c.name != "pages") c.state = &type_of<tab>();
    s.contexts.push_back(std::move(c));
  }
  s.settings = {{"autoShip", true, "Whether it ships by itself.", 0, 0},
                {"cups", std::int64_t{3}, "Cups.", 1, 10},
                {"greeting", std::string("Hi"), "What is said.", 0, 20}};
  return s;
}

inline registry sample_settings() {
  auto r = runtime_settings();
  add_system(r, sample_system());
  return r;
}

class scratch {
 public:
  scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "crema-config-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) directory = name;
  }
  ~scratch() { std::filesystem::remove_all(directory); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(directory / name) << text;
    return directory / name;
  }

  std::filesystem::path directory;
};

}  // namespace crema::config
