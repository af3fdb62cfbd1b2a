// Bytes from a client through parser, router and a made-up front door: whatever comes, there is one whole answer.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tests/fuzz/require.hpp"
#include "tests/http/fake_front_door.hpp"
#include "tests/sim/transport.hpp"
#include "tests/support/fixed_clock.hpp"

using namespace crema;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fake::door door;
  static const testing::fixed_clock time;
  static sim::transport transport(door, time, 1);
  door.rows.clear();
  door.log.clear();
  door.asked.clear();
  door.put("010", 2);
  const auto x = transport.send({reinterpret_cast<const char*>(data), size});
  fuzz::require(x->answers == 1 && x->answer.has_value(), "there is one answer");
  const auto& r = *x->answer;
  fuzz::require(r.status >= 200 && r.status < 600, "its status is one of HTTP");
  const bool is_json =
      r.content_type == http::content::hal || r.content_type == http::content::json || r.content_type == http::content::problem;
  if (is_json && !r.body.empty()) fuzz::require(nlohmann::json::accept(r.body), "its body is JSON");
  fuzz::require(r.headers.empty() || r.headers.ends_with("\r\n"), "its headers are whole lines");
  return 0;
}
