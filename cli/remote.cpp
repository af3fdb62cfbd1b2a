#include "cli/remote.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/table.hpp"

namespace crema::cli {

namespace {

using nlohmann::json;

// A copy of all data takes as long as it takes; stopping a context waits for what is in flight there.
constexpr std::chrono::seconds backup_limit{4 * 3600}, switch_limit{120};
constexpr std::size_t event_bytes_max = 4U << 20U;

std::string text_of(const json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  return at != object.end() && at->is_string() ? one_line(at->get<std::string>(), 400) : std::string();
}

int fail(const screen& s, const http_client& node, const answer& a) {
  const auto problem = json::parse(a.body, nullptr, false);
  auto why = text_of(problem, "detail");
  if (why.empty()) why = text_of(problem, "title");
  s.err << "crema: " << node.url() << " answered " << a.status << (why.empty() ? "" : ": " + why) << '\n';
  if (a.status == 401) s.err << "Give the node's http.managementToken with --token or CREMA_TOKEN.\n";
  return 1;
}

// The rows of an answer that is an array, or an object with the array in it.
json rows_of(const json& document, const char* key) {
  if (document.is_array()) return document;
  if (document.is_object() && document.contains(key) && document[key].is_array()) return document[key];
  return json::array();
}

int list(const http_client& node, const screen& s, const char* target, const char* key, const std::vector<std::string>& columns,
         std::string_view nothing) {
  const auto document = fetch(node, s, target);
  if (!document) return 1;
  if (s.json)
    s.out << document->dump(2) << '\n';
  else
    print_table(s.out, rows_of(*document, key), columns, nothing);
  return 0;
}

// Sends a change and says on success what it did.
int change(const http_client& node, const screen& s, const request& r, const std::string& done) {
  const auto a = node.send(r);
  if (a.status >= 300) return fail(s, node, a);
  if (s.json)
    s.out << (a.body.empty() ? "{}" : a.body) << '\n';
  else
    s.out << done << '\n';
  return 0;
}

std::string events_target(const event_options& o) {
  std::string query;
  const auto add = [&](const char* name, const std::string& v) {
    query += (query.empty() ? "?" : "&") + std::string(name) + '=' + encoded(v);
  };
  if (!o.from.empty()) add("from", o.from);
  if (o.follow) add("follow", "true");
  if (!o.type.empty()) add("type", o.type);
  if (!o.context.empty()) add("context", o.context);
  if (o.id) add("id", std::to_string(*o.id));
  return "/events" + query;
}

// "20210119130159" → "2021-01-19 13:01:59"
std::string readable_time(const std::string& compact) {
  if (compact.size() != 14) return compact;
  return compact.substr(0, 4) + '-' + compact.substr(4, 2) + '-' + compact.substr(6, 2) + ' ' + compact.substr(8, 2) + ':' +
         compact.substr(10, 2) + ':' + compact.substr(12, 2);
}

// Takes NDJSON in pieces, prints an event a line, and remembers how far it came in which history.
class event_printer {
 public:
  explicit event_printer(const screen& s) : screen_(s) {}

  void take(std::string_view piece) {
    pending_ += piece;
    std::size_t begin = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
      line(std::string_view(pending_).substr(begin, end - begin));
      begin = end + 1;
    }
    pending_.erase(0, begin);
    if (pending_.size() > event_bytes_max) throw unreachable("The node sent an event that is too long");
    screen_.out.flush();
  }

  void header(std::string_view name, std::string_view value) {
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    constexpr std::string_view history = "crema-history";
    if (std::equal(name.begin(), name.end(), history.begin(), history.end(), same)) history_ = one_line(std::string(value));
  }

  /// Where to go on; empty before the first event.
  std::string next() const { return next_ == 0 ? std::string() : (history_.empty() ? "" : history_ + "-") + std::to_string(next_); }

 private:
  void line(std::string_view text) {
    auto event = json::parse(text, nullptr, false);
    if (!event.is_object()) return;  // a blank line is a sign of life
    if (const auto at = event.find("offset"); at != event.end() && at->is_number_unsigned()) next_ = at->get<std::uint64_t>() + 1;
    if (screen_.json) {
      screen_.out << text << '\n';
      return;
    }
    const auto offset = next_ == 0 ? std::string("?") : std::to_string(next_ - 1);
    screen_.out << offset << "  " << readable_time(text_of(event, "timestamp")) << "  " << text_of(event, "context") << "  "
                << text_of(event, "eventType");
    for (const auto* shown : {"offset", "timestamp", "context", "eventType", "traceId"}) event.erase(shown);
    for (const auto& [name, value] : event.items())
      screen_.out << "  " << one_line(name) << '=' << one_line(value.is_string() ? value.get<std::string>() : value.dump(), 200);
    screen_.out << '\n';
  }

