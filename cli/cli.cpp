#include "cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>

#include "behaviors/core/json.hpp"
#include "cli/fault_options.hpp"
#include "cli/remote.hpp"
#include "cli/trace.hpp"
#include "config/explain.hpp"

namespace crema::cli {

namespace {

constexpr auto examples = R"(Examples:
  crema serve                                       the cafeteria on http://127.0.0.1:8080, data in ./data
  crema serve --set payment.bulkhead.callTimeoutMs=610
  crema serve hotel                                 another system; --all serves every one below its prefix
  crema config explain                              every setting: meaning, default, bounds, value, origin
  crema events --follow                             everything that happens, as it happens
  crema supervisors                                 who runs, who failed, who was restarted
  crema trace order/11                              what led to what, message by message, with times
  crema context stop payment                        then try an order; its durable messages wait
  crema context start payment
  crema fault add payment --kind slow --delay 400-620 --for 30s
  crema backup /var/backups/crema-1                 hot and consistent, while orders come in
  crema restore /var/backups/crema-1 --data ./data-restored --to 2021-02-25T04:28:24.716Z

`crema COMMAND --help` shows a command's options. Exit codes: 0 done, 1 failed, 2 usage or settings.)";

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the options of all commands are parsed into.
struct arguments {
  std::string system, config_file, data, listen;
  std::vector<std::string> sets;
  std::string url = "http://127.0.0.1:8080", token;
  bool json = false, all = false;

  std::string context;
  event_options events;
  std::string aggregate;
  bool mermaid = false;
  bool rebuild_views = false;
  std::string directory, restore_to;
  std::uint64_t dead_letter = 0;
  fault_options fault;
  std::optional<std::uint64_t> fault_id;
};

class command_line {
 public:
  command_line(const actions& does, std::ostream& out, std::ostream& err) : does_(does), out_(out), err_(err) {
    args_.system = does.systems.at(0);
    app_.require_subcommand(1);
    app_.footer(examples);
    add_serve();
    add_context();
    add_supervisors();
    add_events();
    add_trace();
    add_verify();
    add_backup();
    add_dead_letters();
    add_faults();
    add_config();
    add_command(app_, "version", "Print the version", [this] {
      out_ << "crema " CREMA_VERSION "\n";
      return ok;
    });
  }

  int run(int argc, const char* const* argv) {
    if (const auto unknown = unknown_command(argc, argv)) return complain(*unknown);
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      if (const auto unknown = unknown_option(); unknown && e.get_exit_code() != 0) return complain(*unknown);
      return app_.exit(e, out_, err_) == 0 ? ok : usage;
    }
    try {
      return chosen_();
    } catch (const usage_error& e) { return complain(e.what()); } catch (const config::config_error& e) {
      return complain(e.what());
    } catch (const unreachable& e) {
      err_ << "crema: " << e.what() << '\n';
      return failed;
    }
  }

 private:
  int complain(const std::string& why) {
    err_ << "crema: " << why << '\n';
    return usage;
  }

