#include "config/load.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include "config/settings_file.hpp"

namespace crema::config {

namespace {

constexpr std::string_view environment_prefix = "CREMA_";
constexpr std::string_view file_suffix = "File";
constexpr std::size_t secret_bytes_max = 4096;
constexpr std::size_t shown_bytes_max = 80;

// What an operator typed, on one line and not longer than a line.
std::string shown(std::string_view s) {
  std::string out;
  for (const char c : s.substr(0, shown_bytes_max)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  if (s.size() > shown_bytes_max) out += "…";
  return out;
}

template <class T>
std::optional<setting> number_from(std::string_view s) {
  T n{};
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return n;
}

std::vector<std::string> split(std::string_view s) {
  std::vector<std::string> items;
  while (!s.empty()) {
    const auto comma = std::min(s.find(','), s.size());
    auto item = s.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
    s.remove_prefix(std::min(comma + 1, s.size()));
  }
  return items;
}

// A value from an environment variable or a flag; nothing where it is not of the type at all.
std::optional<setting> from_text(const declaration& d, std::string_view s) {
  switch (d.type) {
    case kind::boolean:
      if (s == "true") return true;
      if (s == "false") return false;
      return std::nullopt;
    case kind::integer: return number_from<std::int64_t>(s);
    case kind::decimal: return number_from<double>(s);
    case kind::list: return split(s);
    case kind::text:
    case kind::choice: break;
  }
  return std::string(s);
}

// A value from the file, where it has a type already. Only a whole number may stand for a decimal one.
std::optional<setting> from_file(const declaration& d, const setting& v) {
  if (d.type == kind::decimal)
    if (const auto* n = std::get_if<std::int64_t>(&v)) return static_cast<double>(*n);
  if (v.index() != d.default_value.index()) return std::nullopt;
  return v;
}

}  // namespace

// Puts one source after the other over the defaults.
class loader {
 public:
  explicit loader(const registry& declared) {
    result_.registry_ = std::make_shared<const registry>(declared);
    for (const auto& d : declared.all()) result_.entries_[d.name] = {d.default_value, "default"};
  }

  // What is set for every program of a kind is weaker than what is set for this one.
  void take_standard_variables(const std::vector<std::pair<std::string, std::string>>& environment) {
    for (const auto& d : result_.declared().all()) {
      for (auto variable = d.also_from.rbegin(); variable != d.also_from.rend(); ++variable) {
        const auto is_it = [&](const auto& v) { return v.first == variable->name && !v.second.empty(); };
        const auto at = std::find_if(environment.begin(), environment.end(), is_it);
        if (at == environment.end()) continue;
        auto value = at->second;
        if (!variable->more.empty())
          while (value.ends_with('/')) value.pop_back();
        take_text(d.name, value + variable->more, variable->name);
      }
    }
  }

  void take_file(const std::filesystem::path& file) {
    std::set<std::string, std::less<>> seen;
    for (const auto& line : read_settings_file(file)) {
      const auto origin = file.string() + ":" + std::to_string(line.line);
      const auto [d, is_path] = declared(line.name, origin);
      if (!seen.insert(d->name).second) throw config_error(origin + ": " + shown(line.name) + " is set twice in this file");
      const auto* path = std::get_if<std::string>(&line.value);
      if (is_path && path != nullptr)
        take_secret(*d, *path, origin);
      else
        put(*d, from_file(*d, line.value), value_text(line.value), origin);
    }
  }

  void take_environment(const std::vector<std::pair<std::string, std::string>>& environment) {
    std::map<std::string, std::string, std::less<>> names;
    for (const auto& d : result_.declared().all()) {
      names[environment_name(d.name)] = d.name;
      if (d.secret) names[environment_name(d.name + std::string(file_suffix))] = d.name + std::string(file_suffix);
    }
    for (const auto& [name, value] : environment) {
      if (!name.starts_with(environment_prefix)) continue;
      if (const auto known = names.find(name); known != names.end())
        take_text(known->second, value, name);
      else
        refuse_variable(name);
    }
  }

  void take_flags(const std::vector<flag>& flags) {
    for (const auto& f : flags) take_text(f.name, f.value, f.origin);
  }

  values finish() && {
    for (const auto& is_fine : result_.declared().checks())
      if (const auto fault = is_fine(result_)) {
        const auto name = fault->substr(0, fault->find(' '));
        throw config_error(result_.origin(name) + ": " + *fault);
      }
    return std::move(result_);
  }

 private:
  // The setting of that name, and whether the name is the path of its file.
  std::pair<const declaration*, bool> declared(std::string_view name, const std::string& origin) const {
    const auto& all = result_.declared();
    if (const auto* d = all.find(name)) return {d, false};
    if (name.ends_with(file_suffix))
      if (const auto* d = all.find(name.substr(0, name.size() - file_suffix.size())); d != nullptr && d->secret) return {d, true};
    const auto near = all.nearest(name);
    throw config_error(origin + ": " + shown(name) + " is not a setting; " +
                       (near.empty() ? "see crema config explain" : "the nearest is " + std::string(near)));
  }

