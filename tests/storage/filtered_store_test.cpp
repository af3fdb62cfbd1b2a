// The filter's one promise: what is there is never denied. And that it is worth having: what is not there mostly is.
#include "storage/filtered/filtered_store.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "storage/deferred/deferred_store.hpp"
#include "storage/faulty/faulty_store.hpp"
#include "storage/filtered/bloom_filter.hpp"
#include "storage/layout.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/wrapping_store.hpp"

using namespace crema;
using namespace crema::storage;

namespace {

constexpr std::size_t bytes = 65536;

std::string key_of(std::uint64_t n) { return unique_key(2, "customer " + std::to_string(n)); }

void put(store& s, const std::vector<std::string>& keys) {
  const auto tx = s.write();
  for (const auto& k : keys) tx->put(table::index, k, number_key(1));
  tx->commit();
}

bool denies(const store& s, std::string_view key) { return !s.may_have(table::index, key); }

constexpr std::chrono::seconds patience{60};

template <class T>
T in_time(std::future<T> f) {
  if (f.wait_for(patience) != std::future_status::ready) throw std::runtime_error("waited too long");
  return f.get();
}

// Calls back before each commit is done.
class tells_of_commits final : public wrapping_store {
 public:
  using wrapping_store::wrapping_store;
  std::unique_ptr<transaction> write() override {
    class telling final : public wrapping_transaction {
     public:
      telling(std::unique_ptr<transaction> below, const std::function<void()>& told)
          : wrapping_transaction(std::move(below)), told_(told) {}
      void commit() override {
        told_();
        below_->commit();
      }

     private:
      const std::function<void()>& told_;
    };
    return std::make_unique<telling>(below_->write(), at_commit);
  }

  std::function<void()> at_commit;
};

// Its first read waits until it is let go on.
class slow_to_read final : public wrapping_store {
 public:
  using wrapping_store::wrapping_store;
  std::unique_ptr<snapshot> read() const override {
    std::call_once(once_, [this] {
      reads.set_value();
      in_time(go_on.get_future());
    });
    return below_->read();
  }

  mutable std::promise<void> reads, go_on;

 private:
  mutable std::once_flag once_;
};

// Its index has no end.
class endless final : public wrapping_store {
 public:
  endless() : wrapping_store(make_memory_store()) {}
  std::unique_ptr<snapshot> read() const override { return std::make_unique<endless_snapshot>(); }
  void trim() noexcept override {
    if (++trims == 2) trimmed_twice.set_value();
  }

  std::promise<void> trimmed_twice;
  int trims = 0;

 private:
  class endless_cursor final : public cursor {
   public:
    bool seek(std::string_view) override { return true; }
    bool next() override { return true; }
    bool prev() override { return true; }
    std::string_view key() const override { return key_; }
    std::string_view value() const override { return {}; }

   private:
    const std::string key_ = key_of(1);
  };
  class endless_snapshot final : public snapshot {
   public:
    std::optional<std::string_view> get(table, std::string_view) const override { return std::nullopt; }
    std::unique_ptr<cursor> open(table) const override { return std::make_unique<endless_cursor>(); }
    std::uint64_t count(table) const override { return 0; }
  };
};

struct promised {
  std::promise<std::string> ended;
  std::function<void(const std::string&)> told = [this](const std::string& why) { ended.set_value(why); };
};

}  // namespace

TEST_CASE("filter: what was added is never denied, and what was not is denied mostly") {
  bloom_filter f(16384);
  std::mt19937_64 random(5);
  std::vector<std::uint64_t> added(16384 * std::size_t{8} / 12);  // 12 bits each
  for (auto& h : added) f.add(h = random());
  for (const auto h : added) REQUIRE(f.may_have(h));
  int in_vain = 0;
  constexpr int asked = 100'000;
  for (int n = 0; n < asked; ++n) in_vain += f.may_have(random()) ? 1 : 0;
  CHECK(in_vain < asked / 100);
}

TEST_CASE("filter: the smallest there is has one block, and denies all before the first is added") {
  bloom_filter f(1);
  std::mt19937_64 random(6);
  for (int n = 0; n < 1000; ++n) REQUIRE_FALSE(f.may_have(random()));
  const auto h = random();
  f.add(h);
  CHECK(f.may_have(h));
}

TEST_CASE("filter: what several threads add at once is all there") {
  constexpr std::uint64_t each = 20'000, threads = 4;
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15ULL;
  bloom_filter f(4096);  // small: they meet in its words
  std::vector<std::thread> all;
  for (std::uint64_t t = 0; t < threads; ++t)
    all.emplace_back([&f, t] {
      for (std::uint64_t n = 0; n < each; ++n) {
        f.add((t * each + n) * odd);
        if (!f.may_have((t * each + n) * odd)) std::abort();
      }
    });
  for (auto& t : all) t.join();
  for (std::uint64_t n = 0; n < threads * each; ++n) REQUIRE(f.may_have(n * odd));
}