  std::optional<std::string> unknown_command(int argc, const char* const* argv) const {
    if (argc < 2 || argv[1][0] == '-' || argv[1][0] == '\0') return std::nullopt;
    std::vector<std::string> names;
    for (const auto* sub : app_.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
    if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return std::nullopt;
    const auto near = nearest(argv[1], {names.begin(), names.end()});
    return std::string(argv[1]) + " is not a command; " + (near.empty() ? "see crema --help" : "did you mean: crema " + std::string(near));
  }

  // After a command line that could not be read: CLI11 first complains of what stands behind such an option.
  std::optional<std::string> unknown_option() const {
    const auto left = app_.remaining(true);
    const auto at = std::find_if(left.begin(), left.end(), [](const auto& word) { return word.starts_with('-'); });
    if (at == left.end()) return std::nullopt;
    const auto* command = &app_;
    std::string path = "crema";
    for (auto subs = app_.get_subcommands(); !subs.empty(); subs = command->get_subcommands()) {
      command = subs.front();
      path += " " + command->get_name();
    }
    std::vector<std::string> names;
    for (const auto* o : command->get_options())
      for (const auto& name : o->get_lnames()) names.push_back("--" + name);
    const auto option = at->substr(0, at->find('='));
    const auto near = nearest(option, {names.begin(), names.end()});
    return option + " is not an option of " + path + "; " +
           (near.empty() ? "see " + path + " --help" : "did you mean " + std::string(near));
  }

  template <class Do>
  CLI::App& add_command(CLI::App& to, const char* name, const char* help, Do what) {
    auto& sub = *to.add_subcommand(name, help);
    sub.callback([this, what] { chosen_ = what; });
    return sub;
  }

  static CLI::App& add_group(CLI::App& to, const char* name, const char* help) {
    auto& group = *to.add_subcommand(name, help);
    group.require_subcommand(1);
    return group;
  }

  void take_settings(CLI::App& to) {
    to.add_option("--config", args_.config_file, "A settings file (JSON, comments allowed)")->envname("CREMA_CONFIG");
    to.add_option("--data", args_.data, "The data directory (data.directory)");
    to.add_option("--set", args_.sets, "One setting, stronger than file and environment; may be repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
  }

  void take_system(CLI::App& to, const char* option) {
    to.add_option(option, args_.system, "The system: " + CLI::detail::join(does_.systems, ", "))->check(CLI::IsMember(does_.systems));
  }

  void take_system_or_all(CLI::App& to) {
    take_system(to, "SYSTEM");
    to.add_flag_callback(
          "--all", [this] { args_.system.clear(); }, "Every system, each below a prefix of its name")
        ->excludes("SYSTEM");
  }

  void take_node(CLI::App& to) {
    to.add_option("--url", args_.url, "The node to speak to")->envname("CREMA_URL")->capture_default_str();
    to.add_option("--token", args_.token, "Its http.managementToken")->envname("CREMA_TOKEN");
    to.add_flag("--json", args_.json, "Print JSON, for programs");
  }

  void add_serve() {
    auto& c = add_command(app_, "serve", "Run a node", [this] { return does_.serve({args_.system, settings(), [this] { return settings(); }}); });
    take_system_or_all(c);
    take_settings(c);
    c.add_option("--listen", args_.listen, "The address of the front door (http.listen)")->type_name("HOST:PORT");
    c.footer(
        "Examples:\n  crema serve cafeteria --config config/cafeteria.json --data ./data\n"
        "  crema serve --listen 0.0.0.0:8080 --set log.level=debug\n"
        "  crema serve --all                                 /cafeteria/orders, /hotel/books …; data in ./data/cafeteria …\n"
        "  CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS=610 crema serve\nStop it with SIGTERM: requests in flight finish first.");
  }

  void add_context() {
    auto& group = add_group(app_, "context", "List, stop and start the contexts of a running node");
    take_node(add_command(group, "list", "Their states", [this] { return list_contexts(node(), screen_of()); }));
    for (const bool running : {false, true}) {
      auto& c = add_command(group, running ? "start" : "stop", running ? "Take messages again" : "Take no messages; durable ones wait",
                            [this, running] { return switch_context(node(), screen_of(), args_.context, running); });
      c.add_option("NAME", args_.context, "The context")->required();
      take_node(c);
    }
    group.footer("Examples:\n  crema context list\n  crema context stop drink\n  crema context start drink");
  }

  void add_supervisors() {
    auto& c = add_command(app_, "supervisors", "Show a running node's supervision tree: who runs, who failed, who was restarted",
                          [this] { return show_supervisors(node(), screen_of(), args_.all); });
    c.add_flag("--all", args_.all, "Also each of many children that have nothing to tell");
    take_node(c);
    c.footer("Examples:\n  crema supervisors\n  crema supervisors --all --json");
  }

  void add_events() {
    auto& c = add_command(app_, "events", "Print the event stream of a running node",
                          [this] { return print_events(node(), screen_of(), args_.events); });
    c.add_option("--from", args_.events.from, "The first offset, alone or behind its history: 0123456789abcdef-17");
    c.add_flag("--follow", args_.events.follow, "Go on as events happen");
    c.add_option("--type", args_.events.type, "Only events of this type, say PaymentApproved");
    c.add_option("--context", args_.events.context, "Only events of this context");
    c.add_option("--id", args_.events.id, "Only events of the aggregate of this number");
    take_node(c);
    c.footer(
        "Examples:\n  crema events --follow\n  crema events --type CancelFailed --json | jq .\n  crema events --context order --id 11");
  }

  void add_trace() {
    auto& c = add_command(app_, "trace", "Print what led to what for one aggregate of a running node, however old it is",
                          [this] { return show_trace(node(), screen_of(), terminal_of_stdout(), args_.aggregate, args_.mermaid); });
    c.add_option("AGGREGATE", args_.aggregate, "Its context and number; with its system before them where several are served")
        ->required()
        ->type_name("CONTEXT/NUMBER");
    c.add_flag("--mermaid", args_.mermaid, "A sequence diagram, as Mermaid text");
    take_node(c);
    c.footer(
        "Examples:\n  crema trace order/11\n  crema trace hotel/pay/3                           of a node that serves every system\n"
        "  crema trace order/11 --mermaid > order-11.mmd\n  crema trace order/11 --json | jq .steps[0]");
  }

  void add_verify() {
    auto& c = add_command(app_, "verify", "Check a data directory: format, checksums, state against journal", [this] {
      return does_.verify({args_.system, settings(), args_.rebuild_views, args_.json});
    });
    c.add_flag("--rebuild-views", args_.rebuild_views, "Also build every view anew from the journal and compare it");
    c.add_flag("--json", args_.json, "Print JSON, for programs");
    take_system(c, "--system");
    take_settings(c);
    c.footer("The node must not be running on it.\nExamples:\n  crema verify --data ./data\n  crema verify --rebuild-views");
  }

  void add_backup() {
    auto& b = add_command(app_, "backup", "Copy a running node's data, hot and consistent",
                          [this] { return backup(node(), screen_of(), args_.directory); });
    b.add_option("DIR", args_.directory, "A new or empty directory on the node's machine")->required();
    take_node(b);
    b.footer("Example:\n  crema backup /var/backups/crema-1");

    auto& r = add_command(app_, "restore", "Make a data directory from a backup", [this] { return does_.restore(restoring()); });
    r.add_option("DIR", args_.directory, "The backup")->required();
    r.add_option("--to", args_.restore_to, "The last event to keep: its offset, or a time")->type_name("SEQ|TIME");
    take_system(r, "--system");
    take_settings(r);
    r.footer(
        "Examples:\n  crema restore /var/backups/crema-1 --data ./data-restored\n"
        "  crema restore /var/backups/crema-1 --data ./yesterday --to 2021-02-25T04:28:24Z\n"
        "  crema restore /var/backups/crema-1 --data ./before --to 4711");
  }

  void add_dead_letters() {
    auto& group = add_group(app_, "deadletters", "List, replay and drop the messages that nobody could handle");
    take_node(add_command(group, "list", "Them and why", [this] { return list_dead_letters(node(), screen_of()); }));
    for (const bool replay : {true, false}) {
      auto& c = add_command(group, replay ? "replay" : "drop", replay ? "Send one again" : "Give one up for good",
                            [this, replay] { return settle_dead_letter(node(), screen_of(), args_.dead_letter, replay); });
      c.add_option("ID", args_.dead_letter, "Its number in the list")->required();
      take_node(c);
    }
    group.footer("Examples:\n  crema deadletters list\n  crema deadletters replay 3");
  }

  void add_faults() {
    auto& group = add_group(app_, "fault", "Break a running node on purpose, look at what struck, and heal it");
    auto& a = add_command(group, "add", "Add a fault", [this] { return add_fault(node(), screen_of(), fields_of_fault()); });
    auto& f = args_.fault;
    a.add_option("TARGET", f.target, "payment, payment/17, payment/partition-3, payment/supervisor, 'order->payment', journal, node")
        ->required();
    a.add_option("--kind", f.kind, "crash, throw, slow, hang, drop, delay, repeat, reorder, full, stall, fail, torn, jump, kill, zombie")
        ->required();
    a.add_option("--rate", f.rate, "Share of the occasions on which it strikes, 0.1 for each tenth; left out: each");
    a.add_option("--count", f.count, "How often it strikes at the most");
    a.add_option("--for", f.lasts, "How long it lasts: 500ms, 30s, 2m; left out: until it is removed");
    a.add_option("--delay", f.delay, "slow, delay, reorder: how long, in ms: 400-620");
    a.add_option("--by", f.by, "jump: how far the wall clock is off: 1h, --by=-90s");
    a.add_option("--seed", f.seed, "The same seed strikes in the same places");
    a.add_option("--note", f.note, "For people who look at the list");
    take_node(a);
    a.footer(
        "Examples:\n  crema fault add payment --kind slow --delay 400-620 --for 30s\n"
        "  crema fault add 'order->payment' --kind drop --rate 0.1\n  crema fault add payment/17 --kind throw --count 3\n"
        "  crema fault add drink/partition-3 --kind crash --count 2\n  crema fault add journal --kind slow --delay 50\n"
        "  crema fault add node --kind kill");
    take_node(add_command(group, "list", "Them, and how often each struck", [this] { return list_faults(node(), screen_of()); }));
    auto& c = add_command(group, "clear", "Remove one, or all", [this] { return clear_faults(node(), screen_of(), args_.fault_id); });
    c.add_option("ID", args_.fault_id, "Its number in the list; left out: all");
    take_node(c);
    group.footer(
        "The node must run with faults.enabled and http.managementToken; give the token with --token or CREMA_TOKEN.\n"
        "Examples:\n  crema fault add payment --kind slow --delay 400-620 --for 30s\n  crema fault list\n  crema fault clear");
  }

  nlohmann::json fields_of_fault() const {
    try {
      return fault_fields(args_.fault);
    } catch (const std::invalid_argument& e) { throw usage_error(e.what()); }
  }

  void add_config() {
    auto& group = add_group(app_, "config", "Look at settings");
    auto& c = add_command(group, "explain", "Print every setting: meaning, default, bounds, value and where it came from", [this] {
      const auto v = settings();
      if (args_.json)
        out_ << config::explain_json(v).dump(2) << '\n';
      else
        out_ << config::explain_text(v);
      return ok;
    });
    take_system_or_all(c);
    take_settings(c);
    c.add_option("--listen", args_.listen, "The address of the front door (http.listen)")->type_name("HOST:PORT");
    c.add_flag("--json", args_.json, "Print JSON, for programs");
    c.footer("Examples:\n  crema config explain --config config/cafeteria.json\n  crema config explain | grep -A3 bulkhead.openMs");
  }

  config::values settings() const {
    config::sources from{args_.config_file, config::process_environment(), {}};
    for (const auto& s : args_.sets) {
      const auto equals = s.find('=');
      if (equals == std::string::npos) throw usage_error("--set " + s + ": must be NAME=VALUE");
      from.flags.push_back({s.substr(0, equals), s.substr(equals + 1), "--set"});
    }
    if (!args_.data.empty()) from.flags.push_back({"data.directory", args_.data, "--data"});
    if (!args_.listen.empty()) from.flags.push_back({"http.listen", args_.listen, "--listen"});
    return config::load(does_.settings(args_.system), from);
  }

  restore_options restoring() const {
    restore_options o{args_.system, settings(), args_.directory, {}, {}};
    if (args_.restore_to.empty()) return o;
    const auto* end = args_.restore_to.data() + args_.restore_to.size();
    std::uint64_t sequence = 0;
    timestamp time;
    if (const auto [stop, error] = std::from_chars(args_.restore_to.data(), end, sequence); error == std::errc{} && stop == end)
      o.to_sequence = sequence;
    else if (parse_iso_text(args_.restore_to, time))
      o.to_time = time;
    else
      throw usage_error("--to " + args_.restore_to + ": must be an event's offset, or a time such as 2021-02-25T04:28:24.716Z");
    return o;
  }

  http_client node() const {
    try {
      return {args_.url, args_.token};
    } catch (const std::invalid_argument& e) { throw usage_error(std::string("--url: ") + e.what()); }
  }
  screen screen_of() const { return {out_, err_, args_.json}; }

  const actions& does_;
  std::ostream& out_;
  std::ostream& err_;
  CLI::App app_{"Crema: durable actors, and the ordering systems built on them", "crema"};
  arguments args_;
  std::function<int()> chosen_;
};

}  // namespace

int run(int argc, const char* const* argv, const actions& does, std::ostream& out, std::ostream& err) {
  command_line line(does, out, err);
  return line.run(argc, argv);
}

}  // namespace crema::cli
