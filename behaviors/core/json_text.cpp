#include "behaviors/core/json_text.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "behaviors/core/text.hpp"

namespace crema {

namespace {

using nlohmann::json;

rejection malformed(std::string why, std::string field = {}) { return {rejection_kind::malformed, std::move(why), std::move(field), 0}; }

// Each callback returns false, with `fault_` set, to stop the parser.
class document : public nlohmann::json_sax<json> {
 public:
  explicit document(std::size_t depth_max) : depth_max_(depth_max) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(v); }
  bool number_unsigned(number_unsigned_t v) override { return add(v); }
  bool number_float(number_float_t, const string_t& text) override { return add(json::binary({text.begin(), text.end()})); }
  bool string(string_t& v) override { return add(std::move(v)); }
  bool binary(binary_t&) override { return false; }  // JSON has none

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool key(string_t& k) override {
    const auto [at, fresh] = open_.back()->get_ref<json::object_t&>().emplace(k, nullptr);
    if (!fresh) return stop(malformed("The body names " + in_quotes(k) + " twice; send it once.", k));
    member_ = &at->second;
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& e) override {
    if (dynamic_cast<const json::out_of_range*>(&e) != nullptr) return stop(malformed("The body holds a number that is out of range."));
    return stop(malformed("The body is not JSON in UTF-8: error at byte " + std::to_string(at) + "."));
  }

  json& root() { return root_; }
  rejection& fault() { return *fault_; }

 private:
  bool add(json v) {
    place(std::move(v));
    return true;
  }
  // Where it stays: an array grows only while none of its items is open.
  json* place(json v) {
    if (open_.empty()) {
      root_ = std::move(v);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(v));
      return &open_.back()->back();
    }
    *member_ = std::move(v);
    return member_;
  }
  bool open(json empty) {
    if (open_.size() >= depth_max_) return stop(malformed("The body is nested more than " + std::to_string(depth_max_) + " deep."));
    open_.push_back(place(std::move(empty)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  bool stop(rejection why) {
    fault_ = std::move(why);
    return false;
  }

  std::size_t depth_max_;
  json root_;
  std::vector<json*> open_;
  json* member_ = nullptr;  // of the innermost object, whose key came last
  std::optional<rejection> fault_;
};

}  // namespace

result<json> parse_json(std::string_view text, std::size_t depth_max) {
  document made(depth_max);
  if (!json::sax_parse(text.begin(), text.end(), &made)) return std::move(made.fault());
  return std::move(made.root());
}

std::string_view number_text(const json& j) {
  if (!j.is_binary()) return {};
  const auto& bytes = j.get_binary();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace crema
