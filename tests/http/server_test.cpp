// The server on real sockets, with a front door in memory.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <future>

#include "http/server.hpp"
#include "tests/http/fake_front_door.hpp"

using namespace crema;
using namespace crema::http;

namespace {

class client {
 public:
  explicit client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~client() { ::close(socket_); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view text) { (void)::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void half_close() { ::shutdown(socket_, SHUT_WR); }

  /// Reads until `text` has come `times` times; false: closed or 5 s have passed.
  bool until(std::string_view text, int times = 1) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (count(text) < times) {
      if (!more(deadline)) return false;
    }
    return true;
  }
  /// Reads to the end; false: it did not come within 5 s.
  bool until_closed() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (more(deadline)) {}
    return ended_;
  }
  int count(std::string_view text) const {
    int n = 0;
    for (auto at = seen.find(text); at != std::string::npos; at = seen.find(text, at + 1)) ++n;
    return n;
  }
  std::string seen;

 private:
  bool more(std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd p{socket_, POLLIN, 0};
    if (left <= 0 || ::poll(&p, 1, static_cast<int>(left)) <= 0) return false;
    char bytes[4096];
    const auto n = ::recv(socket_, bytes, sizeof bytes, 0);
    if (n <= 0) return (ended_ = true, false);
    seen.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  int socket_;
  bool connected_ = false, ended_ = false;
};

struct running {
  telemetry::metrics metrics;  // before the door, whose threads may hold a session for a moment longer than the server does
  fake::door door;
  server_settings settings;
  std::optional<server> it;

  running() {
    settings.listen_port = 0;
    settings.request_read_timeout_ms = 300;
    settings.drain_idle_ms = 50;
  }
  std::uint16_t start(std::optional<int> inherited = {}) {
    it.emplace(settings, std::vector<mounted>{{"", &door}}, metrics);
    it->start(inherited);
    return it->port();
  }
};

/// Shared with the handler: the server may still be calling it when the test ends.
std::future<void> drain(running& s) {
  auto drained = std::make_shared<std::promise<void>>();
  s.it->drain([drained] { drained->set_value(); });
  return drained->get_future();
}

std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}
std::string post(std::string_view body, std::string_view headers = "") {
  return "POST /cups HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}
constexpr std::string_view order = R"({"phoneNumber":"010","qty":2})";

}  // namespace

TEST_CASE("server: pipelined requests are answered in their order") {
  running s;
  s.door.how = fake::door::mode::on_thread;
  client c(s.start());
  c.send(post(order) + get("/cups/1") + get("/nothing") + get("/cups", "Connection: close\r\n"));
  REQUIRE(c.until_closed());
  const auto created = c.seen.find("201 Created"), read = c.seen.find("200 OK"), missing = c.seen.find("404 Not Found");
  REQUIRE(created != std::string::npos);
  CHECK(created < read);
  CHECK(read < missing);
  CHECK(c.count("HTTP/1.1 ") == 4);
  CHECK(c.count("\r\ntraceparent: 00-") == 4);
  CHECK(c.count("Connection: close") == 1);
}

TEST_CASE("server: HTTP/1.0, HEAD and a traceparent") {
  running s;
  const auto port = s.start();
  client old(port);
  old.send("GET /cups HTTP/1.0\r\n\r\n");
  REQUIRE(old.until_closed());
  CHECK(old.seen.find("http://127.0.0.1:" + std::to_string(port) + "/cups") != std::string::npos);  // no Host
  client c(port);
  c.send("HEAD /cups HTTP/1.1\r\nHost: h\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n" +
         get("/nothing", "Connection: close\r\n"));
  REQUIRE(c.until_closed());
  CHECK(c.count("_embedded") == 0);
  CHECK(c.count("traceparent: 00-0af7651916cd43dd8448eb211c80319c-") == 1);
}

