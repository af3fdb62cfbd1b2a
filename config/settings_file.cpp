#include "config/settings_file.hpp"

#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "config/load.hpp"

namespace crema::config {

namespace {

constexpr std::size_t file_bytes_max = 1U << 20U;
constexpr std::size_t depth_max = 16;

// The parser tells no positions, so the input counts the lines while the parser takes it. When a key is reported, exactly the
// text up to its closing quote has been taken.
class counting_iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* at, std::size_t* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  counting_iterator& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }
  counting_iterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const counting_iterator& a, const counting_iterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  std::size_t* line_;
};

// Each callback returns false, with `fault_` set, to stop the parser.
class flattener : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit flattener(const std::size_t* line) : line_(line) {}

  bool null() override { return stop("is null; leave it out to have the default"); }
  bool boolean(bool v) override { return put(v); }
  bool number_integer(number_integer_t v) override { return put(static_cast<std::int64_t>(v)); }
  bool number_unsigned(number_unsigned_t v) override {
    // Beyond what a setting can hold: as a decimal it fails the type check of whole numbers, with the bounds named.
    if (v > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) return put(static_cast<double>(v));
    return put(static_cast<std::int64_t>(v));
  }
  bool number_float(number_float_t v, const string_t&) override { return put(static_cast<double>(v)); }
  bool string(string_t& v) override {
    if (list_) {
      list_->push_back(v);
      return true;
    }
    return put(v);
  }
  bool binary(binary_t&) override { return stop("is not text"); }

  bool start_object(std::size_t) override {
    if (list_) return stop("has an object in its list");
    if (keys_.size() >= depth_max) return stop("is nested too deep");
    keys_.emplace_back();
    named_.emplace_back();
    return true;
  }
  bool key(string_t& k) override {
    keys_.back() = k;
    key_line_ = *line_;
    return named_.back().insert(k).second || stop("is set twice in this file");
  }
  bool end_object() override {
    keys_.pop_back();
    named_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    if (list_ || keys_.empty()) return stop("has a list in its list");
    list_.emplace();
    return true;
  }
  bool end_array() override {
    auto items = std::move(*list_);
    list_.reset();
    return put(std::move(items));
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    std::string why = e.what();  // "[json.exception.parse_error.101] parse error at line 3, column 5: …"
    if (const auto end = why.find("] "); end != std::string::npos) why.erase(0, end + 2);
    fault_ = "is not JSON: " + why;
    key_line_ = *line_;
    keys_.clear();
    return false;
  }

  std::vector<file_line>& lines() { return lines_; }
  const std::string& fault() const { return fault_; }
  std::size_t key_line() const { return key_line_; }
  std::string name() const {
    std::string out;
    for (const auto& k : keys_) out += (&k == keys_.data() ? "" : ".") + k;
    return out;
  }

 private:
  bool put(setting v) {
    if (list_) return stop("has something else than texts in its list");
    if (keys_.empty()) return stop("is not an object");
    lines_.push_back({name(), std::move(v), key_line_});
    return true;
  }
  bool stop(std::string why) {
    fault_ = std::move(why);
    return false;
  }

  const std::size_t* line_;
  std::size_t key_line_ = 1;
  std::vector<std::string> keys_;
  std::vector<std::set<std::string>> named_;  // in each open object
  std::optional<std::vector<std::string>> list_;
  std::vector<file_line> lines_;
  std::string fault_;
};

std::string read_all(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) throw config_error(file.string() + ": cannot be read");
  if (text.size() > file_bytes_max) throw config_error(file.string() + ": is longer than " + std::to_string(file_bytes_max) + " bytes");
  return text;
}

}  // namespace

std::vector<file_line> read_settings_file(const std::filesystem::path& file) {
  const auto text = read_all(file);
  std::size_t line = 1;
  flattener flat(&line);
  const bool done = nlohmann::json::sax_parse(counting_iterator(text.data(), &line), counting_iterator(text.data() + text.size(), &line),
                                              &flat, nlohmann::json::input_format_t::json, true, true);
  if (!done) {
    const auto name = flat.name();
    throw config_error(file.string() + ":" + std::to_string(flat.key_line()) + ": " + (name.empty() ? "" : name + " ") + flat.fault());
  }
  return std::move(flat.lines());
}

}  // namespace crema::config
