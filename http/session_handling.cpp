// The part of a session that has a request carried out and takes the answer.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "http/ids.hpp"
#include "http/session.hpp"
#include "telemetry/log.hpp"

namespace crema::http {

void session::look_at_peer() {
  request_.now = wall_clock();
  read_forwarded(request_, engine_->trusted);
  caller_span_ = {};
  if (auto sent = parse_traceparent(request_.traceparent)) {
    request_.trace = std::move(*sent);
    request_.trace.state = parse_tracestate(request_.tracestate);
    caller_span_ = sent->span_id;
    fill_id(request_.trace.span_id, id_state_);  // the trace goes on with a step of ours
  } else {
    request_.trace = new_trace(id_state_);
    const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(started_.time_since_epoch()).count();
    request_.trace.sampled = engine_->sampler.take(next_random(id_state_), static_cast<std::uint32_t>(now_s));
  }
}

response session::failed(const std::exception& why) {
  telemetry::log(telemetry::level::error, "a request failed", {{"what", why.what()}, {"trace", trace_id_text(request_.trace)}});
  return render(problem{problem_code::internal, {}}, request_);
}

void session::handle() {
  started_ = steady::now();
  keep_alive_ = parser_->keep_alive();
  route_ = id_of(fixed_route::unmatched);
  look_at_peer();
  at_ = engine_->systems.find(request_.target);
  if (auto refused = refuse_for_load()) return write(std::move(*refused));
  if (auto allowed = engine_->cross_origin.preflight(request_)) return write(std::move(*allowed));
  action todo;
  auto failed = guarded([&]() -> response {
    todo = at_ != nullptr ? at_->routes.route(request_) : engine_->systems.route_above(request_);
    return {0, {}, {}, {}, false};
  });
  if (failed.status != 0) return write(std::move(failed));
  carry_out(std::move(todo));
}

std::optional<response> session::refuse_for_load() {
  auto& limiter = engine_->limiter;
  if (!limiter.on()) return std::nullopt;
  const auto prefix_size = at_ != nullptr ? at_->routes.prefix().size() : 0;
  if (request_.path().substr(prefix_size).starts_with("/actuator/")) return std::nullopt;  // probes must get through
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(started_.time_since_epoch()).count();
  const auto verdict = limiter.take(client_address(request_, engine_->trusted), now_ms);
  if (verdict.allowed) return std::nullopt;
  engine_->metrics.rate_limited.add();
  problem p{problem_code::too_many_requests, {}, {}, std::max<std::int64_t>(1, verdict.retry_after_ms)};
  auto answer = render(p, request_);
  answer.header("RateLimit-Limit", std::to_string(verdict.limit));
  answer.header("RateLimit-Remaining", std::to_string(verdict.remaining));
  answer.header("RateLimit-Reset", std::to_string((verdict.reset_ms + 999) / 1000));
  return answer;
}

void session::carry_out(action a) {
  route_ = static_cast<route_id>((at_ != nullptr ? at_->first_route : 0) + a.route);
  if (auto* ready = std::get_if<response>(&a.what)) return write(std::move(*ready));
  if (auto* stream = std::get_if<stream_plan>(&a.what)) return start_stream(std::move(*stream));
  if (!engine::enter(engine_->in_flight, engine_->settings.in_flight_max))
    return write(render(problem{problem_code::overloaded, "Too many requests wait for their answers.", {}, 1000}, request_));
  counted_ = true;
  engine_->metrics.in_flight.add(1);
  phase_ = phase::waiting;
  ++turn_;
  if (auto* plan = std::get_if<ask_plan>(&a.what)) return ask(std::move(*plan));
  no_deadline();
  if (auto* plan = std::get_if<background_plan>(&a.what)) return run_in_background(std::move(*plan));
  operate(std::move(std::get<operation_plan>(a.what)));
}

void session::ask(ask_plan plan) {
  set_deadline_ms(engine_->settings.request_time_limit_ms + 1000);
  auto command = std::move(plan.command);
  plan_.emplace(std::move(plan));
  // Weak: the runtime may keep the handler for longer than this server exists.
  auto handler = [weak = weak_from_this(), turn = turn_](command_answer answer) {
    if (const auto self = weak.lock())
      net::post(self->socket_.get_executor(), [weak, turn, answer = std::move(answer)] {
        if (const auto s = weak.lock()) s->on_answer(turn, answer);
      });
  };
  auto failed = guarded([&]() -> response {
    at_->door.ask(std::move(command), std::move(handler));
    return {0, {}, {}, {}, false};
  });
  if (failed.status != 0) answer_waiting(std::move(failed));
}

void session::run_in_background(background_plan plan) {
  net::post(*engine_->slow, [self = shared_from_this(), turn = turn_, run = std::move(plan.run)] {
    auto made = self->guarded(run);
    net::post(self->socket_.get_executor(), [self, turn, made = std::move(made)]() mutable {
      if (turn == self->turn_ && self->phase_ == phase::waiting) self->answer_waiting(std::move(made));
    });
  });
}

void session::operate(operation_plan plan) {
  auto done = [weak = weak_from_this(), turn = turn_](make_response make) {
    if (const auto self = weak.lock())
      net::post(self->socket_.get_executor(), [weak, turn, make = std::move(make)] {
        if (const auto s = weak.lock()) s->on_made(turn, make);
      });
  };
  auto failed = guarded([&]() -> response {
    plan.start(std::move(done));
    return {0, {}, {}, {}, false};
  });
  if (failed.status != 0) answer_waiting(std::move(failed));
}

void session::on_answer(std::uint64_t turn, const command_answer& answer) {
  if (turn != turn_ || phase_ != phase::waiting) return;  // too late: the client was told that the outcome is unknown
  answer_waiting(guarded([&] { return at_->routes.answered(request_, *plan_, answer); }));
}

void session::on_made(std::uint64_t turn, const make_response& make) {
  if (turn == turn_ && phase_ == phase::waiting) answer_waiting(guarded([&] { return make(request_); }));
}

void session::answer_waiting(response r) {
  if (std::exchange(counted_, false)) {
    engine_->in_flight.fetch_sub(1, std::memory_order_relaxed);
    engine_->metrics.in_flight.add(-1);
  }
  ++turn_;
  write(std::move(r));
}

}  // namespace crema::http
