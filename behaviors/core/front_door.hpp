// The port through which the outside reaches a running system: ask (change something), query (read what is durable),
// subscribe (be told that there is more to read), operate. http/ speaks only to this; actors/ implements it.
//
// Thread-safety: every method may be called from any thread. Queries run on the caller's thread, read committed data only, and
// are bounded by the limits they are given.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "behaviors/core/result.hpp"

namespace crema {

/// W3C trace context of the present step.
struct trace_context {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  bool sampled = true;
  std::shared_ptr<const std::string> state;  ///< tracestate: what others who trace want carried along; null: nothing
};

/// "00-<32 hex>-<16 hex>-01".
std::string to_traceparent(const trace_context&);
/// Reads a traceparent header. Nothing where it is not a valid one.
std::optional<trace_context> parse_traceparent(std::string_view header);
/// Reads a tracestate header. Null where there is nothing in it, or it is not one, or longer than 512 bytes: then it need not be carried.
std::shared_ptr<const std::string> parse_tracestate(std::string_view header);
std::string trace_id_text(const trace_context&);
std::string span_id_text(const std::array<std::uint8_t, 8>& id);

/// A caller's promise that two requests with this key are one. Both are hashes: no caller's text is kept.
struct idempotency_key {
  std::array<std::uint8_t, 16> key{};
  std::uint64_t fingerprint = 0;  ///< of method, path and body: another one under the same key is refused
};

/// One row as it is on disk.
struct stored_row {
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  value row;
};

struct command_request {
  std::uint16_t context = 0;
  std::optional<std::uint64_t> id;  ///< absent: a new aggregate gets a number
  value command;
  std::optional<std::uint64_t> expected_version;  ///< If-Match
  as_read read_only;                              ///< what the caller sent back without meaning to change it
  std::optional<idempotency_key> idempotency;
  trace_context trace;
  std::chrono::milliseconds time_limit{5000};  ///< shrinks along the chain
};

struct command_answer {
  std::optional<rejection> refused;  ///< set: the request was not carried out
  stored_row resource;               ///< else the aggregate as it is after the command
  bool replayed = false;             ///< the first answer under the same idempotency key, given again
};

/// Called exactly once, from any thread, after everything the answer depends on is durable. Must not block or throw.
using answer_handler = std::function<void(command_answer)>;

struct sort_key {
  std::optional<std::size_t> field;  ///< position in the field list; absent: the row's number
  bool descending = false;
  friend bool operator==(const sort_key&, const sort_key&) = default;
};

struct page_request {
  std::uint64_t offset = 0;
  std::uint32_t limit = 20;
  std::vector<sort_key> sort;  ///< the first counts most; what is equal by all is sorted by number. Empty: as stored, oldest first
  std::uint64_t scan_limit = std::numeric_limits<std::uint64_t>::max();  ///< of `find`: matches counted at the most
};

struct page {
  std::vector<stored_row> rows;
  std::uint64_t total = 0;
  bool complete = true;  ///< false: there are more matches than scan_limit, and this is no answer
};

/// A collection: of a context's aggregates or of a view.
struct collection_ref {
  bool view = false;
  std::uint16_t index = 0;  ///< of the context or the view
  friend auto operator<=>(const collection_ref&, const collection_ref&) = default;
};

/// One event of the stream.
struct stored_event {
  std::uint64_t offset = 0;  ///< 1, 2, 3 … with gaps; strictly growing
  std::uint16_t context = 0;
  std::uint64_t id = 0;  ///< number of the aggregate
  timestamp at;
  trace_context trace;
  value event;
};

/// How far the reading of one aggregate's history has come: opaque, and of one reader.
class history_trail;

struct event_query {
  std::uint64_t from = 0;            ///< first offset wanted
  std::uint32_t limit = 100;         ///< events at the most
  std::uint32_t scan_limit = 10000;  ///< events looked at, at the most
  std::string type;                  ///< "" any
  std::optional<std::uint16_t> context;
  std::optional<std::uint64_t> id;
  std::shared_ptr<history_trail> trail;  ///< of the page before, so that this one costs what it holds
};

struct event_page {
  std::vector<stored_event> events;
  std::uint64_t next = 0;                ///< where to read on
  bool at_end = false;                   ///< nothing durable is left beyond `next`
  std::shared_ptr<history_trail> trail;  ///< for the query of the next page; there may be none
};

/// Ends the subscription when it goes. Safe after the front door itself is gone.
class subscription {
 public:
  virtual ~subscription() = default;
};

class front_door {
 public:
  virtual ~front_door() = default;

  virtual const system_declaration& system() const noexcept = 0;

  // ---- ask
  virtual void ask(command_request request, answer_handler on_answer) = 0;

  // ---- query: committed rows only
  virtual std::optional<stored_row> get(collection_ref from, std::uint64_t id) const = 0;
  /// Rejected (invalid) where sorting would have to look at more rows than the limit allows.
  virtual result<page> list(collection_ref from, const page_request& request) const = 0;
  /// `arguments` in the order of the finder's fields. Rejected as `list`.
  virtual result<page> find(collection_ref from, const finder_declaration& finder, const std::vector<scalar>& arguments,
                            const page_request& request) const = 0;
  virtual event_page events(const event_query& query) const = 0;
  /// Of which history the offsets are: 16 hexadecimal digits. Made with the data, and anew by every restore. Empty before the start.
  virtual std::string_view history() const noexcept = 0;
  /// The first offset that nothing durable has yet.
  virtual std::uint64_t next_offset() const = 0;

  // ---- subscribe: `wake` is called (any thread, must not block) when events beyond those already committed were committed
  virtual std::unique_ptr<subscription> subscribe(std::function<void()> wake) = 0;

  // ---- operate. JSON documents for the actuator; shapes in docs/ARCHITECTURE.md and the OpenAPI
  virtual bool ready() const noexcept = 0;
  virtual bool live() const noexcept = 0;
  virtual nlohmann::json health() const = 0;  ///< components only
  virtual nlohmann::json circuit_breakers() const = 0;
  virtual nlohmann::json supervisors() const = 0;
  virtual nlohmann::json traces(std::string_view trace_id) const = 0;  ///< "" the recent ones; null where there is none of that id
  /// Every conversation in which an aggregate of the context took part; null where it never recorded anything. May take seconds.
  virtual nlohmann::json causal_tree(std::uint16_t context, std::uint64_t id) const = 0;
  virtual std::string metrics() const = 0;      ///< Prometheus text
  virtual nlohmann::json contexts() const = 0;  ///< [{name, state: "running"|"stopped"|…, awake, outbox}]
  /// `done` is called once the context has stopped or is taking messages again, or was refused.
  virtual void switch_context(std::string_view name, bool running, std::function<void(std::optional<rejection>)> done) = 0;
  virtual nlohmann::json dead_letters() const = 0;
  virtual void settle_dead_letter(std::uint64_t id, bool replay, std::function<void(std::optional<rejection>)> done) = 0;
  // ---- drills: injected faults. Empty, and refused, where they are not enabled
  virtual nlohmann::json faults() const = 0;
  /// The fault as it is listed then, with its id; or why not, with the field at fault.
  virtual result<nlohmann::json> add_fault(const nlohmann::json& fields) = 0;
  /// One, or all of them: how many there were.
  virtual std::size_t remove_faults(std::optional<std::uint64_t> id) = 0;
  /// A hot, consistent copy into an empty or new directory. Runs on its own thread; `done` on any.
  virtual void backup(const std::string& directory, std::function<void(std::optional<rejection>)> done) = 0;
};

}  // namespace crema
