// The journal's own threads: what nobody waits for, and what somebody waits for.
#include <catch2/catch.hpp>
#include <chrono>
#include <future>

#include "actors/journal.hpp"
#include "storage/memory/memory_store.hpp"

using namespace crema;
using namespace crema::actors;
using namespace std::chrono_literals;

namespace {

struct writer {
  explicit writer(milliseconds linger) : settings{with(linger)}, log(*store, 1, settings, time, metrics) { log.start(); }

  static runtime_settings with(milliseconds linger) {
    runtime_settings s;
    s.linger = linger;
    return s;
  }
  std::future<void> append(const std::string& key, bool lingers) {
    const auto done = std::make_shared<std::promise<void>>();
    append_request r;
    r.derived.meta.emplace_back(key, "x");
    r.outputs.push_back([done] { done->set_value(); });
    r.lingers = lingers;
    const auto appended = log.append(std::move(r));
    REQUIRE(appended);
    return done->get_future();
  }
  bool committed_once() const { return metrics.text().find("crema_journal_commit_seconds_count 1\n") != std::string::npos; }
  bool is_on_disk(const std::string& key) const { return store->read()->get(storage::table::meta, key).has_value(); }

  std::shared_ptr<storage::store> store = storage::make_memory_store();
  runtime_settings settings;
  system_clock time;
  telemetry::metrics metrics;
  journal log;
};

bool comes(const std::future<void>& f) { return f.wait_for(10s) == std::future_status::ready; }

}  // namespace

TEST_CASE("linger: given a step for which nobody waits, when one comes for which somebody does, then one commit takes both") {
  writer w(1h);
  const auto patient = w.append("patient", true);
  const auto urgent = w.append("urgent", false);
  CHECK(comes(urgent));
  CHECK(comes(patient));
  CHECK(w.is_on_disk("patient"));
  CHECK(w.committed_once());
}

TEST_CASE("linger: given a commit, when its outputs run, then what somebody waits for is first") {
  writer w(1h);
  std::string ran;
  const auto append = [&](char name, bool lingers) {
    append_request r;
    r.outputs.push_back([&ran, name] { ran.push_back(name); });
    r.lingers = lingers;
    REQUIRE(w.log.append(std::move(r)));
  };
  append('a', true);
  append('b', true);
  append('c', false);
  w.log.stop();
  CHECK(ran == "cab");
}

TEST_CASE("linger: given a step for which nobody waits, when nothing else comes, then it is written after its time") {
  writer w(1ms);
  CHECK(comes(w.append("alone", true)));
  writer at_once(0ms);
  CHECK(comes(at_once.append("alone", true)));
}

TEST_CASE("linger: given many steps for which nobody waits, then they do not wait for more") {
  writer w(1h);
  std::future<void> last;
  for (int n = 0; n < 200; ++n) last = w.append(std::to_string(n), true);
  CHECK(comes(last));

  writer fewer(1h);
  for (int n = 0; n < 199; ++n) last = fewer.append(std::to_string(n), true);
  CHECK(comes(fewer.append("urgent", false)));
  CHECK(comes(last));
  CHECK(fewer.committed_once());
}

TEST_CASE("linger: given a step for which nobody waits, when the journal stops, then it is written") {
  writer w(1h);
  const auto patient = w.append("patient", true);
  w.log.stop();
  CHECK(comes(patient));
  CHECK(w.is_on_disk("patient"));
}