  void take_text(std::string_view name, const std::string& value, const std::string& origin) {
    const auto [d, is_path] = declared(name, origin);
    if (is_path)
      take_secret(*d, value, origin);
    else
      put(*d, from_text(*d, value), value, origin);
  }

  void take_secret(const declaration& d, const std::string& path, const std::string& origin) {
    std::ifstream in(path, std::ios::binary);
    std::string secret(secret_bytes_max + 1, '\0');
    in.read(secret.data(), static_cast<std::streamsize>(secret.size()));
    secret.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (in.bad() || !in.eof()) {  // also a file that was not opened or is too long
      throw config_error(origin + ": " + d.name + std::string(file_suffix) + " names " + shown(path) +
                         ", which cannot be read or is longer than " + std::to_string(secret_bytes_max) + " bytes");
    }
    while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
    put(d, setting(std::move(secret)), {}, origin + " → " + shown(path));
  }

  // A secret that is set but holds nothing would open what it is meant to close, and one with blanks in it could never be sent.
  static std::optional<std::string> fault_of_secret(const setting& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || text->empty()) return "is empty; give the secret, or leave the setting out";
    const auto cannot_be_sent = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
    if (std::any_of(text->begin(), text->end(), cannot_be_sent)) return "holds a blank or a control character; use one word";
    return std::nullopt;
  }

  void put(const declaration& d, std::optional<setting> value, std::string_view written, const std::string& origin) {
    auto fault = value ? fault_of(d, *value) : std::optional("must be " + bounds_text(d));
    if (!fault && d.secret) fault = fault_of_secret(*value);
    if (fault) throw config_error(origin + ": " + d.name + " is " + (d.secret ? "set" : "\"" + shown(written) + "\"") + ", but " + *fault);
    result_.entries_.insert_or_assign(d.name, values::entry{std::move(*value), origin});
  }

  // A variable without `__` cannot be a setting (CREMA_URL); it is refused only where it looks like one written wrongly.
  void refuse_variable(const std::string& name) const {
    std::string dotted;
    for (std::string_view rest = std::string_view(name).substr(environment_prefix.size()); !rest.empty(); rest.remove_prefix(1)) {
      if (rest.starts_with("__")) {
        dotted += '.';
        rest.remove_prefix(1);
      } else if (rest.front() != '_') {
        dotted += rest.front();
      }
    }
    const bool meant = name.find("__") != std::string::npos;
    const auto near = result_.declared().nearest(dotted);
    std::string squeezed;  // CREMA_HTTP_LISTEN for CREMA_HTTP__LISTEN
    for (const char c : environment_name(near))
      if (c != '_') squeezed += c;
    std::string written = name;
    std::erase(written, '_');
    if (!meant && (near.empty() || written != squeezed)) return;
    throw config_error(shown(name) + " is not a setting; " +
                       (near.empty() ? "see crema config explain" : "the nearest is " + environment_name(near)));
  }

  values result_;
};

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable = *at;
    const auto equals = std::min(variable.find('='), variable.size());
    all.emplace_back(variable.substr(0, equals), variable.substr(std::min(equals + 1, variable.size())));
  }
  std::sort(all.begin(), all.end());  // so that of two mistakes always the same one is named
  return all;
}

const values::entry& values::at(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw std::logic_error("no such setting is declared: " + std::string(name));
  return found->second;
}

template <class T>
const T& values::get_as(std::string_view name) const {
  const auto* v = std::get_if<T>(&at(name).value);
  if (v == nullptr) throw std::logic_error("the setting is of another type: " + std::string(name));
  return *v;
}

bool values::get_bool(std::string_view name) const { return get_as<bool>(name); }
std::int64_t values::get_int(std::string_view name) const { return get_as<std::int64_t>(name); }
double values::get_decimal(std::string_view name) const { return get_as<double>(name); }
const std::string& values::get_text(std::string_view name) const { return get_as<std::string>(name); }
const std::vector<std::string>& values::get_list(std::string_view name) const { return get_as<std::vector<std::string>>(name); }

system_settings values::of_system(const system_declaration& system, const std::string& scope) const {
  system_settings out;
  for (const auto& s : system.settings) {
    const auto& v = get(name_of(system, s, scope));
    if (const auto* b = std::get_if<bool>(&v))
      out[s.name] = *b;
    else if (const auto* n = std::get_if<std::int64_t>(&v))
      out[s.name] = *n;
    else
      out[s.name] = std::get<std::string>(v);
  }
  return out;
}

values load(const registry& declared, const sources& from) {
  loader l(declared);
  l.take_standard_variables(from.environment);
  if (!from.file.empty()) l.take_file(from.file);
  l.take_environment(from.environment);
  l.take_flags(from.flags);
  return std::move(l).finish();
}

}  // namespace crema::config
