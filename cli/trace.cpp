#include "cli/trace.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "behaviors/core/json.hpp"
#include "cli/table.hpp"

namespace crema::cli {

namespace {

using nlohmann::json;

// ---- what a step says of itself

std::string text_at(const json& j, const char* key) {
  const auto at = j.find(key);
  return at != j.end() && at->is_string() ? one_line(at->get<std::string>()) : std::string();
}

std::optional<double> number_at(const json& j, const char* key) {
  const auto at = j.find(key);
  return at != j.end() && at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
}

const json& steps_of(const json& j) {
  static const json none = json::array();
  const auto at = j.find("steps");
  return at != j.end() && at->is_array() ? *at : none;
}

std::string joined(const json& j, const char* key) {
  std::string all;
  if (const auto at = j.find(key); at != j.end() && at->is_array())
    for (const auto& e : *at)
      if (e.is_string()) all += (all.empty() ? "" : ", ") + one_line(e.get<std::string>());
  return all;
}

std::string whole(double n) { return std::to_string(static_cast<std::int64_t>(n)); }

// What came to it: "make_drink", "asked", "undo unbook"; empty for a request.
std::string cause_words(const json& step) {
  const auto cause = text_at(step, "cause"), message = text_at(step, "message");
  if (cause == "request") return "";
  if (cause == "ask") return "asked";
  if (cause == "message") return message.empty() ? cause : message;
  return message.empty() ? cause : cause + " " + message;
}

// What stands out: "waits", "dead letter 12 after 5 tries", "undone".
std::string mark_words(const json& step) {
  std::vector<std::string> marks;
  const auto state = text_at(step, "state");
  if (state == "waiting") {
    const auto due = text_at(step, "dueAt");
    marks.push_back(due.empty() ? "waits" : "due " + due);
  }
  if (state == "unknown") marks.emplace_back("its record was not found");
  if (const auto letter = step.find("deadLetter"); letter != step.end() && letter->is_object())
    marks.push_back((state == "dropped" ? "dropped dead letter "
                     : state == "dead"  ? "dead letter "
                                        : "replayed dead letter ") +
                    whole(number_at(*letter, "id").value_or(0)) + " after " + whole(number_at(*letter, "attempts").value_or(0)) + " tries");
  if (const auto tries = number_at(step, "failedTries")) marks.push_back(whole(*tries) + (*tries > 1 ? " failed tries" : " failed try"));
  if (step.value("undone", false)) marks.emplace_back("undone");
  if (const auto notes = joined(step, "notes"); !notes.empty()) marks.push_back(notes);
  std::string all;
  for (const auto& m : marks) all += (all.empty() ? "" : ", ") + m;
  return all;
}

std::string result_words(const json& step) {
  if (auto events = joined(step, "events"); !events.empty()) return events;
  if (text_at(step, "state") != "recorded") return "";
  return text_at(step, "cause") == "notification" ? "delivered" : step.contains("deadLetter") ? "" : "no change";
}

std::string describe(const json& step, bool utf8) {
  auto words = cause_words(step);
  if (const auto result = result_words(step); !result.empty()) words += (words.empty() ? "" : utf8 ? " → " : " -> ") + result;
  if (const auto marks = mark_words(step); !marks.empty()) words += (words.empty() ? "[" : " [") + marks + "]";
  return words;
}

// ---- times

struct period {
  double first = HUGE_VAL, last = -HUGE_VAL;

