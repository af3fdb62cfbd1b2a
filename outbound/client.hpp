// Many HTTP exchanges under way at the same time, on one thread: for all that a node posts. Connections are kept and used again.
//
// Made by main.cpp and shared by the webhook and the exporter of spans. Limits: exchanges_max at a time; one more is answered at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "outbound/transfer.hpp"

namespace crema::outbound {

class client {
 public:
  static constexpr std::size_t exchanges_max = 4096;
  using answer_taker = std::function<void(const answer&)>;

  client();
  /// What is under way ends without an answer; what was to be called later is not. Never on the client's own thread.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Any thread. `done` is called once, by the client's thread, its destructor, or (beyond the limit) here. It must not throw or block.
  void send(request r, answer_taker done);
  /// Any thread. On the client's thread, not before `delay` is over; not at all where the client goes first.
  void call_after(milliseconds delay, std::function<void()> what);

 private:
  class loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace crema::outbound
