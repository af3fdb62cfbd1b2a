// The list of settings. What is written here is what `crema config explain` prints and docs/settings.md refers to.
// Names are the operator's files: FROZEN once released.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "config/load.hpp"
#include "config/registry.hpp"

namespace crema::config {

namespace {

constexpr std::int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib, tib = 1024 * gib;
constexpr std::int64_t second_ms = 1000, minute_ms = 60 * second_ms, hour_ms = 60 * minute_ms;

bool is_number_up_to(std::string_view s, unsigned max) {
  unsigned n = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
  return error == std::errc{} && end == s.data() + s.size() && n <= max;
}

bool is_host_and_port(std::string_view s) {
  const auto colon = s.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto host = s.substr(0, colon);
  const bool bare_v6 = host.find(':') != std::string_view::npos && !(host.starts_with('[') && host.ends_with(']'));
  return !bare_v6 && host.find_first_of(" /\t") == std::string_view::npos && is_number_up_to(s.substr(colon + 1), 65535);
}

bool is_address_or_network(std::string_view s) {
  const auto slash = std::min(s.find('/'), s.size());
  const std::string address(s.substr(0, slash));
  in6_addr parsed{};
  const bool v4 = ::inet_pton(AF_INET, address.c_str(), &parsed) == 1;
  if (!v4 && ::inet_pton(AF_INET6, address.c_str(), &parsed) != 1) return false;
  return slash == s.size() || is_number_up_to(s.substr(slash + 1), v4 ? 32 : 128);
}

// As a browser sends it: a scheme and a host, in small letters, with a port where it is not the scheme's own.
bool is_origin(std::string_view s) {
  if (s == "*") return true;
  const auto end = s.find("://");
  if (end == 0 || end == std::string_view::npos) return false;
  const auto host = s.substr(end + 3);
  return !host.empty() && s.find_first_of("/ \t?#@*\"", end + 3) == std::string_view::npos &&
         std::none_of(s.begin(), s.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_http_url(std::string_view s) { return s.empty() || s.starts_with("http://") || s.starts_with("https://"); }
bool is_directory_name(std::string_view s) { return !s.empty() && s.find('\0') == std::string_view::npos; }

void add_node(registry& r) {
  r.add(integer("node.partitions", 16, 1, 1024, "Partitions that each context's aggregates are spread over.").power().fixed());
  r.add(text("data.directory", "./data",
             "Where the node keeps everything: the journal with all state, and the log files under logs/. A local disk.")
            .shaped("the path of a directory", is_directory_name));
  r.add(integer("data.mapBytesMax", 64 * gib, 4 * mib, 16 * tib,
                "How large the data file may grow. It is address space, not memory or disk, until it is used.")
            .in("bytes"));
  r.add(
      integer("data.mapReserveBytes", 32 * mib, 1 * mib, 16 * gib,
              "What of data.mapBytesMax is for what is under way: where no more than this is left, requests are refused (503) until it is "
              "raised. At most a quarter of it.")
          .in("bytes"));
  r.add(integer(
            "data.reserveBytes", 256 * mib, 0, tib,
            "Disk space to keep free. Where nothing can be reserved ahead without taking of it, requests are refused (503); a commit that "
            "has nothing ahead and finds less fails, and the node stops at once instead of filling the disk. 0: not looked at.")
            .in("bytes"));
  r.add(integer("data.preallocateBytes", 64 * mib, 0, 16 * gib,
                "Disk space that is reserved for the data file ahead of what it uses, at least half of it at any time, and given back at a "
                "stop. 0: none.")
            .in("bytes"));
  r.add(integer("data.deferredEntriesMax", 393216, 0, 10000000,
                "Index entries that are durable but wait in memory, about 80 bytes each, to be put in their places together. 0: only "
                "until the next commit."));
  r.add(integer("data.filterBytes", 16 * mib, 0, 4 * gib,
                "Memory, of each system, that tells which keys are surely not in the index, so that what is new need not be looked for: "
                "enough for some "
                "10,000,000 texts that rows are found by, beyond that it tells of fewer. 0: none, all are looked for.")
            .in("bytes"));
  r.add(integer("journal.batchRecordsMax", 4096, 1, 1000000, "Records that one commit takes in at the most."));
  r.add(integer("journal.batchWaitUs", 0, 0, 100000, "How long a commit waits for more records to gather. 0: it takes what is there.")
            .in("µs"));
  r.add(integer("journal.lingerMs", 5, 0, 1000,
                "How long a step for which no caller waits (a message's, a view's, a notification's) may wait for a commit that somebody "
                "waits for. 0: not at all.")
            .in("ms"));
  r.add(
      integer("journal.queueMax", 100000, 100, 10000000, "Records that may wait for a commit; beyond it new requests are refused (503)."));
}

void add_runtime(registry& r) {
  r.add(integer("runtime.threads", 0, 0, 1024, "Threads that run actors. 0: as many as the machine has cores."));
  r.add(integer("runtime.idleMs", 30 * second_ms, 10, 24 * hour_ms, "An aggregate that gets no message for so long is put to sleep.")
            .in("ms"));
  r.add(integer("runtime.awakeMax", 10000, 16, 10000000,
                "Aggregates awake at the same time, at work or not; beyond half as many again, requests are refused (503)."));
  r.add(integer("runtime.keptAwakeMax", 512, 16, 10000000,
                "Beyond so many awake aggregates those with nothing to do are put to sleep, the longest idle first. Few fit into the "
                "processor's cache, where more are found faster than waking them costs."));
  r.add(integer("runtime.mailboxMax", 10000, 1, 1000000,
                "Messages that may wait at one aggregate; beyond it requests to it are refused (503)."));
  r.add(integer("runtime.inFlightMax", 20000, 1, 1000000, "Requests in flight at the same time; beyond it they are refused (503)."));
  r.add(integer(
      "runtime.outboxMax", 1000000, 100, 1000000000,
      "Durable messages and notifications that may wait for one context, say while it is stopped; beyond it requests that would add "
      "to them are refused (503), and no others."));
  r.add(integer("runtime.askTimeLimitMs", 2 * second_ms, 1, 10 * minute_ms, "How long one context waits for another's answer at the most.")
            .in("ms"));
  r.add(integer("runtime.requestTimeLimitMs", 5 * second_ms, 1, 10 * minute_ms,
                "How long a request may take over all its steps; then it is undone and answered 504.")
            .in("ms"));
  r.add(integer("runtime.poisonAttempts", 5, 1, 1000,
                "A message that made its receiver fail so many times goes to the dead letters. One that undoes waits from then on for "
                "runtime.undoRetryMinMs and longer between its tries."));
  r.add(integer("runtime.undoRetryMinMs", 200, 1, hour_ms,
                "Wait before an undo that failed runtime.poisonAttempts times is tried again; it doubles with each try, and varies at "
                "random by a part of itself. An undo is never given up.")
            .in("ms"));
  r.add(integer("runtime.undoRetryMaxMs", minute_ms, 1, 24 * hour_ms, "Wait between two tries of an undo at the most.").in("ms"));
  r.add(integer("runtime.restartIntensity", 10, 0, 100000,
                "Restarts within runtime.restartPeriodMs that a supervisor allows its children; one more, and it fails itself."));
  r.add(integer("runtime.restartPeriodMs", 10 * second_ms, 1, hour_ms, "The period of runtime.restartIntensity.").in("ms"));
  r.add(integer("runtime.backoffMinMs", 10, 0, hour_ms,
                "Wait before the first restart; it doubles with each, and varies at random by a part of itself.")
            .in("ms"));
  r.add(integer("runtime.backoffMaxMs", 5 * second_ms, 0, hour_ms, "Wait before a restart at the most.").in("ms"));
  r.add(integer("runtime.idempotencyHours", 24, 1, 8760, "How long the first answer to an Idempotency-Key is kept.").in("hours"));
  r.add(
      integer("runtime.sortRowsMax", 100000, 100, 10000000, "Rows that a list with ?sort= may look at; beyond it the request is refused."));
  r.require_ordered("runtime.backoffMinMs", "runtime.backoffMaxMs");
  r.require_ordered("runtime.undoRetryMinMs", "runtime.undoRetryMaxMs");
}

void add_outside(registry& r) {
  r.add(choice("notify.adapter", {"log", "webhook"}, "How people are told: a line in the log, or a POST of JSON to notify.webhookUrl."));
  r.add(text("notify.webhookUrl", "", "Where the webhook adapter posts to.").shaped("an http:// or https:// URL", is_http_url));
  r.add(
      text("notify.webhookCaFile", "",
           "A file of CA certificates in PEM, beside the system's, that the certificate of an https:// notify.webhookUrl may come from."));
  r.add(integer("notify.webhookTimeoutMs", 2 * second_ms, 10, 10 * minute_ms, "How long one POST may take.").in("ms"));
  r.add(integer("notify.retryMinMs", 200, 1, hour_ms,
                "Wait before a receiver that did not take a notification is tried again; it doubles with each failure.")
            .in("ms"));
  r.add(integer("notify.retryMaxMs", minute_ms, 1, 24 * hour_ms,
                "Wait before a further try at the most, where the receiver does not ask for a longer one (Retry-After).")
            .in("ms"));
  r.add(integer("notify.triesMax", 2000, 1, 1000000,
                "A notification that was tried so many times goes to the dead letters, as one that its receiver refused for good does."));
  r.add(integer("notify.ageMaxMs", 24 * hour_ms, second_ms, 30 * 24 * hour_ms,
                "A notification that is older goes to the dead letters when a try fails.")
            .in("ms"));
  r.add(integer("notify.maxConcurrent", 16, 1, 1000,
                "POSTs on their way at the same time, of each context that notifies; at the most half of them to receivers that did not "
                "take the one before."));
  r.require_ordered("notify.retryMinMs", "notify.retryMaxMs");

  r.add(integer("trace.ringSpans", 20000, 0, 10000000, "Spans of recent requests that are kept for /actuator/traces."));
  r.add(integer("trace.samplePercent", 100, 0, 100,
                "Share of requests whose spans are kept, of those that bring no traceparent; one that does brings the decision too.")
            .in("%"));
  r.add(integer("trace.samplesPerSecond", 1000, 0, 10000000,
                "Such requests in a second whose spans are kept at the most, so that a busy node has time for orders and the ring reaches "
                "back for seconds. 0: no limit."));
  r.add(text("trace.otlp.url", "", "Where spans are posted to as OTLP/HTTP, say http://127.0.0.1:4318/v1/traces. Empty: nowhere.")
            .shaped("an http:// or https:// URL", is_http_url)
            .also_by({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces"}}));
  r.add(text("trace.serviceName", "",
             "The service.name that exported spans carry. Empty: the one among trace.resourceAttributes, else crema.")
            .also_by({{"OTEL_SERVICE_NAME", ""}}));
  r.add(list("trace.resourceAttributes", "More of what exported spans say of where they come from; values are percent-encoded.")
            .shaped("key=value", [](std::string_view s) { return s.find('=') != std::string_view::npos && s.front() != '='; })
            .also_by({{"OTEL_RESOURCE_ATTRIBUTES", ""}}));
  r.add(text("trace.otlp.caFile", "",
             "A file of CA certificates in PEM, beside the system's, that the certificate of an https:// trace.otlp.url may come from."));
  r.add(integer("trace.otlp.batchSpans", 512, 1, 100000, "Spans of one POST at the most."));
  r.add(integer("trace.otlp.intervalMs", second_ms, 10, hour_ms, "How often spans are posted.").in("ms"));
  r.add(integer("trace.otlp.queueSpans", 8192, 1, 10000000,
                "Spans that wait for the collector at the most; what no longer fits is dropped and counted."));
  r.add(integer("trace.otlp.timeoutMs", 5 * second_ms, 10, 10 * minute_ms, "How long one POST may take.").in("ms"));
  r.add(integer("trace.otlp.retryMinMs", 200, 1, hour_ms, "Wait before a failed POST is tried again; it doubles with each try.").in("ms"));
  r.add(integer("trace.otlp.retryMaxMs", 30 * second_ms, 1, hour_ms, "Wait before a further try at the most.").in("ms"));
  r.add(integer("trace.otlp.triesMax", 8, 1, 1000, "A batch that was not taken after so many tries is dropped."));
  r.require_ordered("trace.otlp.retryMinMs", "trace.otlp.retryMaxMs");
  r.add(integer("trace.slowMs", second_ms, 0, hour_ms,
                "A span that took so long is kept whatever the sampling, as one that failed is. 0: only those that failed.")
            .in("ms"));

  r.add(choice("log.level", {"info", "debug", "warn", "error"}, "The least that is logged."));
  r.add(choice("log.format", {"automatic", "text", "json"},
               "What the console gets. automatic: text on a terminal, JSON lines otherwise. Files are always JSON lines."));
  r.add(integer("log.fileBytesMax", 16 * mib, 64 * kib, 4 * gib, "A log file that would become larger is rotated.").in("bytes"));
  r.add(integer("log.filesMax", 5, 1, 1000, "Rotated files that are kept of each log."));
  r.add(boolean("log.access", true, "Whether each request is written to the access log."));
  r.add(
      boolean("faults.enabled", false,
              "Whether faults can be injected (/actuator/faults, crema fault, /makeZombie). For drills only; needs http.managementToken."));
}

void add_http(registry& r) {
  r.add(text("http.listen", "127.0.0.1:8080",
             "The address that the front door listens on. Port 0: any free one. Not used where the socket is inherited (LISTEN_FDS).")
            .shaped("HOST:PORT", is_host_and_port));
  r.add(integer("http.threads", 0, 0, 1024, "Threads that serve connections. 0: as many as the machine has cores."));
  r.add(integer("http.connectionsMax", 10000, 1, 1000000, "Connections open at the same time; beyond it new ones are closed at once."));
  r.add(integer("http.bodyBytesMax", 64 * kib, kib, 64 * mib, "A longer body is refused (413).").in("bytes"));
  r.add(integer("http.headerBytesMax", 8 * kib, kib, mib, "Longer headers are refused (431).").in("bytes"));
  r.add(integer("http.uriBytesMax", 8000, 64, mib, "A longer request target is refused (414).").in("bytes"));
  r.add(integer("http.jsonDepthMax", 32, 1, 1000, "JSON nested deeper is refused (400)."));
  r.add(integer("http.requestReadTimeoutMs", 10 * second_ms, 10, hour_ms, "How long a request may take to arrive, from its first byte.")
            .in("ms"));
  r.add(integer("http.keepAliveIdleMs", minute_ms, 10, hour_ms, "How long a connection may be idle between requests.").in("ms"));
  r.add(integer("http.writeTimeoutMs", 30 * second_ms, 10, hour_ms, "How long a client may take to accept an answer.").in("ms"));
  r.add(
      integer("http.drainDelayMs", second_ms, 0, hour_ms,
              "On a graceful stop: how long readiness says DOWN while requests are still taken, so that a load balancer notices before the "
              "door closes. Make it longer than the time between its probes, times those that it wants to fail.")
          .in("ms"));
  r.add(integer("http.drainLimitMs", 30 * second_ms, 0, hour_ms, "On a graceful stop: how long requests in flight may take to finish.")
            .in("ms"));
  r.add(integer("http.drainIdleMs", second_ms, 0, hour_ms,
                "On a graceful stop: how long an idle connection is still listened to before it is closed.")
            .in("ms"));
  r.add(integer("http.pageSizeDefault", 20, 1, 100000, "Rows of a page where the client names no size."));
  r.add(integer("http.pageSizeMax", 1000, 1, 100000, "Rows of a page at the most; a larger size is taken as this one."));
  r.require_ordered("http.pageSizeDefault", "http.pageSizeMax");
  r.require_ordered("http.drainIdleMs", "http.drainLimitMs");
  r.add(integer("http.compressBytesMin", kib, 0, gib,
                "Answers of at least so many bytes are compressed (zstd, gzip) where Accept-Encoding asks for it; event streams never are. "
                "0: none.")
            .in("bytes"));
  r.add(list("http.corsOrigins",
             "Origins whose web pages may call this node and read its answers (CORS). *: any, without credentials. Empty: none.")
            .shaped("origins (https://shop.example) or *", is_origin));
  r.add(boolean("http.corsCredentials", false, "Whether those pages may send cookies and client certificates. Not with *."));
  r.add(integer("http.corsMaxAgeS", 600, 0, 86400, "How long a browser may remember that an origin is allowed.").in("s"));
  r.add(list("http.trustedProxies", "Peers whose X-Forwarded-* and Forwarded headers are believed. Empty: nobody's.")
            .shaped("addresses or networks (10.0.0.0/8)", is_address_or_network));
  r.add(integer("http.rateLimitPerSecond", 0, 0, 1000000,
                "Requests a second that one client address may send; beyond it they are refused (429). 0: no limit.")
            .in("requests/s"));
  r.add(integer("http.rateLimitBurst", 100, 1, 1000000, "Requests that a client may send at once before its rate counts."));
  r.add(integer("http.eventStreamsMax", 1000, 0, 100000, "Event streams (SSE, NDJSON with follow) open at the same time."));
  r.add(integer("http.sseHeartbeatMs", 15 * second_ms, 100, 10 * minute_ms,
                "How often a silent event stream gets a sign of life: a comment in SSE, an empty line in NDJSON.")
            .in("ms"));
  r.add(text("http.managementToken", "",
             "The bearer token that contexts, dead letters and backup under /actuator ask for. Without one, only "
             "programs on this machine may use them: by a loopback address and Host, and never a web page of another origin.")
            .kept_secret());
}

void add_bulkhead(registry& r, const std::string& name) {
  const auto at = name + ".bulkhead.";
  r.add(integer(at + "maxConcurrent", 10000, 1, 1000000, "Calls to " + name + " in flight at the same time."));
  r.add(integer(at + "maxQueued", 10000, 0, 1000000, "Calls that may wait for one of those places; beyond it they are refused at once."));
  r.add(integer(at + "callTimeoutMs", 2 * second_ms, 1, minute_ms, "A call without an answer for so long has failed.").in("ms"));
  r.add(integer(at + "windowMs", 10 * second_ms, 100, hour_ms, "Rates are those of the calls of so long.").in("ms"));
  r.add(integer(at + "windowCallsMin", 20, 1, 1000000, "With fewer calls in the window no rate counts."));
  r.add(integer(at + "failureRatePercent", 50, 1, 100, "So many failed calls open the circuit.").in("%"));
  r.add(integer(at + "slowCallMs", minute_ms, 1, hour_ms, "A call that takes longer is a slow one.").in("ms"));
  r.add(integer(at + "slowRatePercent", 100, 1, 100, "So many slow calls open the circuit.").in("%"));
  r.add(integer(at + "consecutiveErrors", 0, 0, 1000000, "So many failures in a row open the circuit, whatever the rate. 0: off."));
  r.add(integer(at + "openMs", 5 * second_ms, 1, hour_ms, "How long an open circuit refuses every call before it tries some.").in("ms"));
  r.add(integer(at + "halfOpenProbes", 5, 1, 10000, "Calls that are let through then; if they succeed, the circuit closes."));
}

void add_slowness(registry& r, const std::string& context) {
  const auto at = context + ".slow.";
  r.add(integer(at + "minMs", 0, 0, 10 * minute_ms, "For drills: each command to " + context + " takes at least so long.").in("ms"));
  r.add(integer(at + "maxMs", 0, 0, 10 * minute_ms, "And at the most so long, at random in between. 0: not slowed.").in("ms"));
  r.require_ordered(at + "minMs", at + "maxMs");
}

// Who names one means TLS; that what he sends goes out in the clear must not stay unseen.
std::optional<std::string> ca_file_in_vain(const values& v, const std::string& ca_file, const std::string& url) {
  if (v.get_text(ca_file).empty() || v.get_text(url).starts_with("https://")) return std::nullopt;
  return ca_file + " is set, but " + url + " is not an https:// URL; change that, or leave the file out";
}

declaration own_setting(const std::string& name, const setting_declaration& s) {
  if (const auto* b = std::get_if<bool>(&s.default_value)) return boolean(name, *b, s.meaning);
  if (const auto* n = std::get_if<std::int64_t>(&s.default_value)) return integer(name, *n, s.min, s.max, s.meaning);
  auto d = text(name, std::get<std::string>(s.default_value), s.meaning);
  d.min = s.min;
  if (s.max > 0) d.max = s.max;
  return d;
}

}  // namespace

registry runtime_settings() {
  registry r;
  add_node(r);
  add_runtime(r);
  add_outside(r);
  add_http(r);
  r.require([](const values& v) -> std::optional<std::string> {
    if (v.get_text("notify.adapter") != "webhook" || !v.get_text("notify.webhookUrl").empty()) return std::nullopt;
    return "notify.adapter is webhook, but notify.webhookUrl is not set";
  });
  r.require([](const values& v) -> std::optional<std::string> {
    const auto& origins = v.get_list("http.corsOrigins");
    if (!v.get_bool("http.corsCredentials") || std::find(origins.begin(), origins.end(), "*") == origins.end()) return std::nullopt;
    return "http.corsCredentials is true, and http.corsOrigins has *: name the origins, so that not every page acts for its visitors";
  });
  r.require([](const values& v) { return ca_file_in_vain(v, "notify.webhookCaFile", "notify.webhookUrl"); });
  r.require([](const values& v) { return ca_file_in_vain(v, "trace.otlp.caFile", "trace.otlp.url"); });
  r.require([](const values& v) -> std::optional<std::string> {
    if (!v.get_bool("faults.enabled") || !v.get_text("http.managementToken").empty()) return std::nullopt;
    return "faults.enabled is true, but http.managementToken is not set: give a token, so that not everybody can break this node";
  });
  return r;
}

std::string name_of(const system_declaration& system, const setting_declaration& s, const std::string& scope) {
  const bool of_context = system.find_context(s.name.substr(0, s.name.find('.'))) != nullptr;
  return (of_context ? scope : system.name + ".") + s.name;
}

void add_system(registry& to, const system_declaration& system, const std::string& scope) {
  std::set<std::string> guarded;
  for (const auto& c : system.contexts) {
    // Two contexts may stand behind one bulkhead; one that only carries views is never asked.
    if (c.state != nullptr && guarded.insert(c.bulkhead).second) add_bulkhead(to, scope + c.bulkhead);
    add_slowness(to, scope + c.name);
  }
  for (const auto& s : system.settings) to.add(own_setting(name_of(system, s, scope), s));
}

}  // namespace crema::config
