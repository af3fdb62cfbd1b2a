#include "http/webhook.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <utility>

#include "behaviors/core/json.hpp"
#include "http/post.hpp"
#include "telemetry/log.hpp"

namespace crema::http {

namespace {

namespace asio = boost::asio;

std::string body_of(const std::string& id, const notification& n) {
  std::string body = "{\"id\":";
  append_json_text(body, id);
  body += ",\"to\":";
  append_json_text(body, n.to);
  body += ",\"text\":";
  append_json_text(body, n.text);
  body += "}";
  return body;
}

bool was_taken(const std::string& id, const post_answer& a) {
  if (a.status >= 200 && a.status < 300) return true;
  const auto why = a.status != 0 ? "it answered " + std::to_string(a.status) : a.trouble;
  if (!why.empty()) telemetry::log(telemetry::level::warn, "the webhook did not take a notification", {{"id", id}, {"reason", why}});
  return false;
}

}  // namespace

class webhook_sink::worker {
 public:
  worker(post_target to, std::chrono::milliseconds timeout)
      : to_(std::move(to)), timeout_(timeout), work_(io_.get_executor()), thread_([this] { io_.run(); }) {}
  ~worker() {
    // What was not finished is destroyed with io_, and says "not delivered" on this thread.
    io_.stop();
    thread_.join();
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void deliver(const std::string& id, const notification& n, std::function<void(bool)> done) {
    if (tries_.fetch_add(1) >= tries_max) {
      --tries_;
      done(false);
      return;
    }
    auto request = make_post(to_, body_of(id, n));
    request.set("Idempotency-Key", id);
    auto finished = [this, id, tell = std::move(done)](const post_answer& a) {
      --tries_;
      tell(was_taken(id, a));
    };
    post(io_, to_, std::move(request), timeout_, std::move(finished));
  }

 private:
  const post_target to_;
  const std::chrono::milliseconds timeout_;
  std::atomic<std::size_t> tries_{0};
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

webhook_sink::webhook_sink(const std::string& url, std::chrono::milliseconds timeout, const std::string& ca_file)
    : worker_(std::make_unique<worker>(parse_post_target({"notify.webhookUrl", url}, {"notify.webhookCaFile", ca_file}), timeout)) {}
webhook_sink::~webhook_sink() = default;

void webhook_sink::deliver(const std::string& id, const notification& n, std::function<void(bool delivered)> done) {
  worker_->deliver(id, n, std::move(done));
}

}  // namespace crema::http