TEST_CASE("server: a slow request gets 408 however its bytes drip, and garbage gets 400") {
  running s;
  const auto port = s.start();
  client slow(port);
  slow.send("GET / HTTP/1.1\r\nHost: h\r\nX-A: ");
  const auto started = std::chrono::steady_clock::now();
  while (slow.count("408") == 0 && std::chrono::steady_clock::now() - started < std::chrono::seconds(3)) {
    slow.send("a");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the client's slowness, not a wait for a result
    if (std::chrono::steady_clock::now() - started > std::chrono::milliseconds(400)) break;
  }
  CHECK(slow.until("408 Request Timeout"));
  client garbage(port);
  garbage.send("\x16\x03\x01 hello\r\n\r\n");
  CHECK(garbage.until("400 Bad Request"));
  garbage.half_close();
  CHECK(garbage.until_closed());
  client smuggler(port);
  smuggler.send("POST /cups HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  smuggler.half_close();
  CHECK(smuggler.until_closed());
  CHECK(smuggler.count("HTTP/1.1 501 Not Implemented") == 1);
  CHECK(smuggler.count("HTTP/1.1 ") == 1);
}

TEST_CASE("server: a large answer is compressed elsewhere, in its order, and a client that leaves meanwhile harms nobody") {
  running s;
  s.settings.page_size_max = 2000;
  for (int i = 0; i < 2000; ++i) s.door.put("010", i);
  client c(s.start());
  const std::string gzip = "Accept-Encoding: gzip\r\n";
  c.send(get("/cups?size=2000", gzip) + get("/cups/1", gzip) + get("/cups?size=20", gzip) + get("/nothing", "Connection: close\r\n"));
  REQUIRE(c.until_closed());
  CHECK(c.count("Content-Encoding: gzip\r\n") == 2);
  CHECK(c.count("-gzip\"\r\n") == 2);
  CHECK(c.count("HTTP/1.1 200 OK") == 3);
  CHECK(c.seen.rfind("404 Not Found") > c.seen.rfind("200 OK"));
  CHECK(c.seen.size() < 60000);  // plain, it is ten times that
  {
    client gone(s.it->port());
    gone.send(get("/cups?size=2000", gzip));
  }
  client again(s.it->port());
  again.send(get("/cups/1"));
  CHECK(again.until("200 OK"));
}

TEST_CASE("server: a listed origin's page may read what it gets, streams and refusals too, and is let through before any token") {
  running s;
  s.settings.cors_origins = {"https://shop.example"};
  s.settings.management_token = "secret";
  client c(s.start());
  const std::string origin = "Origin: https://shop.example\r\n";
  c.send(get("/cups", origin) + get("/nothing", origin) + get("/events", origin) +
         "OPTIONS /actuator/contexts HTTP/1.1\r\nHost: h\r\nAccess-Control-Request-Method: GET\r\n" + origin + "\r\n" +
         get("/cups", "Origin: https://other.example\r\nConnection: close\r\n"));
  REQUIRE(c.until_closed());
  CHECK(c.count("Access-Control-Allow-Origin: https://shop.example\r\n") == 4);
  CHECK(c.count("HTTP/1.1 204 No Content\r\n") == 1);
  CHECK(c.count("Access-Control-Allow-Methods: ") == 1);
  CHECK(c.count("Vary: Origin\r\n") == 5);
}

TEST_CASE("server: HEAD of a stream is its head and nothing else, and takes up no place of a stream") {
  running s;
  s.settings.event_streams_max = 1;
  s.door.put("010", 1);
  client c(s.start());
  const std::string head = "HEAD /events HTTP/1.1\r\nHost: h\r\n";
  c.send(head + "\r\n" + head + "Accept: text/event-stream\r\n\r\n" + get("/events", "Connection: close\r\n"));
  REQUIRE(c.until_closed());
  CHECK(c.count("HTTP/1.1 200 OK") == 3);
  CHECK(c.count("Transfer-Encoding: chunked\r\n") == 3);
  CHECK(c.count("Content-Length") == 0);
  CHECK(c.count("Content-Type: text/event-stream\r\n") == 1);
  CHECK(c.count("CupPlaced") == 1);
  client old(s.it->port());
  old.send("HEAD /events HTTP/1.0\r\n\r\n");
  REQUIRE(old.until_closed());
  CHECK(old.count("Transfer-Encoding") == 0);
}

TEST_CASE("server: a silent stream shows signs of life, an NDJSON one by empty lines") {
  running s;
  s.settings.event_heartbeat_ms = 20;
  const auto port = s.start();
  client lines(port), live(port);
  lines.send(get("/events?follow=true"));
  live.send(get("/events", "Accept: text/event-stream\r\n"));
  CHECK(lines.until("1\r\n\n\r\n", 2));
  CHECK(live.until(": heartbeat\n\n", 2));
  s.door.put("010", 1);
  CHECK(lines.until("CupPlaced"));
}

TEST_CASE("server: limits of size") {
  running s;
  const auto port = s.start();
  const auto first_line = [&](const std::string& text) {
    client c(port);
    c.send(text);
    c.until("\r\n\r\n");
    return c.seen.substr(0, c.seen.find("\r\n"));
  };
  CHECK(first_line("POST /cups HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n") ==
        "HTTP/1.1 413 Payload Too Large");
  CHECK(first_line(post(std::string(70000, 'x'))) == "HTTP/1.1 413 Payload Too Large");
  CHECK(first_line("POST /cups HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n11171\r\n" + std::string(70001, 'x')) ==
        "HTTP/1.1 413 Payload Too Large");
  CHECK(first_line(get("/", "X: " + std::string(9000, 'x') + "\r\n")) == "HTTP/1.1 431 Request Header Fields Too Large");
  std::string many;
  for (int i = 0; i < 900; ++i) many += "X: abcdef\r\n";
  CHECK(first_line(get("/", many)) == "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK(first_line(get("/" + std::string(5000, 'x'))) == "HTTP/1.1 414 URI Too Long");
  CHECK(first_line(get("/" + std::string(20000, 'x'))) == "HTTP/1.1 414 URI Too Long");
}

TEST_CASE("server: chunked bodies, 100-continue, half-closed clients") {
  running s;
  const auto port = s.start();
  client chunked(port);
  chunked.send("POST /cups HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"pho\r\n");
  chunked.send("18\r\nneNumber\":\"010\",\"qty\":2}\r\n0\r\n\r\n");
  CHECK(chunked.until("201 Created"));
  client polite(port);
  polite.send("POST /cups HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(order.size()) + "\r\n\r\n");
  REQUIRE(polite.until("100 Continue\r\n\r\n"));
  polite.send(order);
  CHECK(polite.until("201 Created"));
  client half(port);
  half.send(post(order) + get("/cups/1"));
  half.half_close();
  CHECK(half.until_closed());
  CHECK(half.count("HTTP/1.1 20") == 2);
}

TEST_CASE("server: an answer that does not come is an unknown outcome, and a late one is dropped") {
  running s;
  s.settings.request_time_limit_ms = 1;
  s.door.how = fake::door::mode::hold;
  client c(s.start());
  c.send(post(order));
  REQUIRE(c.until("outcome-unknown"));
  CHECK(c.seen.find("503 Service Unavailable") != std::string::npos);
  s.door.release();
  c.half_close();
  CHECK(c.until_closed());
  CHECK(c.count("HTTP/1.1") == 1);
  {
    running gone;
    gone.door.how = fake::door::mode::hold;
    client late(gone.start());
    late.send(post(order));
    REQUIRE(gone.door.wait_held(1));
    gone.it.reset();
    gone.door.release();  // the server is no more
  }
}

TEST_CASE("server: one connection too many gets 503") {
  running s;
  s.settings.connections_max = 1;
  const auto port = s.start();
  client first(port);
  first.send(get("/cups"));
  REQUIRE(first.until("200 OK"));
  client second(port);
  CHECK(second.until("503 Service Unavailable"));
  CHECK(second.until_closed());
}

TEST_CASE("server: in-flight and rate limits refuse at once") {
  running s;
  s.settings.in_flight_max = 1;
  s.settings.rate_requests_per_s = 0.001;
  s.settings.rate_burst = 3;
  s.door.how = fake::door::mode::hold;
  const auto port = s.start();
  client a(port), b(port), c(port);
  a.send(post(order));
  REQUIRE(s.door.wait_held(1));
  b.send(post(order));
  REQUIRE(b.until("Retry-After: 1\r\n"));
  CHECK(b.seen.find("503") != std::string::npos);
  c.send(get("/cups") + get("/cups") + get("/actuator/health"));
  REQUIRE(c.until("\"UP\""));
  CHECK(c.seen.find("429 Too Many Requests") != std::string::npos);
  CHECK(c.seen.find("RateLimit-Limit: 3\r\n") != std::string::npos);
  s.door.release();
  CHECK(a.until("201 Created"));
}

TEST_CASE("server: a drain answers what is in flight, closes what is idle, and says when it is done") {
  running s;
  s.door.how = fake::door::mode::hold;
  s.settings.request_read_timeout_ms = 3000;
  const auto port = s.start();
  client waiting(port), idle(port), half_sent(port);
  idle.send(get("/cups"));
  REQUIRE(idle.until("200 OK"));
  half_sent.send("GET /cups HTTP/1.1\r\nHo");
  waiting.send(post(order) + get("/cups/1"));  // the second is pipelined behind the one in flight
  REQUIRE(s.door.wait_held(1));
  const auto done = drain(s);
  REQUIRE(idle.until_closed());
  CHECK(done.wait_for(std::chrono::milliseconds(0)) == std::future_status::timeout);
  CHECK_FALSE(client(port).connected());
  s.door.release();
  REQUIRE(waiting.until_closed());
  CHECK(waiting.count("HTTP/1.1 20") == 2);
  CHECK(waiting.count("Connection: close") == 1);
  half_sent.send("st: h\r\n\r\n");
  REQUIRE(half_sent.until_closed());
  INFO(half_sent.seen);
  CHECK(half_sent.count("HTTP/1.1 200") == 1);
  waiting.half_close(), idle.half_close(), half_sent.half_close();
  CHECK(done.wait_for(std::chrono::seconds(5)) == std::future_status::ready);
}

TEST_CASE("server: a drain that cannot end in time ends at its limit") {
  running s;
  s.door.how = fake::door::mode::hold;
  s.settings.drain_limit_ms = 100;
  client c(s.start());
  c.send(post(order));
  REQUIRE(s.door.wait_held(1));
  CHECK(drain(s).wait_for(std::chrono::seconds(5)) == std::future_status::ready);
}

TEST_CASE("server: an inherited socket keeps its queue for the successor") {
  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
  REQUIRE(::bind(listening, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::listen(listening, 16) == 0);
  running first, second;
  const auto port = first.start(::dup(listening));
  client a(port);
  a.send(get("/cups"));
  REQUIRE(a.until("200 OK"));
  const auto drained = drain(first);
  REQUIRE(a.until_closed());
  a.half_close();
  // Less than the two seconds for which a connection lingers when its client does not close.
  REQUIRE(drained.wait_for(std::chrono::milliseconds(1500)) == std::future_status::ready);
  client b(port);
  REQUIRE(b.connected());  // nobody accepts at present; it waits
  b.send(get("/cups"));
  CHECK(second.start(::dup(listening)) == port);
  CHECK(b.until("200 OK"));
  ::close(listening);
}

TEST_CASE("server: NDJSON ends at the end, SSE follows and resumes") {
  running s;
  for (int i = 0; i < 250; ++i) s.door.put("010", i);  // three pages
  const auto port = s.start();
  client lines(port);
  lines.send(get("/events") + get("/cups/3/events", "Connection: close\r\n"));
  REQUIRE(lines.until_closed());
  CHECK(lines.count("\"eventType\":\"CupPlaced\"") == 251);
  client live(port);
  live.send(get("/events", "Accept: text/event-stream\r\nLast-Event-ID: 248\r\n"));
  REQUIRE(live.until("id: 00000000000feed1-250\n"));
  CHECK(live.count("-248\n") == 0);
  CHECK(live.count("-249\n") == 1);
  CHECK(live.count("Crema-History: 00000000000feed1\r\n") == 1);
  s.door.put("010", 1);
  REQUIRE(live.until("id: 00000000000feed1-251\ndata: {\"eventType\""));
  client lost(port);
  lost.send(get("/events", "Accept: text/event-stream\r\nLast-Event-ID: 5170\r\n"));
  REQUIRE(lost.until_closed());
  CHECK(lost.count("event: reset\ndata: {\"reason\":\"The offset 5170 is ahead of the end") == 1);
  CHECK(lost.count("eventType") == 0);
  CHECK(lost.seen.ends_with("0\r\n\r\n"));
  const auto drained = drain(s);
  REQUIRE(live.until_closed());
  CHECK(live.seen.ends_with("0\r\n\r\n"));
}

// Connections are dealt to the loops by the first one: as long as it may do that, the others must not have ended. What is posted to one
// that has ended stays there, and holds the server.
TEST_CASE("server: stopped while connections wait to be let in, it lets go of every one") {
  constexpr std::chrono::seconds patience{5};
  running s;
  std::promise<void> asked, go_on;
  s.door.on_ask = [&] {
    asked.set_value();
    go_on.get_future().wait_for(patience);
  };
  const auto port = s.start();
  client busy(port);
  busy.send(post(order));
  REQUIRE(asked.get_future().wait_for(patience) == std::future_status::ready);  // on the first loop, which does nothing else now
  client one(port), another(port);                                              // one for each loop
  const auto drained = drain(s);
  auto stopped = std::async(std::launch::async, [&] { s.it->stop(); });
  CHECK(stopped.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
  go_on.set_value();
  REQUIRE(stopped.wait_for(patience) == std::future_status::ready);
  s.it.reset();
  CHECK(s.metrics.text().find("crema_http_connections 0\n") != std::string::npos);
}

namespace {

/// Readers of a history that leads far back: from their second page on they wait here.
class held_readers {
 public:
  explicit held_readers(running& s) {
    s.settings.threads = 1;
    const auto id = s.door.put("010", 1);
    for (int i = 0; i < 500; ++i) s.door.log.push_back({s.door.log.size() + 1, 0, id, timestamp{}, {}, s.door.log[0].event});
    s.door.on_events = [this](const event_query& q) {
      if (q.from < 2) return;
      ++pages_;
      arrived_.set();
      go_.wait();
    };
  }
  bool wait_arrived() { return arrived_.wait(); }
  void release() { go_.set(); }
  int pages() const { return pages_; }

 private:
  class latch {
   public:
    void set() {
      const std::lock_guard lock(mutex_);
      is_set_ = true;
      changed_.notify_all();
    }
    bool wait() {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return is_set_; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_set_ = false;
  };
  latch arrived_, go_;
  std::atomic<int> pages_ = 0;
};

}  // namespace

TEST_CASE("server: given readers of a long history, then others on their io thread are answered meanwhile") {
  running s;
  held_readers held(s);
  const auto port = s.start();
  client first(port), second(port), other(port);
  first.send(get("/cups/1/events"));
  second.send(get("/cups/1/events"));
  REQUIRE(held.wait_arrived());
  other.send(get("/cups/1"));
  CHECK(other.until("HTTP/1.1 200"));
  held.release();
  CHECK(first.until("\r\n0\r\n\r\n"));
  CHECK(second.until("\r\n0\r\n\r\n"));
  CHECK(first.count("CupPlaced") == 501);
  CHECK(second.count("CupPlaced") == 501);
}

TEST_CASE("server: given a reader of a long history that goes, then its history is not read on") {
  running s;
  held_readers held(s);
  const auto port = s.start();
  {
    client gone(port);
    gone.send(get("/cups/1/events", "Accept: text/event-stream\r\n"));
    REQUIRE(held.wait_arrived());
  }
  client other(port);
  const auto streams_left = [&] { return s.metrics.text().find("crema_http_event_streams 0") == std::string::npos; };
  for (int asked = 1; streams_left() && asked < 5000; ++asked) {
    other.send(get("/cups/1"));
    REQUIRE(other.until("HTTP/1.1 200", asked));
  }
  CHECK_FALSE(streams_left());
  held.release();
  s.it->stop();
  CHECK(held.pages() == 1);
}
