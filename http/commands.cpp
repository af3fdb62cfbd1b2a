#include "http/commands.hpp"

#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "behaviors/core/json.hpp"
#include "behaviors/core/json_text.hpp"
#include "http/etag.hpp"
#include "http/negotiate.hpp"
#include "http/uri.hpp"

namespace crema::http {

namespace {

using nlohmann::json;

constexpr std::string_view accept_patch = "Accept-Patch: application/merge-patch+json, application/json\r\n";

// What would have been taken is told in the way that RFC 9110 (15.5.16) and RFC 5789 (2.2) have for it.
std::optional<problem> refuse_media(const request& r) {
  problem p{problem_code::unsupported_media_type, {}};
  if (!r.content_encoding.empty() && !equal_ignoring_case(r.content_encoding, "identity")) {
    p.detail = "Content-Encoding: a compressed body is not accepted.";
    p.headers = "Accept-Encoding: identity\r\n";
    return p;
  }
  if (is_json(r.content_type)) return std::nullopt;
  p.detail = "Content-Type: application/json in UTF-8 is expected.";
  if (is_json_patch(r.content_type))
    p.detail = "A JSON Patch is not carried out; send the fields that change, as application/merge-patch+json.";
  p.headers = r.verb == method::patch ? accept_patch : "Accept: application/json, application/hal+json\r\n";
  return p;
}

std::string listed(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto n : names) out.append(out.empty() ? "'" : ", '").append(n).append("'");
  return out;
}

problem unknown_status(const resource_entry& entry, std::string_view status) {
  std::vector<std::string_view> allowed;
  for (const auto& v : entry.declared->verbs)
    if (v.on == verb::patch && !v.status.empty()) allowed.push_back(v.status);
  std::string detail = "status: '" + std::string(status) + "' cannot be asked for; allowed: " + listed(allowed) + ".";
  if (const auto suggestion = nearest(status, allowed); !suggestion.empty()) detail += " Did you mean '" + std::string(suggestion) + "'?";
  return {problem_code::invalid_field, std::move(detail), "status"};
}

// Which command a PATCH body stands for.
std::variant<const verb_declaration*, problem> choose_patch(const resource_entry& entry, const json& body) {
  const auto* plain = entry.find(verb::patch);
  const bool has_transitions = std::any_of(entry.declared->verbs.begin(), entry.declared->verbs.end(),
                                           [](const auto& v) { return v.on == verb::patch && !v.status.empty(); });
  const auto status = body.find("status");
  if (status != body.end() && !status->is_null() && has_transitions) {
    if (!status->is_string()) return problem{problem_code::malformed_body, "status: a text is expected.", "status"};
    const auto& wanted = status->get_ref<const std::string&>();
    if (const auto* found = wanted.empty() ? nullptr : entry.find(verb::patch, wanted)) return found;
    if (plain == nullptr) return unknown_status(entry, wanted);
  }
  if (plain != nullptr) return plain;
  problem p{problem_code::invalid_field, "status: this resource changes by its status, and the body has none.", "status"};
  return p;
}

verb verb_of(method m) noexcept {
  switch (m) {
    case method::put: return verb::replace;
    case method::patch: return verb::patch;
    case method::remove: return verb::remove;
    default: return verb::create;
  }
}

// What the command asks for, however its body was spelled: not the order of its members, nor how a number is written, nor whether a
// default was sent. Of a text that is not kept as it was sent, the text that was sent, too.
std::string what_is_asked(const command_request& command, const json& body) {
  std::string asked;
  wire::put_varint(asked, command.context);
  wire::put_varint(asked, command.id.value_or(0));
  encode_value(command.command, asked);
  for (const auto& f : command.command.type().fields) {
    if (f.keep == nullptr) continue;
    auto names = f.aliases;
    names.push_back(f.name);
    for (const auto name : names)
      if (const auto at = body.find(name); at != body.end())
        wire::put_bytes(asked, at->is_string() ? at->get_ref<const std::string&>() : at->dump());
  }
  return asked;
}

bool is_usable_key(std::string_view key) {
  return !key.empty() && key.size() <= 255 && std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<problem> take_idempotency_key(const request& r, const json& body, command_request& command) {
  if (!r.has_idempotency_key || (r.verb != method::post && r.verb != method::patch)) return std::nullopt;
  if (r.idempotency_key_repeats)
    return problem{problem_code::bad_parameter, "Idempotency-Key: one header is expected, and there are several.", "Idempotency-Key"};
  if (!is_usable_key(r.idempotency_key))
    return problem{problem_code::bad_parameter, "Idempotency-Key: 1 to 255 printable ASCII characters are expected.", "Idempotency-Key"};
  idempotency_key key;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(r.idempotency_key.data(), r.idempotency_key.size()));
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), key.key.begin());
  const auto asked = what_is_asked(command, body);
  key.fingerprint = XXH3_64bits(asked.data(), asked.size());
  command.idempotency = key;
  return std::nullopt;
}

