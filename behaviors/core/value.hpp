// Commands, events, states and rows as the runtime carries them: a typed, immutable value behind one pointer,
// with the description that its field list gives.
//
// record_type is the description of one struct; type_of<T>() makes it once. value is a shared pointer to a const T plus
// that description. Both are immutable: any thread may read them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "behaviors/core/field.hpp"

namespace crema {

/// What a struct must offer to be a command, event, state or row.
template <class T>
concept record = requires {
  { T::type_name } -> std::convertible_to<std::string_view>;  // FROZEN once a release has written it
  { T::fields() } -> std::same_as<std::vector<field_spec>>;
};

struct record_type {
  std::string_view name;
  std::uint16_t version = 1;  ///< T::version where it has one; raise it when the meaning of a field changes, and give T an upcast
  std::vector<field_spec> fields;

  std::shared_ptr<void> (*make)() = nullptr;
  std::shared_ptr<void> (*copy)(const void*) = nullptr;
  void (*upcast)(std::uint16_t from_version, void* object) = nullptr;  ///< static void T::upcast(uint16_t, T&), optional

  const field_spec* find(std::string_view field_name) const noexcept;
};

template <record T>
const record_type& type_of() {
  static const record_type type = [] {
    record_type t;
    t.name = T::type_name;
    if constexpr (requires { T::version; }) t.version = T::version;
    t.fields = T::fields();
    t.make = [] { return std::static_pointer_cast<void>(std::make_shared<T>()); };
    t.copy = [](const void* p) { return std::static_pointer_cast<void>(std::make_shared<T>(*static_cast<const T*>(p))); };
    if constexpr (requires(T & v) { T::upcast(std::uint16_t{}, v); })
      t.upcast = [](std::uint16_t from, void* p) { T::upcast(from, *static_cast<T*>(p)); };
    return t;
  }();
  return type;
}

class value {
 public:
  value() = default;
  value(const record_type& type, std::shared_ptr<const void> data) : type_(&type), data_(std::move(data)) {}

  template <record T>
  static value of(T object) {
    return value(type_of<T>(), std::make_shared<const T>(std::move(object)));
  }

  explicit operator bool() const noexcept { return data_ != nullptr; }
  const record_type& type() const noexcept { return *type_; }
  const void* data() const noexcept { return data_.get(); }

  /// The object if it is a T, else nullptr.
  template <record T>
  const T* as() const noexcept {
    return type_ == &type_of<T>() ? static_cast<const T*>(data_.get()) : nullptr;
  }

 private:
  const record_type* type_ = nullptr;
  std::shared_ptr<const void> data_;
};

/// Fields of an aggregate as a caller has read them and sends them back, though the command cannot change them. They have to be so still.
struct as_read {
  value row;                        ///< of the aggregate's type; empty where there are none
  std::vector<std::size_t> fields;  ///< their positions
};
/// The first field that `present`, of the same type, has otherwise; nullptr where there is none.
const field_spec* changed_since(const as_read& sent, const void* present);

}  // namespace crema