  const screen& screen_;
  std::string pending_, history_;
  std::uint64_t next_ = 0;
};

}  // namespace

std::optional<json> fetch(const http_client& node, const screen& s, const std::string& target) {
  const auto a = node.send({.target = target});
  if (a.status != 200) {
    (void)fail(s, node, a);
    return std::nullopt;
  }
  auto document = json::parse(a.body, nullptr, false);
  if (!document.is_discarded()) return document;
  s.err << "crema: " << node.url() << " answered something else than JSON; is it a crema?\n";
  return std::nullopt;
}

int list_contexts(const http_client& node, const screen& s) {
  return list(node, s, "/actuator/contexts", "contexts", {"name", "state", "awake", "outbox"}, "This node has no contexts.");
}

int switch_context(const http_client& node, const screen& s, const std::string& name, bool running) {
  const request r{
      .method = "POST", .target = "/actuator/contexts/" + encoded(name) + (running ? "/start" : "/stop"), .body = "{}", .time_limit = switch_limit};
  return change(node, s, r,
                name + (running ? " runs." : " is stopped. Its durable messages wait; start it with: crema context start " + name));
}

int print_events(const http_client& node, const screen& s, const event_options& o) {
  event_printer printer(s);
  const request r{.target = events_target(o), .accept = "application/x-ndjson", .time_limit = std::chrono::seconds(0)};
  try {
    const auto a = node.stream(
        r, [&](std::string_view piece) { printer.take(piece); },
        [&](std::string_view name, std::string_view value) { printer.header(name, value); });
    if (a.status != 200) return fail(s, node, a);
    printer.take("\n");
  } catch (const unreachable& e) {
    if (printer.next().empty()) throw;
    throw unreachable(std::string(e.what()) + ". Go on with --from " + printer.next());
  }
  return 0;
}

int list_dead_letters(const http_client& node, const screen& s) {
  return list(node, s, "/actuator/deadletters", "deadLetters",
              {"id", "at", "context", "aggregate", "kind", "message", "state", "attempts", "error", "reason"},
              "There are no dead letters.");
}

int settle_dead_letter(const http_client& node, const screen& s, std::uint64_t id, bool replay) {
  const auto number = std::to_string(id);
  const auto target = "/actuator/deadletters/" + number;
  if (replay) return change(node, s, {.method = "POST", .target = target + "/replay", .body = "{}"}, "Dead letter " + number + " was sent again.");
  return change(node, s, {.method = "DELETE", .target = target}, "Dead letter " + number + " is dropped.");
}

int list_faults(const http_client& node, const screen& s) {
  return list(node, s, "/actuator/faults", "faults",
              {"id", "target", "kind", "state", "fired", "rate", "count", "durationMs", "delayMinMs", "delayMaxMs", "byMs", "seed", "note"},
              "There are no faults.");
}

int add_fault(const http_client& node, const screen& s, const json& fields) {
  const auto a = node.send({.method = "POST", .target = "/actuator/faults", .body = fields.dump()});
  if (a.status >= 300) return fail(s, node, a);
  const auto added = json::parse(a.body, nullptr, false);
  const auto id = added.is_object() && added.contains("id") ? one_line(added["id"].dump()) : std::string("?");
  if (s.json)
    s.out << a.body << '\n';
  else
    s.out << "Fault " << id << " is on: " << one_line(fields.at("kind").get<std::string>()) << " at "
          << one_line(fields.at("target").get<std::string>()) << ". Remove it with: crema fault clear " << id << '\n';
  return 0;
}

int clear_faults(const http_client& node, const screen& s, std::optional<std::uint64_t> id) {
  const auto target = "/actuator/faults" + (id ? "/" + std::to_string(*id) : std::string());
  return change(node, s, {.method = "DELETE", .target = target},
                id ? "Fault " + std::to_string(*id) + " is removed." : "No faults are left.");
}

int backup(const http_client& node, const screen& s, const std::string& directory) {
  const auto absolute = std::filesystem::absolute(directory).lexically_normal().string();
  const request r{.method = "POST", .target = "/actuator/backup", .body = json{{"directory", absolute}}.dump(), .time_limit = backup_limit};
  return change(node, s, r, "The backup is in " + absolute + ". Restore it with: crema restore " + absolute);
}

}  // namespace crema::cli