// No aggregate has it: a command that expects it is refused as stale. Where a key came along, that is left to the aggregate, so that
// one who repeats a request that was carried out gets its answer again, though the version is another by now.
constexpr auto nobodys_version = std::numeric_limits<std::uint64_t>::max();

// If-Match → the one version that the command may meet. A resource that is not there is 404 without this condition as well.
std::optional<problem> take_if_match(const front_door& door, const resource_entry& entry, const request& r, command_request& command) {
  const auto tags = parse_tags(r.if_match);
  if (!tags) return unreadable_tags("If-Match");
  if (tags->any) return std::nullopt;
  const auto versions = versions_in(*tags, false);
  if (versions.size() == 1) {
    command.expected_version = versions.front();
    return std::nullopt;
  }
  const auto present = door.get(entry.ref, *command.id);
  const bool is_one = present && std::find(versions.begin(), versions.end(), present->version) != versions.end();
  command.expected_version = is_one ? present->version : nobodys_version;
  return std::nullopt;
}

// If-None-Match → the command may meet no version at all (*), or none of these.
std::optional<problem> take_if_none_match(const front_door& door, const resource_entry& entry, const request& r, command_request& command) {
  const auto tags = parse_tags(r.if_none_match);
  if (!tags) return unreadable_tags("If-None-Match");
  const auto present = door.get(entry.ref, *command.id);
  if (!present) return std::nullopt;
  if (tags->any) return problem{problem_code::stale, "The resource is there, and If-None-Match says that it must not be."};
  const auto versions = versions_in(*tags, true);
  const bool is_one = std::find(versions.begin(), versions.end(), present->version) != versions.end();
  if (is_one) command.expected_version = nobodys_version;
  if (!command.expected_version) command.expected_version = present->version;
  return std::nullopt;
}

std::optional<problem> take_conditions(const front_door& door, const resource_entry& entry, const request& r, command_request& command) {
  if (!command.id) return std::nullopt;
  if (!r.if_match.empty())
    if (auto p = take_if_match(door, entry, r, command)) return p;
  return r.if_none_match.empty() ? std::nullopt : take_if_none_match(door, entry, r, command);
}

// The id is in the path. A body that was read as an element of a plain array carries it, and entities of JPA do as well.
std::optional<problem> check_id(const record_type& command, const resource_entry& entry, const json& body,
                                std::optional<std::uint64_t> id) {
  const auto sent = body.find("id");
  if (sent == body.end() || sent->is_null() || command.find("id") != nullptr || entry.declared->row->find("id") != nullptr)
    return std::nullopt;
  if (!id) return problem{problem_code::invalid_field, "id: a new resource gets its id here; leave it out, or send null.", "id"};
  const bool same = sent->is_string() ? parse_id(sent->get_ref<const std::string&>()) == id
                                      : sent->is_number_integer() && *sent > 0 && sent->get<std::uint64_t>() == *id;
  if (same) return std::nullopt;
  return problem{problem_code::invalid_field, "id: the path says " + std::to_string(*id) + ", and an id never changes.", "id"};
}

