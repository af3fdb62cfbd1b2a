// The supervisor that carries the strategies out, with children that do nothing but live and end, in virtual time.
#include "actors/supervisor.hpp"

#include <caf/send.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using actors::lifetime;
using actors::strategy;
using std::chrono::milliseconds;

namespace {

/// What happened, in order: "+a" started, "-a" ended.
using diary = std::vector<std::string>;

class toy_child : public actors::base_actor {
 public:
  toy_child(caf::actor_config& cfg, diary& seen, std::string name) : actors::base_actor(cfg), seen_(seen), name_(std::move(name)) {}
  caf::behavior make_behavior() override {
    seen_.push_back("+" + name_);
    return {[this](int) { quit(); }};
  }
  void on_exit() override { seen_.push_back("-" + name_); }

 private:
  diary& seen_;
  std::string name_;
};

class toy_supervisor : public actors::supervisor {
 public:
  using children_list = std::vector<std::pair<std::string, lifetime>>;
  toy_supervisor(caf::actor_config& cfg, actors::services& node, strategy how, children_list all, diary& seen,
                 std::vector<caf::actor>& handles)
      : supervisor(cfg, node, "toy/"), how_(how), all_(std::move(all)), seen_(seen), handles_(handles) {}

  caf::behavior make_behavior() override {
    std::vector<child> list;
    for (const auto& [name, lives] : all_) list.push_back({name, lives});
    handles_.resize(all_.size());
    supervise(how_, std::move(list));
    for (std::size_t i = 0; i < all_.size(); ++i) start(i);
    return supervising();
  }
  void on_exit() override {
    supervisor::on_exit();
    seen_.push_back("-toy");
  }

 private:
  caf::actor spawn_child(std::size_t i) override {
    handles_[i] = spawn<toy_child, caf::monitored>(seen_, all_[i].first);
    return handles_[i];
  }

  strategy how_;
  children_list all_;
  diary& seen_;
  std::vector<caf::actor>& handles_;
};

/// A tree of three in a node of its own.
struct toy_tree {
  explicit toy_tree(strategy how, lifetime a = lifetime::permanent, lifetime b = lifetime::permanent, lifetime c = lifetime::permanent)
      : node(test_system(), impatient()) {
    node.settle();
    root = node.node().inside().actors->spawn<toy_supervisor>(node.shared(), how,
                                                              toy_supervisor::children_list{{"a", a}, {"b", b}, {"c", c}}, seen, handles);
    node.settle();
    CHECK(seen == diary{"+a", "+b", "+c"});
    seen.clear();
  }
  ~toy_tree() {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    node.settle();
    handles.clear();
    root = nullptr;
  }
  static actors::runtime_settings impatient() {
    auto s = few_partitions();
    s.restart_intensity = 2;
    s.backoff_min = s.backoff_max = milliseconds(10);
    return s;
  }
  void end(std::size_t i) {
    caf::anon_send_exit(handles[i], caf::exit_reason::kill);
    node.settle();
  }
  /// By itself, without a failure.
  void leave(std::size_t i) {
    caf::anon_send(handles[i], 0);
    node.settle();
  }
  diary take() { return std::exchange(seen, {}); }
  actors::supervision_board::entry shown(const std::string& name) { return node.shared().board.all().at("toy/" + name); }

  diary seen;
  std::vector<caf::actor> handles;
  stepped_node node;
  caf::actor root;
};

}  // namespace

TEST_CASE("supervisor: one_for_one starts the failed child again, after its wait") {
  toy_tree t(strategy::one_for_one);
  t.end(1);
  CHECK(t.take() == diary{"-b"});
  CHECK(t.shown("b").state == "restarting");
  CHECK(t.shown("b").waits_ms > 0);
  t.node.advance(milliseconds(10));
  CHECK(t.take() == diary{"+b"});
  CHECK(t.shown("b").state == "running");
  CHECK(t.shown("b").restarts == 1);
  CHECK_FALSE(t.shown("b").last_failure.empty());
}

TEST_CASE("supervisor: one_for_all ends the others in reverse order and starts all in order") {
  toy_tree t(strategy::one_for_all);
  t.end(1);
  CHECK(t.take() == diary{"-b", "-c", "-a"});
  t.node.advance(milliseconds(10));
  CHECK(t.take() == diary{"+a", "+b", "+c"});
  CHECK(t.shown("a").restarts == 0);  // it did not fail
}

TEST_CASE("supervisor: rest_for_one ends those behind the failed one and starts them again with it") {
  toy_tree t(strategy::rest_for_one);
  t.end(1);
  CHECK(t.take() == diary{"-b", "-c"});
  t.node.advance(milliseconds(10));
  CHECK(t.take() == diary{"+b", "+c"});
}

TEST_CASE("supervisor: a transient child that ends by itself stays so; after a failure it is back; a temporary one is never") {
  toy_tree t(strategy::one_for_all, lifetime::permanent, lifetime::transient, lifetime::temporary);
  t.end(2);
  t.node.advance(milliseconds(50));
  CHECK(t.take() == diary{"-c"});
  CHECK(t.shown("c").state == "ended");
  t.end(1);
  t.node.advance(milliseconds(50));
  CHECK(t.take() == diary{"-b", "-a", "+a", "+b"});
  t.leave(1);
  t.node.advance(milliseconds(50));
  CHECK(t.take() == diary{"-b"});
  CHECK(t.shown("b").state == "ended");
  CHECK(t.shown("a").state == "running");
}

TEST_CASE("supervisor: beyond the intensity it ends its children in reverse order, then itself") {
  toy_tree t(strategy::one_for_one);
  for (int i = 0; i < 2; ++i) {
    t.end(1);
    t.node.advance(milliseconds(10));
    CHECK(t.take() == diary{"-b", "+b"});
  }
  t.end(1);
  t.node.advance(milliseconds(50));
  const auto seen = t.take();
  REQUIRE(seen.size() == 4);
  CHECK(seen.front() == "-b");
  CHECK(std::find(seen.begin(), seen.end(), "-toy") != seen.end());
  CHECK(std::find(seen.begin(), seen.end(), "+b") == seen.end());
}

TEST_CASE("supervisor: failures further apart than the period do not go up") {
  toy_tree t(strategy::one_for_all);
  for (int i = 0; i < 5; ++i) {
    t.end(0);
    t.node.advance(milliseconds(10'001));
  }
  CHECK(t.shown("a").restarts == 5);
  CHECK(t.shown("a").state == "running");
}
