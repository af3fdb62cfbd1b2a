#include "config/explain.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace crema::config {

namespace {

constexpr std::string_view hidden = "********";

std::string_view section_of(std::string_view name) { return name.substr(0, name.find('.')); }

std::string_view name_of(kind k) {
  constexpr std::array<std::string_view, 6> names{"boolean", "integer", "decimal", "text", "list", "choice"};
  return names[static_cast<std::size_t>(k)];
}

std::string shown(const declaration& d, const setting& v) {
  const auto written = value_text(v);
  if (written.empty()) return "(empty)";
  if (d.secret) return std::string(hidden);
  return d.unit.empty() ? written : written + " " + d.unit;
}

nlohmann::json to_json(const declaration& d, const setting& v) {
  if (d.secret && !value_text(v).empty()) return hidden;
  return std::visit([](const auto& x) { return nlohmann::json(x); }, v);
}

}  // namespace

std::string explain_text(const values& v) {
  std::string out = "A change to any setting takes effect at the next start. Order: default < file < environment < flags.\n";
  std::string_view section;
  for (const auto& d : v.declared().all()) {
    if (section_of(d.name) != section) {
      section = section_of(d.name);
      out += "\n[" + std::string(section) + "]\n";
    }
    out += d.name + " = " + shown(d, v.get(d.name)) + "    (" + v.origin(d.name) + ")\n";
    out += "    " + d.meaning + '\n';
    out += "    " + bounds_text(d) + "; default " + shown(d, d.default_value);
    if (d.fixed_at_creation) out += "; fixed when the data directory is made";
    out += "; " + environment_name(d.name);
    for (const auto& variable : d.also_from) out += ", else " + variable.name;
    out += '\n';
    if (d.secret) out += "    " + d.name + "File: the path of a file that holds it.\n";
  }
  return out;
}

nlohmann::json explain_json(const values& v) {
  auto out = nlohmann::json::array();
  for (const auto& d : v.declared().all()) {
    nlohmann::json one{{"name", d.name},
                       {"type", name_of(d.type)},
                       {"meaning", d.meaning},
                       {"default", to_json(d, d.default_value)},
                       {"bounds", bounds_text(d)},
                       {"value", to_json(d, v.get(d.name))},
                       {"origin", v.origin(d.name)},
                       {"environment", environment_name(d.name)},
                       {"secret", d.secret},
                       {"restart", true},
                       {"fixedAtCreation", d.fixed_at_creation}};
    if (d.type == kind::integer || d.type == kind::decimal) one.update({{"min", d.min}, {"max", d.max}});
    for (const auto& variable : d.also_from) one["alsoFrom"].push_back(variable.name);
    if (!d.unit.empty()) one["unit"] = d.unit;
    if (!d.choices.empty()) one["choices"] = d.choices;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace crema::config
