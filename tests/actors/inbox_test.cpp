#include "actors/inbox.hpp"

#include <catch2/catch.hpp>

#include "storage/layout.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/actors/test_system.hpp"

using namespace crema;
using namespace crema::testing;
using actors::inbox;
using storage::outbox_ref;

namespace {

constexpr storage::lane here{2, 1};

outbox_ref ref(std::uint64_t sequence, std::uint32_t index = 1, storage::lane where = here) { return {where, {sequence, index}}; }

struct disk {
  std::unique_ptr<storage::store> store = storage::make_memory_store();
  system_declaration system = test_system();
  type_catalog types = system.catalog();

  void put_message(outbox_ref r) {
    storage::stored_message m;
    m.ref = r;
    m.to = {r.where.context, 7, {}};
    m.payload = value::of(note{static_cast<std::int64_t>(r.id.sequence), "x"});
    std::string bytes(1, '\0');
    storage::encode_message(m, bytes);
    put(r, bytes);
  }
  void put_hold(outbox_ref r) {
    put(r, std::string(1, '\1') + storage::encode_hold({{r.where.context, 7, {}}, {}, {}, value::of(note{1, "undo"}), {}}));
  }
  void put(outbox_ref r, const std::string& bytes) {
    const auto t = store->write();
    t->put(storage::table::outbox, storage::outbox_key(r), bytes);
    t->commit();
  }
  std::vector<std::uint64_t> read(inbox& in, std::size_t limit = 100) {
    std::vector<std::uint64_t> found;
    for (const auto& m : in.read(*store->read(), types, limit)) found.push_back(m.ref.id.sequence);
    return found;
  }
};

using list = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("inbox: given one that is closed, when a message comes, then it is let go: it is on disk") {
  inbox in(here, 1);
  CHECK(in.judge(ref(5)) == inbox::verdict::never);
}

TEST_CASE("inbox: given messages on disk around the barrier, when it reads, then it gets those up to the barrier, in order, and is live") {
  disk d;
  for (const auto s : {30U, 10U, 20U, 40U}) d.put_message(ref(s));
  d.put_message(ref(15, 1, {2, 0}));
  d.put_message(ref(15, 1, {2, 2}));
  inbox in(here, 1);
  in.open();
  CHECK(in.judge(ref(10)) == inbox::verdict::later);  // where the barrier will be is not known yet
  in.barrier_passed(30);
  CHECK(in.judge(ref(30)) == inbox::verdict::never);
  CHECK(in.judge(ref(31)) == inbox::verdict::later);
  CHECK(d.read(in) == list{10, 20, 30});
  CHECK(in.state() == inbox::phase::reading);
  CHECK(d.read(in).empty());
  CHECK(in.state() == inbox::phase::live);
  CHECK(in.judge(ref(30)) == inbox::verdict::never);
  CHECK(in.judge(ref(31)) == inbox::verdict::now);
  CHECK(in.was_read(ref(30)));
  CHECK_FALSE(in.was_read(ref(31)));
}

TEST_CASE("inbox: given more on disk than one read may take, when it reads on, then nothing is left out and nothing comes twice") {
  disk d;
  for (std::uint64_t s = 1; s <= 10; ++s)
    for (std::uint32_t i = 1; i <= 2; ++i) d.put_message(ref(s, i));
  inbox in(here, 1);
  in.open();
  in.barrier_passed(10);
  list all;
  for (auto part = d.read(in, 3); !part.empty(); part = d.read(in, 3)) {
    CHECK(part.size() <= 3);
    all.insert(all.end(), part.begin(), part.end());
  }
  CHECK(all == list{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10});
}

TEST_CASE("inbox: given too many kept, when they are let go, then a further barrier brings them from disk and the order holds") {
  disk d;
  for (std::uint64_t s = 1; s <= 4; ++s) d.put_message(ref(s));
  inbox in(here, 1);
  in.open();
  in.barrier_passed(2);
  CHECK(in.judge(ref(3)) == inbox::verdict::later);
  in.overflow();
  CHECK(in.judge(ref(4)) == inbox::verdict::never);
  CHECK(d.read(in) == list{1, 2});
  CHECK(d.read(in).empty());
  CHECK(in.state() == inbox::phase::needs_barrier);
  CHECK(in.judge(ref(5)) == inbox::verdict::later);
  in.barrier_passed(4);
  CHECK(d.read(in) == list{3, 4});
  CHECK(d.read(in).empty());
  CHECK(in.state() == inbox::phase::live);
  CHECK(in.judge(ref(5)) == inbox::verdict::now);
}

TEST_CASE("inbox: given holds on disk, then those of an earlier run are left steps, and none is read as a message") {
  disk d;
  d.put_hold(ref(5, 0));
  d.put_message(ref(6));
  d.put_hold(ref(20, 0));
  d.put_message(ref(21));
  d.put_hold(ref(5, 0, {2, 2}));
  inbox in(here, 10);
  in.open();
  in.barrier_passed(30);
  const auto left = in.left_steps(*d.store->read(), d.types);
  REQUIRE(left.size() == 1);
  CHECK(left[0].ref == ref(5, 0));
  CHECK(left[0].held.undo.as<note>() != nullptr);
  CHECK(d.read(in) == list{6, 21});
}

TEST_CASE("inbox: given nothing but holds of this run, when it reads, then it is live") {
  disk d;
  for (std::uint64_t s = 20; s < 30; ++s) d.put_hold(ref(s, 0));
  inbox in(here, 10);
  in.open();
  in.barrier_passed(40);
  CHECK(d.read(in, 3).empty());
  CHECK(in.state() == inbox::phase::live);
}

TEST_CASE("inbox: given a live one, when it is opened again, then it reads from the beginning") {
  disk d;
  d.put_message(ref(1));
  inbox in(here, 1);
  in.open();
  in.barrier_passed(1);
  (void)d.read(in);
  (void)d.read(in);
  in.open_again();
  d.put_message(ref(2));
  in.barrier_passed(2);
  CHECK(d.read(in) == list{1, 2});
}

TEST_CASE("inbox: given bytes on disk that are no message, when it reads, then it says so") {
  disk d;
  d.put(ref(1), "\x01\xff\xff");
  inbox in(here, 100);
  in.open();
  in.barrier_passed(1);
  CHECK_THROWS_AS(d.read(in), decode_error);
  d.put(ref(2, 0), "\x01\xff\xff");
  CHECK_THROWS_AS(in.left_steps(*d.store->read(), d.types), decode_error);
}