command_or_problem bodied_command(const server_settings& settings, const resource_entry& entry, const request& r, command_request command) {
  auto parsed = parse_body(r, settings.json_depth_max);
  if (auto* p = std::get_if<problem>(&parsed)) return std::move(*p);
  const auto& body = std::get<json>(parsed);
  const auto* chosen = entry.find(verb_of(r.verb));
  std::vector<std::string_view> ignored{"_links", "_embedded"};  // what was read can be written back
  if (r.verb == method::patch) {
    auto choice = choose_patch(entry, body);
    if (auto* p = std::get_if<problem>(&choice)) return std::move(*p);
    chosen = std::get<const verb_declaration*>(choice);
    if (!chosen->status.empty()) ignored.emplace_back("status");
  }
  const auto& row = *entry.declared->row;
  if (auto p = check_id(*chosen->command, entry, body, command.id)) return std::move(*p);
  if (chosen->command->find("id") == nullptr && row.find("id") == nullptr) ignored.emplace_back("id");
  auto made = from_json(*chosen->command, row, body, ignored);
  if (!made) return to_problem(made.why());
  command.command = std::move(made->first);
  command.read_only = std::move(made->second);
  if (!command.id && !command.read_only.fields.empty()) {
    const auto name = std::string(row.fields[command.read_only.fields.front()].name);
    return problem{problem_code::invalid_field,
                   name + ": this field is read-only, and a new resource gets it here; leave it out, or send null.", name};
  }
  if (auto p = take_idempotency_key(r, body, command)) return std::move(*p);
  return command;
}

}  // namespace

bool allows(std::string_view allow, std::string_view name) noexcept {
  for (std::size_t at = allow.find(name); at != std::string_view::npos; at = allow.find(name, at + 1)) {
    const auto end = at + name.size();
    if ((at == 0 || allow[at - 1] == ' ') && (end == allow.size() || allow[end] == ',')) return true;
  }
  return false;
}

std::string allow_lines(std::string_view allow) {
  std::string lines = "Allow: ";
  lines.append(allow).append("\r\n");
  if (allows(allow, "PATCH")) lines.append(accept_patch);
  return lines;
}

problem method_not_allowed(const request& r, std::string_view allow) {
  problem p{problem_code::method_not_allowed,
            std::string(r.verb == method::other ? "This method" : name_of(r.verb)) + " is not possible here."};
  p.headers = allow_lines(allow);
  return p;
}

std::variant<json, problem> parse_body(const request& r, std::size_t depth_max) {
  if (r.body.empty()) return problem{problem_code::malformed_body, "The body is empty; a JSON object is expected."};
  if (auto p = refuse_media(r)) return std::move(*p);
  auto body = parse_json(r.body, depth_max);
  if (!body) return to_problem(std::move(body.why()));
  if (!body->is_object()) return problem{problem_code::malformed_body, "The body is JSON, but not an object."};
  return std::move(*body);
}

command_or_problem to_command(const server_settings& settings, const front_door& door, const resource_entry& entry, const request& r,
                              std::optional<std::uint64_t> id) {
  const auto wanted = verb_of(r.verb);
  if (entry.context == nullptr || !entry.takes(wanted)) return method_not_allowed(r, id ? entry.item_allow : entry.collection_allow);
  command_request command;
  command.context = entry.ref.index;
  command.id = id;
  command.trace = r.trace;
  command.time_limit = std::chrono::milliseconds(settings.request_time_limit_ms);
  if (wanted == verb::remove) {
    const auto& type = *entry.find(verb::remove)->command;
    command.command = value(type, type.make());
  } else {
    auto made = bodied_command(settings, entry, r, std::move(command));
    if (std::holds_alternative<problem>(made)) return made;
    command = std::move(std::get<command_request>(made));
  }
  if (auto p = take_conditions(door, entry, r, command)) return std::move(*p);
  return command;
}

}  // namespace crema::http
