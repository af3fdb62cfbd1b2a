// One connection: reads a request, has it carried out, writes the answer, reads the next. Internal to http/.
//
// Problem: any number of slow, broken or hostile clients, answers that come from other threads or not at all, and a stop in
// which nobody may lose an answer. Solution: one request at a time per connection (what is pipelined behind it waits in the
// socket: back-pressure and order at once), one deadline for whatever it is doing, and one timer that is moved only when the
// deadline comes earlier than the timer does, so that a busy keep-alive connection never touches it.
//
// Everything runs on the session's loop. The pending watchdog or an operation of the socket owns the session.
#pragma once

#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "http/engine.hpp"
#include "http/parser.hpp"

namespace crema::http {

class session : public std::enable_shared_from_this<session> {
 public:
  session(std::shared_ptr<engine> e, tcp_socket socket);
  ~session();
  void start();
  /// Any thread.
  void drain();
  void close();

 private:
  /// How the reader knows where the body ends.
  enum class framing : std::uint8_t { length, chunked, end_of_connection };
  enum class phase : std::uint8_t { idle, reading, waiting, writing, streaming, stream_idle, lingering, closed };
  using error_code = boost::system::error_code;

  // session_reading.cpp
  void read_some();
  void on_bytes(const error_code& ec, std::size_t bytes);
  void parse();
  bool parse_step();       // true: go on parsing what is buffered
  bool header_complete();  // false: an answer or a 100 is on its way
  void write_continue();
  void protocol_error(problem p);
  void on_parse_error(const error_code& ec);
  void on_end_of_input();
  bool next_request();  // false: nothing buffered, waiting for it
  std::size_t buffer_bytes_max() const noexcept;

  // session_handling.cpp
  void handle();
  void look_at_peer();
  std::optional<response> refuse_for_load();
  void carry_out(action a);
  void ask(ask_plan plan);
  void run_in_background(background_plan plan);
  void operate(operation_plan plan);
  void on_answer(std::uint64_t turn, const command_answer& answer);
  void on_made(std::uint64_t turn, const make_response& make);
  void answer_waiting(response r);
  template <class Make>
  response guarded(Make make) {
    try {
      return make();
    } catch (const std::exception& e) { return failed(e); }
  }
  response failed(const std::exception& why);

  // session.cpp: writing
  void write(response r, framing f = framing::length);
  void encode(response r, coding as);
  void send(response r, framing f);
  void append_head(const response& r, framing f);
  void append_connection();
  void on_written(const error_code& ec);
  void account(unsigned status, std::uint64_t bytes);
  void record_span(unsigned status) const;
  http_exchange exchange_of(unsigned status) const;
  bool last_answer() const;  // the connection ends after this one
  void finish();             // half-close, then linger so that the client can read what was sent
  void linger();
  void hard_close();

  // session.cpp: the watchdog
  void set_deadline(steady::time_point at);
  void set_deadline_ms(std::uint32_t ms) { set_deadline(steady::now() + std::chrono::milliseconds(ms)); }
  void no_deadline() { set_deadline(steady::time_point::max()); }
  void arm(steady::time_point at);
  void on_watchdog();
  void expired();

  // stream.cpp
  void start_stream(stream_plan plan);
  void stream_step();
  std::optional<event_page> read_page(const event_query& query) const;
  void stream_page(std::optional<event_page> found);
  void write_piece(bool last);
  void on_piece_written(const error_code& ec, bool last);
  void stream_sleep();
  void stream_end();
  void leave_stream();
  void watch_peer();
  void wake();

  std::shared_ptr<engine> engine_;  // first: outlives the socket
  tcp_socket socket_;
  timer timer_;
  boost::beast::flat_buffer buffer_;
  request request_;
  std::optional<request_parser> parser_;
  std::optional<ask_plan> plan_;

  phase phase_ = phase::idle;
  bool armed_ = false;
  bool keep_alive_ = true;
  bool closing_ = false;  // the present answer is the last
  bool read_pending_ = false;
  bool input_ended_ = false;       // the client has half-closed
  bool counted_ = false;           // in engine_->in_flight
  std::size_t message_bytes_ = 0;  // of the present header, consumed so far
  std::uint64_t turn_ = 0;         // which request a late answer belongs to
  std::uint64_t timer_turn_ = 0;
  steady::time_point deadline_, armed_until_, started_;
  std::uint64_t id_state_;                     // of the generator for span and trace ids
  std::array<std::uint8_t, 8> caller_span_{};  // of the present request; all zero: it brought no trace

  std::string head_, body_;
  const mounts::mount* at_ = nullptr;  // the system that the present request is for; none: above them
  route_id route_ = 0;                 // in engine_->systems.templates()
  unsigned status_ = 0;

  struct stream_state {
    stream_plan plan;
    std::unique_ptr<subscription> wakes;
    std::shared_ptr<std::atomic<bool>> woken = std::make_shared<std::atomic<bool>>(false);
    bool chunked = true;
    bool head_sent = false;
    bool heartbeat_due = false;
    bool behind = false;  // the page before was not the last one
    std::uint64_t bytes = 0;
  };
  std::unique_ptr<stream_state> stream_;
};

}  // namespace crema::http
