#include "tests/sim/transport.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "http/feed.hpp"
#include "http/forwarded.hpp"
#include "http/header_rules.hpp"
#include "http/ids.hpp"
#include "http/parser.hpp"
#include "http/problem.hpp"
#include "http/representation.hpp"

namespace crema::sim {

using namespace http;

namespace {

void answer(exchange& x, const std::function<response()>& make, bool granted) {
  ++x.answers;
  if (x.cut)
    x.granted_after_cut = x.granted_after_cut || granted;
  else
    validate(x.answer.emplace(make()), x.request, x.kept);
}

bool parse(std::string_view bytes, request& into, const server_settings& limits) {
  request_parser parser(into, limits.uri_bytes_max, limits.body_bytes_max, limits.header_bytes_max);
  parser.eager(true);
  boost::beast::error_code ec;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  return !ec && parser.is_done() && !check_header(into, parser.chunked());
}

}  // namespace

transport::transport(front_door& door, const actors::clock& time, std::uint64_t seed)
    : door_(door), time_(time), systems_(settings_, {{"", &door}}), id_state_(seed) {}

transport::~transport() {
  for (const auto& x : open_) x->cut = true;
}

exchange_ptr transport::send(std::string_view bytes) {
  auto x = std::make_shared<exchange>();
  std::erase_if(open_, [](const auto& o) { return o->answers > 0; });
  open_.push_back(x);
  auto& r = x->request;
  r.remote_address = "127.0.0.1";
  r.local_authority = "127.0.0.1:8080";
  if (!parse(bytes, r, settings_)) {
    answer(
        *x,
        [&] {
          return render(problem{problem_code::bad_request, "The request cannot be read."}, r);
        },
        false);
    return x;
  }
  r.now = time_.wall();
  read_forwarded(r, address_list({}));
  if (auto sent = parse_traceparent(r.traceparent)) {
    r.trace = *sent;
    fill_id(r.trace.span_id, id_state_);
  } else {
    r.trace = new_trace(id_state_);
  }
  carry_out(x, systems_.find(r.target)->routes.route(r));
  return x;
}

void transport::carry_out(const exchange_ptr& x, action todo) {
  x->kept = systems_.keeping_of(todo.route).kept && !std::holds_alternative<stream_plan>(todo.what);
  if (auto* plan = std::get_if<ask_plan>(&todo.what)) return ask(x, std::move(*plan));
  if (auto* plan = std::get_if<operation_plan>(&todo.what)) return operate(x, *plan);
  answer(
      *x,
      [&]() -> response {
        if (auto* ready = std::get_if<response>(&todo.what)) return std::move(*ready);
        if (auto* plan = std::get_if<background_plan>(&todo.what)) return plan->run();
        return whole_stream(std::get<stream_plan>(todo.what));
      },
      false);
}

void transport::ask(const exchange_ptr& x, ask_plan plan) {
  auto command = plan.command;
  x->plan.emplace(std::move(plan));
  const auto* routes = &systems_.find(x->request.target)->routes;
  door_.ask(std::move(command), [x, routes](const command_answer& a) {
    answer(
        *x, [&] { return routes->answered(x->request, *x->plan, a); }, !a.refused);
  });
}

void transport::operate(const exchange_ptr& x, const operation_plan& plan) {
  plan.start([x](const make_response& make) {
    answer(
        *x, [&] { return make(x->request); }, false);
  });
}

// Page after page up to the end, as a client sees it that does not follow.
response transport::whole_stream(stream_plan plan) const {
  response r{200, plan.sse ? content::sse : content::ndjson, {}, {}, false};
  if (!plan.lost.empty()) append_feed_reset(r.body, door_, plan.lost);
  for (bool at_end = !plan.lost.empty(); !at_end;) {
    const auto found = door_.events(plan.query);
    for (const auto& e : found.events) append_feed_entry(r.body, door_, e, plan.sse);
    plan.query.from = found.next;
    at_end = found.at_end;
  }
  return r;
}

}  // namespace crema::sim
