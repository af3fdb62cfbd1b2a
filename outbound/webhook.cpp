#include "outbound/webhook.hpp"

#include <utility>

#include "behaviors/core/json.hpp"
#include "telemetry/log.hpp"

namespace crema::outbound {

namespace {

std::string body_of(const outgoing_notification& n) {
  std::string body = "{\"id\":";
  append_json_text(body, n.id);
  body += ",\"to\":";
  append_json_text(body, n.to);
  body += ",\"text\":";
  append_json_text(body, n.text);
  body += "}";
  return body;
}

void say(const std::string& id, const delivery_report& r) {
  if (r.is == delivery_report::verdict::delivered || r.reason.empty()) return;
  telemetry::log(telemetry::level::warn, "the webhook did not take a notification", {{"id", id}, {"reason", r.reason}});
}

}  // namespace

delivery_report report_of(const std::string& url, const answer& a) {
  using verdict = delivery_report::verdict;
  delivery_report r;
  r.retry_after = a.retry_after;
  http_exchange http;
  http.method = "POST";
  http.status = a.status;
  http.error = a.error;
  http.url = url;
  r.http = std::make_shared<const http_exchange>(std::move(http));
  if (a.status >= 200 && a.status < 300) {
    r.is = verdict::delivered;
    return r;
  }
  const bool for_good = a.status >= 400 && a.status < 500 && a.status != 408 && a.status != 425 && a.status != 429;
  r.is = for_good ? verdict::refused : verdict::try_again;
  r.reason = a.status != 0 ? "it answered " + std::to_string(a.status) : a.trouble;
  return r;
}

webhook_sink::webhook_sink(std::shared_ptr<client> by, const std::string& url, milliseconds timeout, const std::string& ca_file)
    : client_(std::move(by)) {
  check_url({"notify.webhookUrl", url});
  to_.url = url;
  to_.time_limit = to_.connect_limit = timeout;
  to_.trusted = std::make_shared<trust>("notify.webhookCaFile", ca_file);
}

void webhook_sink::deliver(outgoing_notification n, std::function<void(delivery_report)> done) {
  auto r = to_;
  r.body = body_of(n);
  r.headers = {"Idempotency-Key: " + n.id, "traceparent: " + to_traceparent(n.trace)};
  if (n.trace.state) r.headers.push_back("tracestate: " + *n.trace.state);
  client_->send(std::move(r), [id = std::move(n.id), url = to_.url, tell = std::move(done)](const answer& a) {
    auto report = report_of(url, a);
    say(id, report);
    tell(std::move(report));
  });
}

}  // namespace crema::outbound
