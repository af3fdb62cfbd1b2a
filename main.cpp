// The composition root: the only file that knows every concrete type. It turns settings into parts, puts them together, and waits
// for the end: a signal (drain, then exit 0) or a failure of the node (exit 1, at once, without an answer for what is not durable).
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <future>
#include <iostream>
#include <random>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include "actors/log_sink.hpp"
#include "actors/node.hpp"
#include "behaviors/systems.hpp"
#include "cli/cli.hpp"
#include "cli/visible_output.hpp"
#include "http/server.hpp"
#include "outbound/otlp_exporter.hpp"
#include "outbound/webhook.hpp"
#include "process/descriptors.hpp"
#include "process/signals.hpp"
#include "process/standard_streams.hpp"
#include "storage/deferred/deferred_store.hpp"
#include "storage/directory/directory_contents.hpp"
#include "storage/faulty/faulty_store.hpp"
#include "storage/filtered/filtered_store.hpp"
#include "storage/format.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "storage/maintenance.hpp"
#include "storage/packed/packed_store.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

// Read by jemalloc at start: freed memory goes back to the system after a second, also when nobody allocates; and it asks for huge
// pages, as what waits and what is awake is spread over more memory than the processor finds its way through in small ones.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,thp:always";

namespace {

using namespace crema;
using config::values;

std::uint64_t random_number() { return (static_cast<std::uint64_t>(std::random_device{}()) << 32U) ^ std::random_device{}(); }

template <class T>
T number(const values& v, const std::string& name) {
  return static_cast<T>(v.get_int(name));
}

// ---- settings into parts

telemetry::log_settings log_settings_of(const values& v) {
  telemetry::log_settings s;
  const auto& level = v.get_text("log.level");
  s.threshold = level == "debug"   ? telemetry::level::debug
                : level == "warn"  ? telemetry::level::warn
                : level == "error" ? telemetry::level::error
                                   : telemetry::level::info;
  const auto& format = v.get_text("log.format");
  using style = telemetry::log_settings::style;
  s.format = format == "text" ? style::text : format == "json" ? style::json : style::automatic;
  s.directory = std::filesystem::path(v.get_text("data.directory")) / "logs";
  s.file_bytes_max = number<std::uint64_t>(v, "log.fileBytesMax");
  s.files_max = number<std::uint32_t>(v, "log.filesMax");
  s.access_log = v.get_bool("log.access");
  return s;
}

storage::lmdb_options store_options_of(const values& v) {
  storage::lmdb_options o;
  o.map_bytes_max = number<std::uint64_t>(v, "data.mapBytesMax");
  o.map_reserve_bytes = number<std::uint64_t>(v, "data.mapReserveBytes");
  o.reserve_bytes = number<std::uint64_t>(v, "data.reserveBytes");
  o.preallocate_bytes = number<std::uint64_t>(v, "data.preallocateBytes");
  return o;
}

storage::lmdb_options to_read(storage::lmdb_options o) {
  o.read_only = true;
  return o;
}

storage::lmdb_options to_restore(storage::lmdb_options o) {
  o.to_restore = true;
  return o;
}

std::unique_ptr<storage::store> open_store(const std::filesystem::path& directory, const storage::lmdb_options& options, const values& v) {
  return storage::make_deferred_store(storage::make_packed_store(storage::open_lmdb(directory, options)),
                                      number<std::size_t>(v, "data.deferredEntriesMax"));
}

// As a node wants it: what is not in the index is known at once, as soon as what is there has been read.
std::unique_ptr<storage::store> open_filtered_store(const std::filesystem::path& directory, bool must_exist, const values& v) {
  auto options = store_options_of(v);
  options.must_exist = must_exist;
  return storage::make_filtered_store(
      open_store(directory, options, v), number<std::size_t>(v, "data.filterBytes"), storage::learning::beside, [](const std::string& why) {
        if (why.empty())
          telemetry::log(telemetry::level::debug, "all index keys are in the filter");
        else
          telemetry::log(telemetry::level::warn,
                         "not all index keys could be read into the filter; what is new is looked for in the "
                         "index, which takes longer",
                         {{"reason", why}});
      });
}

actors::context_settings context_settings_of(const values& v, const context_declaration& context, const std::string& scope) {
  actors::context_settings c;
  c.slow_min = v.get_ms(scope + context.name + ".slow.minMs");
  c.slow_max = v.get_ms(scope + context.name + ".slow.maxMs");
  if (context.state == nullptr) return c;  // it only carries views: nobody asks it
  const auto at = scope + context.bulkhead + ".bulkhead.";
  auto& b = c.bulkhead;
  b.concurrent_max = number<std::uint32_t>(v, at + "maxConcurrent");
  b.queued_max = number<std::uint32_t>(v, at + "maxQueued");
  b.call_timeout = v.get_ms(at + "callTimeoutMs");
  b.window = v.get_ms(at + "windowMs");
  b.window_calls_min = number<std::uint32_t>(v, at + "windowCallsMin");
  b.failure_rate_percent = number<std::uint32_t>(v, at + "failureRatePercent");
  b.slow_call = v.get_ms(at + "slowCallMs");
  b.slow_rate_percent = number<std::uint32_t>(v, at + "slowRatePercent");
  b.consecutive_errors = number<std::uint32_t>(v, at + "consecutiveErrors");
  b.open_time = v.get_ms(at + "openMs");
  b.half_open_probes = number<std::uint32_t>(v, at + "halfOpenProbes");
  return c;
}

actors::runtime_settings runtime_settings_of(const values& v, const system_declaration& system, const std::string& scope) {
  actors::runtime_settings s;
  s.partitions = number<std::uint16_t>(v, "node.partitions");
  s.threads = number<std::size_t>(v, "runtime.threads");
  s.idle = v.get_ms("runtime.idleMs");
  s.awake_max = number<std::uint64_t>(v, "runtime.awakeMax");
  s.kept_awake_max = number<std::uint64_t>(v, "runtime.keptAwakeMax");
  s.mailbox_max = number<std::uint32_t>(v, "runtime.mailboxMax");
  s.in_flight_max = number<std::uint64_t>(v, "runtime.inFlightMax");
  s.outbox_max = number<std::uint64_t>(v, "runtime.outboxMax");
  s.ask_time_limit = v.get_ms("runtime.askTimeLimitMs");
  s.poison_attempts = number<std::uint32_t>(v, "runtime.poisonAttempts");
  s.restart_intensity = number<std::uint32_t>(v, "runtime.restartIntensity");
  s.restart_period = v.get_ms("runtime.restartPeriodMs");
  s.backoff_min = v.get_ms("runtime.backoffMinMs");
  s.backoff_max = v.get_ms("runtime.backoffMaxMs");
  s.undo_retry_min = v.get_ms("runtime.undoRetryMinMs");
  s.undo_retry_max = v.get_ms("runtime.undoRetryMaxMs");
  s.idempotency_ttl = std::chrono::hours(v.get_int("runtime.idempotencyHours"));
  s.sort_rows_max = number<std::uint64_t>(v, "runtime.sortRowsMax");
  s.batch_items_max = number<std::size_t>(v, "journal.batchRecordsMax");
  s.batch_wait = std::chrono::microseconds(v.get_int("journal.batchWaitUs"));
  s.linger = v.get_ms("journal.lingerMs");
  s.journal_queue_max = number<std::size_t>(v, "journal.queueMax");
  // Lines of the log go together; a receiver takes them one by one.
  s.notify_concurrent_max =
      v.get_text("notify.adapter") == "log" ? actors::log_sink::lines_max : number<std::uint32_t>(v, "notify.maxConcurrent");
  s.notify_retry_min = v.get_ms("notify.retryMinMs");
  s.notify_retry_max = v.get_ms("notify.retryMaxMs");
  s.notify_tries_max = number<std::uint32_t>(v, "notify.triesMax");
  s.notify_age_max = v.get_ms("notify.ageMaxMs");
  s.seed = random_number();
  for (const auto& c : system.contexts) s.contexts.emplace(c.name, context_settings_of(v, c, scope));
  s.faults_enabled = v.get_bool("faults.enabled");
  s.system = v.of_system(system, scope);
  return s;
}

http::server_settings server_settings_of(const values& v) {
  http::server_settings s;
  const auto& listen = v.get_text("http.listen");
  const auto colon = listen.rfind(':');
  s.listen_host = listen.substr(0, colon);
  if (s.listen_host.starts_with('[')) s.listen_host = s.listen_host.substr(1, s.listen_host.size() - 2);
  if (s.listen_host == "localhost") s.listen_host = "127.0.0.1";
  s.listen_port = static_cast<std::uint16_t>(std::stoi(listen.substr(colon + 1)));
  s.threads = number<unsigned>(v, "http.threads");
  if (s.threads == 0) s.threads = std::max(1U, std::thread::hardware_concurrency());
  s.trusted_proxies = v.get_list("http.trustedProxies");
  s.connections_max = number<std::size_t>(v, "http.connectionsMax");
  s.body_bytes_max = number<std::size_t>(v, "http.bodyBytesMax");
  s.header_bytes_max = number<std::uint32_t>(v, "http.headerBytesMax");
  s.uri_bytes_max = number<std::size_t>(v, "http.uriBytesMax");
  s.json_depth_max = number<std::size_t>(v, "http.jsonDepthMax");
  s.compress_bytes_min = number<std::size_t>(v, "http.compressBytesMin");
  s.cors_origins = v.get_list("http.corsOrigins");
  s.cors_credentials = v.get_bool("http.corsCredentials");
  s.cors_max_age_s = number<std::uint32_t>(v, "http.corsMaxAgeS");
  s.in_flight_max = number<std::size_t>(v, "runtime.inFlightMax");
  s.event_streams_max = number<std::size_t>(v, "http.eventStreamsMax");
  s.page_size_default = number<std::uint32_t>(v, "http.pageSizeDefault");
  s.page_size_max = number<std::uint32_t>(v, "http.pageSizeMax");
  s.request_read_timeout_ms = number<std::uint32_t>(v, "http.requestReadTimeoutMs");
  s.keep_alive_idle_ms = number<std::uint32_t>(v, "http.keepAliveIdleMs");
  s.write_timeout_ms = number<std::uint32_t>(v, "http.writeTimeoutMs");
  s.request_time_limit_ms = number<std::uint32_t>(v, "runtime.requestTimeLimitMs");
  s.drain_limit_ms = number<std::uint32_t>(v, "http.drainLimitMs");
  s.drain_idle_ms = number<std::uint32_t>(v, "http.drainIdleMs");
  s.trace_sample_percent = number<std::uint32_t>(v, "trace.samplePercent");
  s.trace_samples_per_s = number<std::uint32_t>(v, "trace.samplesPerSecond");
  s.event_heartbeat_ms = number<std::uint32_t>(v, "http.sseHeartbeatMs");
  s.rate_requests_per_s = static_cast<double>(v.get_int("http.rateLimitPerSecond"));
  s.rate_burst = number<std::uint32_t>(v, "http.rateLimitBurst");
  s.management_token = v.get_text("http.managementToken");
  s.faults_enabled = v.get_bool("faults.enabled");
  return s;
}

telemetry::trace_settings trace_settings_of(const values& v) {
  const auto micros = [](auto since) { return std::chrono::duration_cast<std::chrono::microseconds>(since).count(); };
  telemetry::trace_settings s;
  s.spans_max = number<std::size_t>(v, "trace.ringSpans");
  s.slow_us = 1000 * v.get_int("trace.slowMs");
  s.wall_ahead_us =
      micros(std::chrono::system_clock::now().time_since_epoch()) - micros(std::chrono::steady_clock::now().time_since_epoch());
  return s;
}

outbound::otlp_settings otlp_settings_of(const values& v) {
  outbound::otlp_settings s;
  s.url = v.get_text("trace.otlp.url");
  s.ca_file = v.get_text("trace.otlp.caFile");
  s.batch_spans = number<std::size_t>(v, "trace.otlp.batchSpans");
  s.interval = v.get_ms("trace.otlp.intervalMs");
  s.queue_spans = number<std::size_t>(v, "trace.otlp.queueSpans");
  s.timeout = v.get_ms("trace.otlp.timeoutMs");
  s.retry_min = v.get_ms("trace.otlp.retryMinMs");
  s.retry_max = v.get_ms("trace.otlp.retryMaxMs");
  s.tries_max = number<unsigned>(v, "trace.otlp.triesMax");
  s.seed = std::random_device{}();
  s.from.service_name = v.get_text("trace.serviceName");
  s.from.attributes = outbound::parse_attributes(v.get_list("trace.resourceAttributes"));
  return s;
}

// Of all that is posted by this process; made when there is something to post.
std::shared_ptr<outbound::client> shared_client() {
  static std::weak_ptr<outbound::client> made;
  auto client = made.lock();
  if (!client) made = client = std::make_shared<outbound::client>();
  return client;
}

std::shared_ptr<notification_sink> sink_of(const values& v) {
  if (v.get_text("notify.adapter") == "log") return std::make_shared<actors::log_sink>();
  return std::make_shared<outbound::webhook_sink>(shared_client(), v.get_text("notify.webhookUrl"), v.get_ms("notify.webhookTimeoutMs"),
                                                  v.get_text("notify.webhookCaFile"));
}

// ---- injected faults

void kill_this_process() { ::kill(::getpid(), SIGKILL); }

// Where faults are enabled, the store fails when it is told to. A torn commit: another thread kills the process while this one writes.
std::shared_ptr<storage::fault_plan> disk_faults_of(const values& v) {
  if (!v.get_bool("faults.enabled")) return nullptr;
  const auto seed = std::random_device{}();
  auto plan = std::make_shared<storage::fault_plan>(seed);
  plan->on_torn([random = std::make_shared<actors::random_source>(seed)] {
    std::thread([within = std::chrono::microseconds(random->between(0, 1000))] {
      std::this_thread::sleep_for(within);
      kill_this_process();
    }).detach();
  });
  return plan;
}

std::unique_ptr<storage::store> failing_on_demand(std::unique_ptr<storage::store> store, const std::shared_ptr<storage::fault_plan>& plan) {
  return plan ? storage::make_faulty_store(std::move(store), plan) : std::move(store);
}

// ---- serve

// A listening socket handed down by the parent, as systemd's socket activation does: LISTEN_FDS sockets from descriptor 3 on.
std::optional<int> inherited_socket() {
  const char* count = std::getenv("LISTEN_FDS");
  const char* whose = std::getenv("LISTEN_PID");
  if (count == nullptr || whose == nullptr || std::strtol(whose, nullptr, 10) != getpid() || std::strtol(count, nullptr, 10) < 1)
    return std::nullopt;
  return 3;
}

// One system as it is served: alone at the root, or beside others with a scope ("hotel"), which is its prefix, its directory below
// data.directory, its label in metrics and what its contexts' settings begin with.
struct served {
  served(const values& v, const std::string& name, const std::string& scope, bool must_exist, const actors::clock& time,
         const telemetry::metrics& all)
      : system(find_system(name)),
        prefix(scope.empty() ? "" : "/" + scope),
        disk_faults(disk_faults_of(v)),
        store(failing_on_demand(open_filtered_store(std::filesystem::path(v.get_text("data.directory")) / scope, must_exist, v),
                                disk_faults)),
        metrics(all, scope.empty() ? telemetry::labels{} : telemetry::labels{{"system", scope}}),
        traces(trace_settings_of(v)),
        node(parts_of(v, time), runtime_settings_of(v, system, scope.empty() ? "" : scope + ".")) {}

