#include "tests/sim/canary.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace crema::sim {

namespace {

using storage::store;
using storage::table;
using storage::transaction;
using storage::wrapping_transaction;

constexpr std::array names{
    std::pair{canary::acknowledge_before_commit, std::string_view("acknowledge-before-commit")},
    std::pair{canary::consume_twice, std::string_view("consume-twice")},
    std::pair{canary::skip_compensation, std::string_view("skip-compensation")},
    std::pair{canary::deny_what_is_there, std::string_view("deny-what-is-there")},
};

struct row_before {
  table where;
  std::string key;
  std::optional<std::string> value;
};
using commit_before = std::vector<row_before>;

// Remembers how the last commit found what it changed.
class remembering_transaction final : public wrapping_transaction {
 public:
  remembering_transaction(std::unique_ptr<transaction> below, commit_before& last) : wrapping_transaction(std::move(below)), last_(last) {}
  void put(table t, std::string_view key, std::string_view value) override {
    remember(t, key);
    below_->put(t, key, value);
  }
  bool erase(table t, std::string_view key) override {
    remember(t, key);
    return below_->erase(t, key);
  }
  void commit() override {
    below_->commit();
    last_ = std::move(before_);
  }

 private:
  void remember(table t, std::string_view key) {
    const auto is = below_->get(t, key);
    before_.push_back({t, std::string(key), is ? std::optional<std::string>(*is) : std::nullopt});
  }
  commit_before& last_;
  commit_before before_;
};

class disk_that_answers_too_soon final : public sick_disk {
 public:
  using sick_disk::sick_disk;
  std::unique_ptr<transaction> write() override { return std::make_unique<remembering_transaction>(below_->write(), last_); }
  void crash() override {
    const auto t = below_->write();
    for (auto row = last_.rbegin(); row != last_.rend(); ++row) {
      if (row->value)
        t->put(row->where, row->key, *row->value);
      else
        t->erase(row->where, row->key);
    }
    t->commit();
    last_.clear();
  }

 private:
  commit_before last_;
};

// Some of what is erased from the outbox stays there.
class clinging_transaction final : public wrapping_transaction {
 public:
  clinging_transaction(std::unique_ptr<transaction> below, std::uint64_t& erased)
      : wrapping_transaction(std::move(below)), erased_(erased) {}
  bool erase(table t, std::string_view key) override {
    constexpr std::uint64_t one_in = 8;
    if (t == table::outbox && ++erased_ % one_in == 0) return below_->get(t, key).has_value();
    return below_->erase(t, key);
  }

 private:
  std::uint64_t& erased_;
};

class disk_that_clings final : public sick_disk {
 public:
  using sick_disk::sick_disk;
  std::unique_ptr<transaction> write() override { return std::make_unique<clinging_transaction>(below_->write(), erased_); }

 private:
  std::uint64_t erased_ = 0;
};

class denying_store final : public storage::wrapping_store {
 public:
  using wrapping_store::wrapping_store;
  bool may_have(table t, std::string_view prefix) const noexcept override {
    constexpr std::uint64_t one_in = 4;
    return ++asked_ % one_in != 0 && below_->may_have(t, prefix);
  }

 private:
  mutable std::uint64_t asked_ = 0;
};

}  // namespace

std::string_view name_of(canary c) noexcept { return names[static_cast<std::size_t>(c)].second; }

std::optional<canary> find_canary(std::string_view name) noexcept {
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.second == name; });
  return found == names.end() ? std::nullopt : std::optional(found->first);
}

std::vector<std::string> canary_names() {
  std::vector<std::string> all;
  all.reserve(names.size());
  for (const auto& n : names) all.emplace_back(n.second);
  return all;
}

bool concerns(canary c, const system_declaration& system) {
  return c != canary::deny_what_is_there ||
         std::any_of(system.contexts.begin(), system.contexts.end(), [](const auto& context) { return context.key_of != nullptr; });
}

std::shared_ptr<sick_disk> make_sick_disk(std::shared_ptr<store> below, canary c) {
  switch (c) {
    case canary::acknowledge_before_commit: return std::make_shared<disk_that_answers_too_soon>(std::move(below));
    case canary::consume_twice: return std::make_shared<disk_that_clings>(std::move(below));
    case canary::skip_compensation:
    case canary::deny_what_is_there: break;
  }
  return std::make_shared<sick_disk>(std::move(below));
}

std::shared_ptr<store> make_denying_store(std::shared_ptr<store> below) { return std::make_shared<denying_store>(std::move(below)); }

void break_rules(system_declaration& system, canary c) {
  if (c != canary::skip_compensation) return;
  constexpr std::array undos{std::string_view("void_payment"), std::string_view("void_pay"), std::string_view("return_gift")};
  for (auto& context : system.contexts)
    for (auto& handler : context.commands)
      if (std::find(undos.begin(), undos.end(), handler.type->name) != undos.end())
        handler.decide = [](const void*, const void*, const given&) -> result<outcome> { return nothing(); };
}

}  // namespace crema::sim