  void take_in(std::optional<double> ms) {
    if (!ms) return;
    first = std::min(first, *ms);
    last = std::max(last, *ms);
  }
  void take_in(const json& step) {
    for (const auto* at : {"queuedMs", "handledMs", "committedMs"}) take_in(number_at(step, at));
    for (const auto& s : steps_of(step)) take_in(s);
  }
  bool empty() const noexcept { return first > last; }
};

std::string duration_text(double ms) {
  char text[32];
  if (ms < 10000)
    std::snprintf(text, sizeof text, ms == std::floor(ms) ? "%.0f ms" : "%.1f ms", ms);
  else if (ms < 600000)
    std::snprintf(text, sizeof text, "%.1f s", ms / 1000);
  else if (ms < 36000000)
    std::snprintf(text, sizeof text, "%.1f min", ms / 60000);
  else
    std::snprintf(text, sizeof text, "%.1f h", ms / 3600000);
  return text;
}

// ---- the tree

struct line {
  std::string text;
  std::optional<double> queued, handled, committed;
};

void add_lines(std::vector<line>& lines, const json& step, const std::string& head, const std::string& below, bool utf8) {
  lines.push_back({head + text_at(step, "aggregate") + "  " + describe(step, utf8), number_at(step, "queuedMs"),
                   number_at(step, "handledMs"), number_at(step, "committedMs")});
  const auto& steps = steps_of(step);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool last = i + 1 == steps.size();
    add_lines(lines, steps[i],
              below + (utf8   ? last ? "└─ " : "├─ "
                       : last ? "`- "
                              : "|- "),
              below + (last   ? "   "
                       : utf8 ? "│  "
                              : "|  "),
              utf8);
  }
}

std::size_t columns_of(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// Cut to `columns`, or filled up with blanks.
std::string fitted(const std::string& text, std::size_t columns, bool utf8) {
  const auto have = columns_of(text);
  if (have <= columns) return text + std::string(columns - have, ' ');
  const std::size_t mark = utf8 ? 1 : 2;
  std::string cut;
  std::size_t n = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U && n++ == columns - mark) break;
    cut.push_back(c);
  }
  return cut + (utf8 ? "…" : "..");
}

std::string bar_of(const line& l, const period& all, std::size_t columns, bool utf8) {
  if (!l.handled) return "";
  const auto cell = [&](double ms) {
    const auto length = all.last - all.first;
    return length <= 0 ? std::size_t{0} : static_cast<std::size_t>((ms - all.first) / length * static_cast<double>(columns - 1));
  };
  const auto from = cell(std::min(l.queued.value_or(*l.handled), *l.handled)), at = cell(*l.handled);
  const auto to = std::max(at, cell(std::max(l.committed.value_or(*l.handled), *l.handled)));
  std::string bar(from, ' ');
  for (auto i = from; i < at; ++i) bar += utf8 ? "░" : ".";
  for (auto i = at; i <= to; ++i) bar += utf8 ? "█" : "#";
  return bar;
}

std::string drawn_conversation(const json& root, timestamp started, const terminal& t) {
  period all;
  all.take_in(root);
  if (all.empty()) all.first = all.last = 0;
  std::vector<line> lines;
  add_lines(lines, root, "", "", t.utf8);

  constexpr std::size_t time_columns = 10;
  std::size_t widest = 0;
  for (const auto& l : lines) widest = std::max(widest, columns_of(l.text));
  const auto text_columns = std::min(widest, t.columns - t.columns / 4 - time_columns);
  const auto bar_columns = t.columns - text_columns - time_columns - 3;

  auto out = to_iso_text({started.ms + static_cast<std::int64_t>(all.first)}) + ", " + duration_text(all.last - all.first);
  if (const auto trace = text_at(root, "traceId"); !trace.empty()) out += ", trace " + trace;
  out += "\n";
  for (const auto& l : lines) {
    const auto time = l.handled ? "+" + duration_text(*l.handled - all.first) : std::string();
    auto row = fitted(l.text, text_columns, t.utf8) + " " + std::string(time_columns - std::min(time_columns, time.size()), ' ') + time +
               "  " + bar_of(l, all, bar_columns, t.utf8);
    row.erase(row.find_last_not_of(' ') + 1);
    out += row + "\n";
  }
  return out;
}

// ---- the diagram

class diagram {
 public:
  void add(const json& root) {
    const auto who = participant(root);
    const auto words = plain(cause_words(root));
    body_ += "  client->>" + who + ": " + (words.empty() ? "request" : words) + "\n";
    if (!what_happened(root, who)) body_ += "  Note over " + who + ": no change\n";
  }

  std::string text() const {
    std::string all = "sequenceDiagram\n  participant client\n";
    for (std::size_t i = 0; i < names_.size(); ++i) all += "  participant p" + std::to_string(i) + " as " + names_[i] + "\n";
    return all + body_;
  }

 private:
  std::string participant(const json& step) {
    const auto name = plain(text_at(step, "aggregate"));
    auto at = std::find(names_.begin(), names_.end(), name);
    if (at == names_.end()) at = names_.insert(at, name);
    return "p" + std::to_string(at - names_.begin());
  }

