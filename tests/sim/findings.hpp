// What a run's checks did not like: one sentence each. Empty: all is well.
#pragma once

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace crema::sim {

class findings {
 public:
  /// One who looks for more than these has seen enough.
  static constexpr std::size_t kept_max = 20;

  template <class... Parts>
  void expect(bool holds, const Parts&... sentence) {
    if (!holds) add(sentence...);
  }
  template <class... Parts>
  void add(const Parts&... sentence) {
    if (all_.size() >= kept_max) return;
    std::ostringstream text;
    (text << ... << sentence);
    all_.push_back(text.str());
  }
  bool none() const noexcept { return all_.empty(); }
  const std::vector<std::string>& all() const noexcept { return all_; }

 private:
  std::vector<std::string> all_;
};

}  // namespace crema::sim
