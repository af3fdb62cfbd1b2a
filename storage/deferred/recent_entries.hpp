// Keys that are committed but not in their places yet, with the versions that snapshots still see.
//
// A reader enters before it takes its snapshot of the wrapped store and leaves with it; what it sees is told by the number of the
// commit that its snapshot shows. Methods of the first group are for any thread, those of the second for the writer's.
#pragma once

#include <absl/container/btree_set.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/deferred/entry_chunk.hpp"

namespace crema::storage {

/// Key → value; nothing: erased.
using key_changes = std::map<std::string, std::optional<std::string>, std::less<>>;

/// Which readers of which commits there are. Entering takes no lock.
class reader_count {
 public:
  /// Of the commit that is the last one now; returns its number.
  std::uint64_t enter() noexcept;
  void leave(std::uint64_t entered) noexcept;
  std::uint64_t published() const noexcept { return published_.load(); }
  /// The writer's.
  void publish(std::uint64_t commit) noexcept { published_.store(commit); }
  /// No reader is of a commit before this one. The writer's.
  std::uint64_t oldest() noexcept;

 private:
  static constexpr std::size_t places = 1024;  // of commits; one that is used again holds both until both have left
  std::array<std::atomic<std::uint32_t>, places> readers_{};
  std::atomic<std::uint64_t> published_{0};
  std::uint64_t oldest_ = 0;
};

class recent_entries {
 public:
  using entry = std::pair<std::string, std::optional<std::string>>;
  /// Entries that a commit moves: those behind `after` up to `upto` (nothing: all) that are not in their places and that it does not
  /// change itself. The views die with the next prepare().
  struct run {
    std::string after;
    std::optional<std::string> upto;
    std::vector<std::pair<std::string_view, std::optional<std::string_view>>> entries;
  };

  recent_entries();

  // ---- readers
  std::uint64_t enter() noexcept { return readers_.enter(); }
  void leave(std::uint64_t entered) noexcept { readers_.leave(entered); }
  bool empty() const;
  /// The change of this key as commit `at` left it. Nothing: it is as the wrapped store has it.
  std::optional<std::optional<std::string>> find(std::string_view key, std::uint64_t at) const;
  std::optional<entry> first_from(std::string_view key, std::uint64_t at) const;
  std::optional<entry> first_after(std::string_view key, std::uint64_t at) const;
  std::optional<entry> last_before(std::string_view key, std::uint64_t at) const;

  // ---- the writer
  std::uint64_t published() const noexcept { return readers_.published(); }
  std::size_t unmoved() const noexcept { return unmoved_; }
  /// At most `count` entries behind `after`.
  run run_after(const std::string& after, std::size_t count, const key_changes& changing) const;
  /// The changes of the next commit, before it is done: nobody's snapshot shows it yet.
  void prepare(const key_changes& changes);
  /// That commit was done, and moved these.
  void publish(run moved);
  /// What an earlier run left, in the order of its commits; then the number of the last one.
  void load(std::string_view key, std::optional<std::string_view> value, std::uint64_t commit);
  void begin(std::uint64_t commit);
  /// That commit was not done.
  void take_back(const key_changes& changes);

 private:
  using seen_value = entry_chunk::seen_value;
  struct version {
    std::uint64_t commit;
    std::optional<std::string> value;
  };
  // A key's first sixteen bytes as two numbers, in the tree's node: most comparisons need no more.
  struct sort_view {
    explicit sort_view(std::string_view k) noexcept : first(number_at(k, 0)), second(number_at(k, 8)), text(k) {}
    std::uint64_t first, second;
    std::string_view text;
  };
  struct ref {
    explicit ref(entry_chunk c) : what(std::make_unique<entry_chunk>(std::move(c))) {
      const sort_view least(what->least());
      first = least.first;
      second = least.second;
    }
    std::uint64_t first, second;
    std::unique_ptr<entry_chunk> what;
  };
  struct by_least {
    using is_transparent = void;
    static std::string_view text_of(const ref& r) noexcept { return r.what->least(); }
    static std::string_view text_of(const sort_view& k) noexcept { return k.text; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      if (a.first != b.first) return a.first < b.first;
      if (a.second != b.second) return a.second < b.second;
      return text_of(a) < text_of(b);
    }
  };
  // A node of this tree holds ten of them side by side, and so few chunks there are that all nodes are at hand.
  using chunks = absl::btree_set<ref, by_least>;
  struct moved_range {
    std::uint64_t commit;
    std::string after;
    std::optional<std::string> upto;
  };

  static std::uint64_t number_at(std::string_view k, std::size_t at) noexcept;
  template <class Chunks>
  static auto chunk_of(Chunks& all, std::string_view key);
  std::optional<seen_value> seen(const entry_chunk& c, std::size_t i, std::uint64_t at) const;
  std::optional<entry> first_seen(chunks::const_iterator chunk, std::size_t i, std::uint64_t at) const;
  template <class Visit>
  void visit_range(const std::string& after, const std::optional<std::string>& upto, Visit visit);
  void keep_earlier(entry_chunk& c, std::size_t i, std::uint64_t oldest);
  bool insert(entry_chunk& c, std::size_t i, std::string_view key, seen_value value, std::uint64_t commit);
  void forget_moved();

  mutable std::shared_mutex mutex_;                                // chunks_, earlier_
  chunks chunks_;                                                  // the first holds keys from the least there is on
  std::unordered_map<std::string, std::vector<version>> earlier_;  // by key: what older readers may still see, oldest first
  std::size_t unmoved_ = 0;                                        // writer's
  std::deque<moved_range> forgettable_;                            // writer's: in order of the commits
  reader_count readers_;
};

}  // namespace crema::storage
