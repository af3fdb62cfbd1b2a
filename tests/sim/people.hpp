// Those who send requests: each waits for one answer at a time, some ask again under the same key when they got none. What can be seen
// from outside is checked here, as it is seen.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/asked.hpp"
#include "tests/sim/story.hpp"
#include "tests/sim/transport.hpp"

namespace crema::sim {

class people {
 public:
  people(const story& s, const system_declaration& system, std::uint64_t seed, bool faults, findings& found);

  /// From now on the node is reached through this; nullptr: every connection breaks.
  void reach(transport* through);
  /// Somebody who waits for nothing asks. False: all wait, or nobody has anything to ask.
  bool ask(std::int64_t now_ms);
  /// Somebody reads the answer that is there for him. False: there is none.
  bool hear(std::int64_t now_ms);
  /// Who has waited for too long gives up.
  void lose_patience(std::int64_t now_ms);
  /// From now on only what got no answer is asked again.
  void wish_nothing_more() { wishing_ = false; }
  /// Waits for nothing and wants nothing.
  bool content() const;

  const std::vector<asked>& requests() const noexcept { return asked_; }
  const std::vector<exchange_ptr>& exchanges() const noexcept { return exchanges_; }
  /// What was sent and heard, for the event hash.
  const std::string& transcript() const noexcept { return transcript_; }

 private:
  struct person {
    std::optional<std::size_t> asking;  // index in asked_
    exchange_ptr x;                     // none while `asking`: the connection broke, he will ask again
    std::int64_t patience_ends_ms = 0;
    std::uint64_t version_floor = 0;  // of what he reads: that much was answered before he asked
    std::uint64_t events_floor = 0;   // up to there events were seen before he asked
    std::string must_contain;         // a link that the search must find
  };

  void send(person& p, std::int64_t now_ms);
  void disconnect(person& p);
  asked& begin(const wish& w);
  wish look_around(person& p);
  wish search_for(person& p, const asked& made);
  void expect_usual(const person& p, const asked& a, const http::response& r);
  void expect_events(const person& p, const asked& a, const http::response& r);
  void take_grant(asked& a, const http::response& r);
  void check_reading(const person& p, const asked& a, const http::response& r);
  std::string bytes_of(const asked& a) const;
  bool stays(const std::string& path) const;
  /// The story builds on it: asked until it is granted.
  bool is_opening(const asked& a) const { return a.number <= story_.opening.size(); }

  const story& story_;
  const system_declaration& system_;
  testing::chance random_;
  bool faults_;
  findings& found_;
  transport* through_ = nullptr;
  std::vector<person> persons_;
  std::vector<asked> asked_;
  std::vector<exchange_ptr> exchanges_;
  knowledge known_;
  std::map<std::string, std::uint64_t> versions_;  // by path: the highest that was answered; 0: it may be gone
  std::size_t opening_ = 0;                        // how much of the story's opening was asked
  bool wishing_ = true;
  std::uint64_t next_event_ = 0;  // behind the last that was seen
  std::string transcript_;
};

}  // namespace crema::sim