TEST_CASE("index group: a prefix that has one has that of every key that begins with it, whatever the bytes") {
  std::mt19937 random(9);
  int with_group = 0;
  for (int n = 0; n < 20'000; ++n) {
    std::string key(1, static_cast<char>(random() % 4 == 0 ? random() % 6 : 1));
    const auto text = random() % 3 == 0 ? 90 + random() % 12 : random() % 8;
    for (std::size_t i = 0; i < text; ++i) key.push_back(static_cast<char>(random() % 3 == 0 ? random() : 'a'));
    if (random() % 8 != 0) key.push_back('\0');
    for (auto i = random() % 30; i > 0; --i) key.push_back(static_cast<char>(random()));
    const auto group = index_group(key);
    REQUIRE(key.starts_with(group));
    if (!group.empty()) ++with_group;
    for (std::size_t length = 0; length <= key.size(); ++length)
      if (const auto of_prefix = index_group(std::string_view(key).substr(0, length)); !of_prefix.empty()) REQUIRE(of_prefix == group);
  }
  CHECK(with_group > 5000);
}

TEST_CASE("index group: keys of one text and owner share it; another text, collection, finder or kind has another; numbers have none") {
  const auto prefix = [](collection_ref c, std::size_t finder, std::string_view text) { return index_prefix(c, finder, {text}, false); };
  const auto mine = prefix({true, 1}, 2, "010-1234");
  CHECK(index_group(mine) == mine);
  CHECK(index_group(mine + number_key(7)) == mine);
  CHECK(index_group(prefix({true, 1}, 2, "010-12345")) != mine);
  CHECK(index_group(prefix({true, 2}, 2, "010-1234")) != mine);
  CHECK(index_group(prefix({true, 1}, 3, "010-1234")) != mine);
  CHECK(index_group(prefix({false, 1}, 2, "010-1234")) != mine);
  CHECK(index_group(index_prefix({true, 1}, 2, {std::int64_t{5}}, false)).empty());
  CHECK(index_group(index_prefix({true, 1}, 2, {std::string_view("x")}, true)).empty());
  CHECK(index_group("").empty());
  CHECK(index_group(std::string_view(mine).substr(0, mine.size() - 1)).empty());
  for (const std::size_t length : {0U, 1U, 95U, 96U, 97U, 300U}) {  // beyond 96 a hash stands for the rest
    const std::string text(length, 'x');
    CHECK(index_group(unique_key(3, text)) == unique_key(3, text));
    CHECK(index_group(unique_key(3, text)) != index_group(unique_key(3, text + "y")));
  }
}

TEST_CASE("filtered: over an empty store all is denied until it is committed") {
  const auto s = make_filtered_store(make_memory_store(), bytes, learning::at_opening);
  CHECK(denies(*s, key_of(1)));
  s->write()->put(table::index, key_of(1), number_key(1));  // given up
  CHECK(denies(*s, key_of(1)));
  put(*s, {key_of(1), key_of(2)});
  CHECK_FALSE(denies(*s, key_of(1)));
  CHECK_FALSE(denies(*s, key_of(2)));
  CHECK(denies(*s, key_of(3)));
  CHECK_FALSE(denies(*s, ""));
  CHECK_FALSE(denies(*s, key_of(3).substr(0, 5)));                                                     // a prefix of many
  CHECK_FALSE(denies(*s, index_prefix({true, 1}, 0, {std::int64_t{5}}, false)));                       // by number
  CHECK(s->may_have(table::views, key_of(3)));                                                         // another table
  CHECK_FALSE(denies(*make_filtered_store(make_memory_store(), 0, learning::at_opening), key_of(1)));  // no filter
}

TEST_CASE("filtered: whoever sees what a commit put is not told that it is not there, however early") {
  const auto told = std::make_shared<tells_of_commits>(make_memory_store());
  const auto s = make_filtered_store(told, bytes, learning::at_opening);
  int denied = -1;
  told->at_commit = [&] { denied = denies(*s, key_of(1)) ? 1 : 0; };
  put(*s, {key_of(1)});
  CHECK(denied == 0);
}

TEST_CASE("filtered: hashes added at once are known as those added one by one") {
  const auto count = GENERATE(as<std::size_t>(), 0, 1, 7, 8, 9, 500);
  std::mt19937_64 rng(3);
  std::vector<std::uint64_t> hashes(count);
  for (auto& h : hashes) h = rng();
  bloom_filter at_once(bytes), one_by_one(bytes);
  at_once.add(hashes);
  for (const auto h : hashes) one_by_one.add(h);
  for (const auto h : hashes) REQUIRE(at_once.may_have(h));
  for (int n = 0; n < 2000; ++n)
    if (const auto h = rng(); at_once.may_have(h) != one_by_one.may_have(h)) FAIL("another answer");
}

