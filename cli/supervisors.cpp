// `crema supervisors`: the live supervision tree. Children of one kind, in one state and with nothing more to tell, are one line.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>

#include "cli/remote.hpp"
#include "cli/table.hpp"

namespace crema::cli {

namespace {

using nlohmann::json;

std::string text_at(const json& j, const char* key) {
  const auto at = j.find(key);
  return at != j.end() && at->is_string() ? one_line(at->get<std::string>(), 120) : std::string();
}

std::uint64_t number_at(const json& j, const char* key) {
  const auto at = j.find(key);
  return at != j.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

std::string counted(std::uint64_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string seconds(std::uint64_t ms) {
  return std::to_string(ms / 1000) + (ms % 1000 == 0 ? "" : "." + std::to_string(ms % 1000 / 100)) + " s";
}

// "restarting in 40 ms, 3 awake, 2 restarts, 1 of 10 in 10 s, last failure: …"
std::string words_of(const json& child) {
  auto words = text_at(child, "state");
  if (child.contains("running") && child["running"] == false) words = "stopped";
  if (const auto wait = number_at(child, "backoffMs"); wait > 0) words += " in " + std::to_string(wait) + " ms";
  if (const auto kind = text_at(child, "lifetime"); !kind.empty() && kind != "permanent") words += ", " + kind;
  if (child.contains("awake")) words += ", " + std::to_string(number_at(child, "awake")) + " awake";
  if (const auto n = number_at(child, "mailbox"); n > 0) words += ", " + counted(n, "message waits", "messages wait");
  if (const auto n = std::max(number_at(child, "restarts"), number_at(child, "entityAndChildRestarts")); n > 0)
    words += ", " + counted(n, "restart", "restarts");
  if (const auto n = number_at(child, "restartsInPeriod"); n > 0)
    words += ", of its children " + std::to_string(n) + " of " + std::to_string(number_at(child, "intensity")) + " in " +
             seconds(number_at(child, "periodMs"));
  if (const auto why = text_at(child, "lastFailure"); !why.empty()) words += ", last failure: " + why;
  return words;
}

bool has_nothing_to_tell(const json& child) { return number_at(child, "restarts") == 0 && text_at(child, "lastFailure").empty(); }

std::string kind_of(const std::string& name) { return name.substr(0, name.find_last_not_of("0123456789") + 1); }

// "undo of payment/11 (void_payment) failed 7 times since 2021-01-19T13:01:59Z, next try in 3 s: …"
std::string words_of_undo(const json& undo) {
  auto words = "undo of " + text_at(undo, "aggregate") + " (" + text_at(undo, "undo") + ") failed " +
               counted(number_at(undo, "tries"), "time", "times");
  if (const auto since = text_at(undo, "since"); !since.empty()) words += ", open since " + since;
  if (undo.contains("nextTryInMs")) words += ", next try in " + seconds(number_at(undo, "nextTryInMs"));
  return words + ": " + text_at(undo, "lastError");
}

struct line {
  std::string text;
  const json* children = nullptr;
  const json* undos = nullptr;
};

// One line where several of a kind are in one state and have nothing more to tell.
std::vector<line> lines_of(const json& children, bool all) {
  std::vector<line> lines;
  for (auto at = children.begin(); at != children.end();) {
    const auto name = text_at(*at, "name");
    auto end = std::next(at);
    const auto same = [&](const json& other) {
      return has_nothing_to_tell(other) && text_at(other, "state") == text_at(*at, "state") &&
             kind_of(text_at(other, "name")) == kind_of(name) && kind_of(name) != name;
    };
    if (!all && same(*at))
      while (end != children.end() && same(*end)) ++end;
    if (const auto n = std::distance(at, end); n > 1) {
      const auto awake = std::accumulate(at, end, std::uint64_t{0}, [](auto sum, const json& c) { return sum + number_at(c, "awake"); });
      lines.push_back({kind_of(name) + "…  " + std::to_string(n) + " " + text_at(*at, "state") +
                       (awake > 0 ? ", " + std::to_string(awake) + " awake" : "")});
    } else {
      const auto array_at = [&](const char* key) {
        const auto found = at->find(key);
        return found != at->end() && found->is_array() ? &*found : nullptr;
      };
      lines.push_back({name + "  " + words_of(*at), array_at("children"), array_at("undos")});
    }
    at = end;
  }
  return lines;
}

void print_children(std::ostream& out, const json& children, const std::string& indent, bool all) {
  const auto lines = lines_of(children, all);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool last = i + 1 == lines.size();
    out << indent << (last ? "└─ " : "├─ ") << lines[i].text << '\n';
    if (lines[i].undos != nullptr)
      for (const auto& undo : *lines[i].undos) out << indent << (last ? "   " : "│  ") << "! " << words_of_undo(undo) << '\n';
    if (lines[i].children != nullptr) print_children(out, *lines[i].children, indent + (last ? "   " : "│  "), all);
  }
}

}  // namespace

int show_supervisors(const http_client& node, const screen& s, bool all) {
  const auto tree = fetch(node, s, "/actuator/supervisors");
  if (!tree) return 1;
  if (s.json) {
    s.out << tree->dump(2) << '\n';
    return 0;
  }
  s.out << text_at(*tree, "name") << "  " << text_at(*tree, "strategy") << ", gives up beyond " << number_at(*tree, "intensity")
        << " restarts in " << number_at(*tree, "periodMs") << " ms";
  if (const auto n = number_at(*tree, "restartsInPeriod"); n > 0) s.out << "; lately " << n;
  s.out << '\n';
  if (tree->contains("children") && (*tree)["children"].is_array()) print_children(s.out, (*tree)["children"], "", all);
  return 0;
}

}  // namespace crema::cli
