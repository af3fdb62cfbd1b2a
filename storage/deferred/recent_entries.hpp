// Keys that are committed but not in their places yet, with the versions that snapshots still see.
//
// A reader enters before it takes its snapshot of the wrapped store and leaves with it; what it sees is told by the number of the
// commit that its snapshot shows. Methods of the first group are for any thread, those of the second for the writer's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crema::storage {

/// Key → value; nothing: erased.
using key_changes = std::map<std::string, std::optional<std::string>, std::less<>>;

class recent_entries {
 public:
  using entry = std::pair<std::string, std::optional<std::string>>;

  // ---- readers
  std::uint64_t enter();
  void leave(std::uint64_t entered);
  bool empty() const;
  /// The change of this key as commit `at` left it. Nothing: it is as the wrapped store has it.
  std::optional<std::optional<std::string>> find(std::string_view key, std::uint64_t at) const;
  std::optional<entry> first_from(std::string_view key, std::uint64_t at) const;
  std::optional<entry> first_after(std::string_view key, std::uint64_t at) const;
  std::optional<entry> last_before(std::string_view key, std::uint64_t at) const;

  // ---- the writer
  std::uint64_t published() const noexcept { return published_; }
  std::size_t unmoved() const noexcept { return unmoved_; }
  /// At most `count` entries behind `after` that are not in their places, apart from those that `changing` replaces.
  std::vector<entry> run_after(std::string_view after, std::size_t count, const key_changes& changing) const;
  /// The changes of the next commit, before it is done: nobody's snapshot shows it yet.
  void prepare(const key_changes& changes);
  /// That commit was done: `moved` are in their places.
  void publish(const std::vector<entry>& moved);
  /// That commit was not done.
  void take_back(const key_changes& changes);

 private:
  struct version {
    std::uint64_t commit;
    std::optional<std::string> value;
  };
  struct history {
    std::vector<version> versions;  // oldest first
    std::uint64_t moved = 0;        // the commit that put the latest version in its place; 0: none yet
  };
  using histories = std::map<std::string, history, std::less<>>;

  static const version* seen(const history& h, std::uint64_t at) noexcept;
  std::optional<entry> first_seen(histories::const_iterator from, std::uint64_t at) const;
  std::uint64_t oldest_reader() const;
  void forget_moved();

  mutable std::shared_mutex mutex_;  // entries_
  histories entries_;
  std::size_t unmoved_ = 0;                                        // writer's
  std::deque<std::pair<std::uint64_t, std::string>> forgettable_;  // writer's: in order of the commit that moved them
  mutable std::mutex readers_mutex_;                               // published_ and readers_ change together
  std::uint64_t published_ = 0;                                    // written by the writer only
  std::map<std::uint64_t, std::size_t> readers_;
};

}  // namespace crema::storage