  // ';' ends a statement of Mermaid and '#' begins an entity.
  static std::string plain(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == ';' || c == '#'; }, ',');
    return text;
  }

  // Partners first: they record before who asked them does.
  bool what_happened(const json& step, const std::string& who) {
    for (const auto& s : steps_of(step))
      if (text_at(s, "cause") == "ask") ask(s, who);
    auto words = plain(result_words(step));
    if (const auto marks = plain(mark_words(step)); !marks.empty()) words += (words.empty() ? "" : ", ") + marks;
    if (!words.empty()) body_ += "  Note over " + who + ": " + words + "\n";
    for (const auto& s : steps_of(step))
      if (text_at(s, "cause") != "ask") tell(s, who);
    return !words.empty();
  }

  void ask(const json& step, const std::string& asker) {
    const auto who = participant(step);
    body_ += "  " + asker + "->>+" + who + ": ask\n";
    (void)what_happened(step, who);
    body_ += "  " + who + "-->>-" + asker + ": reply\n";
  }

  void tell(const json& step, const std::string& sender) {
    const auto who = participant(step);
    body_ += "  " + sender + "-)" + who + ": " + plain(cause_words(step)) + "\n";
    (void)what_happened(step, who);
  }

  std::vector<std::string> names_;
  std::string body_;
};

// ---- asking

// "hotel/pay/3": prefix "/hotel", context "pay", number "3".
struct aggregate_name {
  std::string prefix, context, number;
};

std::optional<aggregate_name> parse_name(const std::string& text) {
  const auto slash = text.rfind('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) return std::nullopt;
  aggregate_name n{"", text.substr(0, slash), text.substr(slash + 1)};
  if (n.number.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  if (const auto before = n.context.rfind('/'); before != std::string::npos) {
    n.prefix = "/" + encoded(n.context.substr(0, before));
    n.context.erase(0, before + 1);
  }
  return n.context.empty() ? std::nullopt : std::optional(n);
}

// The context's name or its collection's is good.
std::optional<std::string> collection_of(const json& info, const std::string& context, const screen& s) {
  const auto all = info.find("collections");
  std::vector<std::string_view> known;
  if (all != info.end() && all->is_object())
    for (const auto& [name, collection] : all->items()) {
      if (!collection.is_string()) continue;
      if (name == context || collection == context) return collection.get<std::string>();
      known.push_back(name);
    }
  const auto near = nearest(context, known);
  s.err << "crema: this node has no aggregates called '" << one_line(context) << "'"
        << (near.empty() ? "" : "; did you mean " + one_line(near) + "?") << '\n';
  return std::nullopt;
}

}  // namespace

std::string drawn_tree(const json& tree, const terminal& t) {
  timestamp started;
  (void)parse_iso_text(text_at(tree, "startedAt"), started);
  std::string out;
  for (const auto& root : steps_of(tree)) out += (out.empty() ? "" : "\n") + drawn_conversation(root, started, t);
  if (!tree.value("complete", true)) out += "\nA limit was met: older conversations or late messages are missing.\n";
  return out;
}

std::string mermaid_diagram(const json& tree) {
  diagram d;
  for (const auto& root : steps_of(tree)) d.add(root);
  return d.text();
}

int show_trace(const http_client& node, const screen& s, const terminal& t, const std::string& aggregate, bool mermaid) {
  const auto name = parse_name(aggregate);
  if (!name) {
    s.err << "crema: '" << one_line(aggregate) << "' is not an aggregate; give its context and number, say: crema trace order/11\n";
    return 2;
  }
  const auto info = fetch(node, s, name->prefix + "/actuator/info");
  if (!info) return 1;
  const auto collection = collection_of(*info, name->context, s);
  if (!collection) return 1;
  const auto tree = fetch(node, s, name->prefix + "/" + encoded(*collection) + "/" + name->number + "/trace");
  if (!tree) return 1;
  if (s.json)
    s.out << tree->dump(2) << '\n';
  else
    s.out << (mermaid ? mermaid_diagram(*tree) : drawn_tree(*tree, t));
  return 0;
}

}  // namespace crema::cli