  const system_declaration system;
  const std::string prefix;
  const std::shared_ptr<storage::fault_plan> disk_faults;
  const std::unique_ptr<storage::store> store;
  telemetry::metrics metrics;
  telemetry::trace_ring traces;
  actors::node node;

 private:
  actors::node_parts parts_of(const values& v, const actors::clock& time) {
    actors::node_parts parts;
    parts.system = &system;
    parts.store = store.get();
    parts.time = &time;
    parts.metrics = &metrics;
    parts.traces = &traces;
    parts.sink = sink_of(v);
    if (disk_faults) parts.advise_store = [plan = disk_faults](storage::commit_adviser ask) { plan->advise(std::move(ask)); };
    parts.kill_process = kill_this_process;
    parts.on_failure = [name = system.name](const std::string& why) {
      // Nothing may be answered any more, and what is in memory is ahead of the disk: end here, recover at the next start.
      std::cerr << "crema: the node of '" << name << "' stops: " << why << '\n';
      telemetry::stop_logging();
      std::_Exit(cli::failed);
    };
    return parts;
  }
};
using all_served = std::deque<served>;

// Behind an inherited socket the clients of the predecessor wait in the kernel's queue: they are let in once they can be served,
// not refused meanwhile. Bounded: what keeps a node from readiness must be seen through its health, too. False: the process shall end.
bool await_readiness(const all_served& systems, const process::signals& signals) {
  constexpr std::chrono::milliseconds pause{2};
  constexpr std::chrono::seconds limit{10};
  const auto ready = [&] { return std::all_of(systems.begin(), systems.end(), [](const served& s) { return s.node.ready(); }); };
  for (const auto end = std::chrono::steady_clock::now() + limit; !ready() && std::chrono::steady_clock::now() < end;)
    if (signals.wait_for(pause) == process::request::end) return false;
  return true;
}

// A log file may have been moved away, a secret replaced. What cannot be read leaves the present one in force.
void reload(const cli::serve_options& options, http::server& server) {
  telemetry::reopen_log_files();
  try {
    const auto& token = options.read_again().get_text("http.managementToken");
    if (token.empty() && !options.settings.get_text("http.managementToken").empty())
      throw config::config_error("http.managementToken is gone; to manage without a token, start crema anew");
    server.set_management_token(token);
    telemetry::log(telemetry::level::info, "reloaded the management token");
  } catch (const std::exception& e) {
    telemetry::log(telemetry::level::error, "not reloaded: the settings in force stay", {{"reason", e.what()}});
  }
}

void serve_until_told_to_end(const cli::serve_options& options, const process::signals& signals, http::server& server) {
  while (signals.wait() == process::request::reload) reload(options, server);
}

// Readiness is DOWN, and who asks for it gets that answer: a load balancer has so long to send its clients elsewhere. Told to end again,
// the process does not wait for that.
void let_probes_notice(const values& v, const process::signals& signals, http::server& server) {
  server.announce_end();
  const auto end = std::chrono::steady_clock::now() + v.get_ms("http.drainDelayMs");
  for (auto now = std::chrono::steady_clock::now(); now < end; now = std::chrono::steady_clock::now())
    if (signals.wait_for(std::chrono::ceil<std::chrono::milliseconds>(end - now)) == process::request::end) return;
}

void greet(const values& v, const std::string& what, std::uint16_t port) {
  const auto& listen = v.get_text("http.listen");
  std::cout << "crema " << CREMA_VERSION << " serves " << what << " at http://" << listen.substr(0, listen.rfind(':')) << ":" << port
            << " (data in " << v.get_text("data.directory") << ")" << std::endl;
}

std::unique_ptr<outbound::otlp_exporter> exporter_of(const values& v, all_served& systems, telemetry::metrics& metrics) {
  if (v.get_text("trace.otlp.url").empty()) return nullptr;
  std::vector<outbound::span_source> sources;
  for (auto& s : systems) sources.push_back({s.system.name, &s.traces});
  return std::make_unique<outbound::otlp_exporter>(shared_client(), otlp_settings_of(v), std::move(sources), metrics);
}

// Beside connections: the store, logs, sockets to receivers and collectors, and what the libraries have open for themselves.
void warn_of_few_descriptors(const values& v, std::uint64_t allowed) {
  constexpr std::uint64_t others = 64;
  const auto wanted = number<std::uint64_t>(v, "http.connectionsMax") + others;
  if (allowed >= wanted) return;
  telemetry::log(telemetry::level::warn,
                 "fewer descriptors than http.connectionsMax needs: connections beyond wait to be accepted; raise the limit (ulimit -n, "
                 "LimitNOFILE) or lower the setting",
                 {{"allowed", std::to_string(allowed)}, {"wanted", std::to_string(wanted)}});
}

// The directory of all systems together, held as long as they are served; nothing where one is served.
using shared_directory = std::optional<storage::directory_of_several>;

void take_directory(shared_directory& shared, const cli::serve_options& options) {
  const std::filesystem::path directory = options.settings.get_text("data.directory");
  if (options.system.empty())
    shared.emplace(directory);
  else
    storage::require_one_system(directory, system_names());
}

// What is in doubt is checked before it is served. That may take long, and a signal ends it.
void check_before_serving(served& s, const process::signals& signals) {
  if (const auto doubt = s.store->doubt(); !doubt.empty())
    std::cerr << "crema: " << doubt << "; all of it is checked before '" << s.system.name << "' is served" << std::endl;
  storage::check_whole(*s.store, s.system, [&](const std::string& what, std::uint64_t done) {
    if (signals.wait_for(std::chrono::milliseconds(0)) == process::request::end)
      throw storage::storage_error(storage::storage_errc::stopped, "stopped before all was checked; start it again");
    storage::progress_to_stderr(what, done);
  });
}

void open_systems(all_served& systems, const shared_directory& shared, const cli::serve_options& options, const actors::clock& time,
                  const telemetry::metrics& metrics, const process::signals& signals) {
  for (const auto& name : shared ? system_names() : std::vector{options.system}) {
    auto& opened = systems.emplace_back(options.settings, name, shared ? name : "", shared && shared->has(name), time, metrics);
    check_before_serving(opened, signals);
  }
}

// Serves until a signal, then drains: requests in flight finish, everything is on disk.
void serve_until_signal(const cli::serve_options& options, all_served& systems, shared_directory& shared, telemetry::metrics& metrics,
                        const process::signals& signals) {
  std::vector<http::mounted> mounted;
  for (auto& s : systems) mounted.push_back({s.prefix, &s.node, &s.traces});
  http::server server(server_settings_of(options.settings), mounted, metrics);
  const auto exporter = exporter_of(options.settings, systems, metrics);  // after the server, whose routes its spans name
  for (auto& s : systems) s.node.start();
  if (shared) shared->note_made(system_names());
  const auto socket = inherited_socket();
  if (!socket || await_readiness(systems, signals)) {
    server.start(socket);  // health is answered at once; readiness is DOWN until recovery is complete
    greet(options.settings, options.system.empty() ? "every system" : options.system, server.port());
    serve_until_told_to_end(options, signals, server);
    telemetry::log(telemetry::level::info, "told to stop: not ready any more");
    let_probes_notice(options.settings, signals, server);
  }
  telemetry::log(telemetry::level::info, "stopping: no new connections, requests in flight finish");
  for (auto& s : systems) s.node.cancel_backups();
  std::promise<void> drained;
  server.drain([&] { drained.set_value(); });
  drained.get_future().wait();
  server.stop();
  for (auto& s : systems) s.node.stop();
  if (exporter) exporter->stop();
  telemetry::log(telemetry::level::info, "stopped; everything is on disk");
}

int serve(const cli::serve_options& options) {
  const process::signals signals;
  const auto descriptors = process::raise_descriptor_limit();

  telemetry::metrics metrics;
  const actors::system_clock time;
  int exit_code = cli::ok;
  try {
    shared_directory shared;
    take_directory(shared, options);
    all_served systems;
    open_systems(systems, shared, options, time, metrics, signals);
    telemetry::start_logging(log_settings_of(options.settings));  // only now: another process's directory has its own log files
    warn_of_few_descriptors(options.settings, descriptors);
    serve_until_signal(options, systems, shared, metrics, signals);
  } catch (const std::exception& e) {
    std::cerr << "crema: " << e.what() << '\n';
    exit_code = cli::failed;
  }
  telemetry::stop_logging();
  return exit_code;
}

// ---- offline work on a data directory

// What is only read may be on a medium that cannot be written. A directory that is not there is a typing mistake, not a new store.
int verify(const cli::verify_options& options) {
  auto store_options = store_options_of(options.settings);
  store_options.read_only = !options.rebuild_views;
  store_options.must_exist = true;
  const auto store = open_store(options.settings.get_text("data.directory"), store_options, options.settings);
  const auto system = find_system(options.system);
  const auto report = options.rebuild_views ? storage::rebuild_and_verify(*store, system) : storage::verify(*store, system);
  std::cout << (options.json ? storage::to_json(report) : storage::to_text(report)) << std::flush;
  return report.faults.empty() ? cli::ok : cli::failed;
}

int restore(const cli::restore_options& options) {
  const auto system = find_system(options.system);
  const auto directory = options.settings.get_text("data.directory");
  const auto from =
      storage::open_lmdb(options.backup, to_read(store_options_of(options.settings)));  // as it is: its journal is all that is needed
  const auto to = open_store(directory, to_restore(store_options_of(options.settings)), options.settings);
  const auto report = storage::restore(*from, *to, system, random_number(), options.to_sequence, options.to_time);
  std::cout << "restored " << report.records << " records into " << directory << "; the last event kept is " << report.last_offset
            << std::endl;
  return cli::ok;
}

}  // namespace

int main(int argc, char** argv) {
  umask(S_IRWXG | S_IRWXO);  // what is written is customers' data: data, logs, backups and notifications are their owner's alone
  process::open_standard_streams();
  cli::actions does;
  does.systems = system_names();
  does.settings = [](const std::string& system) {
    auto all = config::runtime_settings();
    if (!system.empty())
      config::add_system(all, find_system(system));
    else
      for (const auto& name : system_names()) config::add_system(all, find_system(name), name + ".");
    return all;
  };
  does.serve = serve;
  does.verify = verify;
  does.restore = restore;
  const cli::visible_output out(std::cout), err(std::cerr);
  try {
    return cli::run(argc, argv, does, std::cout, std::cerr);
  } catch (const std::exception& e) {
    std::cerr << "crema: " << e.what() << '\n';
    return cli::failed;
  }
}
