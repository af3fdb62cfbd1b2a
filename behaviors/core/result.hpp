// A value or the reason why not. Rejections are values: business rules never throw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace crema {

/// Why a command was not carried out. One place (http/problem) turns the kind into a status.
enum class rejection_kind : std::uint8_t {
  malformed,   ///< 400 the message itself cannot be read
  invalid,     ///< 422 a field's value is not acceptable
  not_found,   ///< 404
  conflict,    ///< 409 not allowed in the present state
  stale,       ///< 412 the caller's version is not the present one
  overloaded,  ///< 503 shed by a limit or an open circuit; retry_after_ms says when
  stopped,     ///< 503 the context is stopped
  timed_out,   ///< 504 a partner did not answer in time
  failed,      ///< 500 a partner or a handler failed
};

constexpr std::string_view name_of(rejection_kind k) noexcept {
  constexpr std::string_view names[] = {"malformed",  "invalid", "not found", "conflict", "stale",
                                        "overloaded", "stopped", "timed out", "failed"};
  return names[static_cast<std::size_t>(k)];
}

struct rejection {
  rejection_kind kind = rejection_kind::conflict;
  std::string detail;               ///< one sentence for the caller, with the fix where there is one
  std::string field;                ///< the field at fault, if any
  std::int64_t retry_after_ms = 0;  ///< overloaded, stopped: when to try again

  static rejection conflict(std::string detail) { return {rejection_kind::conflict, std::move(detail), {}, 0}; }
  static rejection not_found(std::string detail) { return {rejection_kind::not_found, std::move(detail), {}, 0}; }
  static rejection invalid(std::string field, std::string detail) {
    return {rejection_kind::invalid, std::move(detail), std::move(field), 0};
  }
};

template <class T>
class [[nodiscard]] result {
 public:
  result(T v) : state_(std::in_place_index<0>, std::move(v)) {}          // NOLINT(google-explicit-constructor): reads as a return value
  result(rejection r) : state_(std::in_place_index<1>, std::move(r)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  rejection& why() { return std::get<1>(state_); }
  const rejection& why() const { return std::get<1>(state_); }

 private:
  std::variant<T, rejection> state_;
};

}  // namespace crema