TEST_CASE("filtered: what was there at the opening is not denied, in its place or deferred, also past the pieces it is read in") {
  const std::size_t entries = GENERATE(as<std::size_t>(), 0, 1, 999, 1000, 1001, 2000, 4321);
  CAPTURE(entries);
  const std::shared_ptr<store> disk = make_memory_store();
  std::vector<std::string> keys;
  for (std::size_t n = 0; n < entries; ++n) keys.push_back(key_of(n));
  put(*make_deferred_store(disk, 0), keys);  // those of the last commit wait
  put(*make_deferred_store(disk, 10'000), {key_of(90'000), std::string("\2other"), index_prefix({true, 1}, 0, {std::int64_t{5}}, false)});
  const auto s = make_filtered_store(make_deferred_store(disk, 10'000), bytes, learning::at_opening);
  for (const auto& k : keys) REQUIRE_FALSE(denies(*s, k));
  CHECK_FALSE(denies(*s, key_of(90'000)));
  int denied = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) denied += denies(*s, key_of(100'000 + n)) ? 1 : 0;
  CHECK(denied > 980);
}

TEST_CASE("filtered: until all is learnt nothing is denied, and what is put meanwhile is known afterwards") {
  const auto slow = std::make_shared<slow_to_read>(make_memory_store());
  put(*slow, {key_of(1)});
  promised end;
  const auto s = make_filtered_store(slow, bytes, learning::beside, end.told);
  in_time(slow->reads.get_future());
  CHECK_FALSE(denies(*s, key_of(1)));
  CHECK_FALSE(denies(*s, key_of(3)));
  put(*s, {key_of(2)});
  slow->go_on.set_value();
  CHECK(in_time(end.ended.get_future()).empty());
  CHECK_FALSE(denies(*s, key_of(1)));
  CHECK_FALSE(denies(*s, key_of(2)));
  CHECK(denies(*s, key_of(3)));
}

TEST_CASE("filtered: a store that cannot be read is told of, and nothing is denied") {
  class unreadable final : public wrapping_store {
   public:
    using wrapping_store::wrapping_store;
    std::unique_ptr<snapshot> read() const override { throw storage_error(storage_errc::io, "The disk is gone."); }
  };
  promised end;
  const auto s = make_filtered_store(std::make_shared<unreadable>(make_memory_store()), bytes, learning::beside, end.told);
  CHECK(in_time(end.ended.get_future()) == "The disk is gone.");
  CHECK_FALSE(denies(*s, key_of(1)));
}

TEST_CASE(
    "filtered: while it learns it gives pages back now and then; closed, it learns no more, however much is left, and tells of nothing") {
  const auto disk = std::make_shared<endless>();
  bool told = false;
  auto s = make_filtered_store(disk, bytes, learning::beside, [&](const std::string&) { told = true; });
  in_time(disk->trimmed_twice.get_future());
  CHECK_FALSE(denies(*s, key_of(2)));
  s.reset();
  CHECK_FALSE(told);
}

TEST_CASE("filtered: while it learns beside a writer, through many lives, what is committed is never denied") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto plan = std::make_shared<fault_plan>(3);
  std::mt19937 random(21);
  std::vector<std::string> committed;
  for (int life = 0; life < 12; ++life) {
    const std::shared_ptr<store> below = make_deferred_store(std::shared_ptr<store>(make_faulty_store(disk, plan)), 500);
    const auto s = make_filtered_store(below, bytes * 4, learning::beside);
    std::atomic<bool> over = false;
    std::atomic<std::size_t> safe = committed.size();
    committed.reserve(committed.size() + std::size_t{40} * 60);  // readers look at what is in front of `safe`
    std::thread reader([&] {
      for (std::size_t n = 0; !over; n = n * 31 + 7)
        if (const auto upto = safe.load(); upto > 0 && denies(*s, committed[n % upto])) std::abort();
    });
    for (int commit = 0; commit < 40; ++commit) {
      std::vector<std::string> keys;
      for (auto n = 1 + random() % 60; n > 0; --n) keys.push_back(key_of(random()));
      if (random() % 10 == 0) plan->fail_nth(1 + random() % 5, storage_errc::full);
      try {
        put(*s, keys);
        committed.insert(committed.end(), keys.begin(), keys.end());
        safe = committed.size();
      } catch (const storage_error&) {}
      plan->clear();
      for (const auto& k : keys) REQUIRE(denies(*s, k) <= !s->read()->get(table::index, k).has_value());
    }
    over = true;
    reader.join();
    for (const auto& k : committed) REQUIRE_FALSE(denies(*s, k));
  }
}
