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
#include <utility>
#include <vector>

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
  struct version {
    std::uint64_t commit;
    std::optional<std::string> value;
  };
  // A key and what became of it. There are hundreds of thousands: key and latest value share one piece of memory.
  class history {
   public:
    history(std::string_view key, std::optional<std::string_view> value, std::uint64_t commit) : commit_(commit) { set(key, value); }
    std::string_view key() const noexcept { return {text_.get(), key_size_}; }
    std::optional<std::string_view> value() const noexcept {
      return erased_ ? std::nullopt : std::optional<std::string_view>({text_.get() + key_size_, value_size_});
    }
    std::uint64_t commit() const noexcept { return commit_; }
    /// Puts a version in place of the latest.
    void replace(const std::optional<std::string_view>& value, std::uint64_t commit);

    std::unique_ptr<std::vector<version>> earlier;  // oldest first; mostly none
    std::uint64_t moved = 0;                        // the commit that put the latest version in its place; 0: none yet

   private:
    void set(std::string_view key, std::optional<std::string_view> value);

    std::unique_ptr<char[]> text_;
    std::uint64_t commit_;
    std::uint32_t value_size_ = 0;
    std::uint16_t key_size_ = 0;
    bool erased_ = false;
  };
  // The key's first sixteen bytes as two numbers, in the tree's node: most comparisons need no more.
  struct sort_view {
    explicit sort_view(std::string_view k) noexcept : first(number_at(k, 0)), second(number_at(k, 8)), text(k) {}
    std::uint64_t first, second;
    std::string_view text;
  };
  struct ref {
    explicit ref(const sort_view& k, std::unique_ptr<history> h) noexcept : first(k.first), second(k.second), what(std::move(h)) {}
    std::uint64_t first, second;
    std::unique_ptr<history> what;
  };
  struct by_bytes {
    using is_transparent = void;
    static std::string_view text_of(const ref& r) noexcept { return r.what->key(); }
    static std::string_view text_of(const sort_view& k) noexcept { return k.text; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      if (a.first != b.first) return a.first < b.first;
      if (a.second != b.second) return a.second < b.second;
      return text_of(a) < text_of(b);
    }
  };
  // A node of this tree holds ten of them side by side: of 100,000 one is found in five places of memory instead of seventeen.
  using histories = absl::btree_set<ref, by_bytes>;

 public:
  using entry = std::pair<std::string, std::optional<std::string>>;
  using place = history*;  ///< stays good while the entry is here

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
  /// At most `count` entries behind `after` that are not in their places, apart from those that `changing` replaces.
  std::vector<place> run_after(std::string_view after, std::size_t count, const key_changes& changing);
  static std::string_view key_of(place p) noexcept { return p->key(); }
  static std::optional<std::string_view> value_of(place p) noexcept { return p->value(); }
  /// The changes of the next commit, before it is done: nobody's snapshot shows it yet.
  void prepare(const key_changes& changes);
  /// That commit was done: `moved` are in their places.
  void publish(const std::vector<place>& moved);
  /// What an earlier run left, in the order of its commits; then the number of the last one.
  void load(std::string_view key, std::optional<std::string_view> value, std::uint64_t commit);
  void begin(std::uint64_t commit);
  /// That commit was not done.
  void take_back(const key_changes& changes);

 private:
  static std::uint64_t number_at(std::string_view k, std::size_t at) noexcept;
  using seen_value = std::optional<std::string_view>;  // nothing: erased
  static std::optional<seen_value> seen(const history& h, std::uint64_t at) noexcept;
  std::optional<entry> first_seen(histories::const_iterator from, std::uint64_t at) const;
  histories::iterator first_from(const sort_view& sought, histories::iterator behind);
  void forget_moved();

  mutable std::shared_mutex mutex_;  // entries_
  histories entries_;
  std::size_t unmoved_ = 0;                                  // writer's
  std::deque<std::pair<std::uint64_t, place>> forgettable_;  // writer's: in order of the commit that moved them
  reader_count readers_;
};

}  // namespace crema::storage
