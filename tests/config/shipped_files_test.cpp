// The files under config/ are what a newcomer starts with: each must load, and the drills must say what their authors used.
#include <catch2/catch.hpp>
#include <filesystem>

#include "behaviors/systems.hpp"
#include "config/load.hpp"
#include "tests/support/source_directory.hpp"

namespace crema::config {
namespace {

std::filesystem::path shipped() { return source_directory() / "config"; }

// "hotel-breaker.json" is for the hotel.
registry settings_for(const std::filesystem::path& file) {
  const auto name = file.stem().string();
  auto r = runtime_settings();
  add_system(r, find_system(name.substr(0, name.find('-'))));
  return r;
}

values load_shipped(const std::string& name) { return load(settings_for(name), {shipped() / name, {}, {}}); }

TEST_CASE("shipped files: each one loads") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shipped())) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().string());
    CHECK_NOTHROW(load_shipped(entry.path().filename().string()));
    ++files;
  }
  CHECK(files >= 6);
}

TEST_CASE("shipped files: the cafeteria starts where the contract says") {
  const auto v = load_shipped("cafeteria.json");
  CHECK(v.get_text("http.listen") == "127.0.0.1:8080");
  CHECK(v.get_text("data.directory") == "./data");
}

TEST_CASE("shipped files: the breaker drill has its authors' figures") {
  const auto v = load_shipped("cafeteria-breaker.json");
  CHECK(v.get_int("payment.slow.minMs") == 400);
  CHECK(v.get_int("payment.slow.maxMs") == 620);
  CHECK(v.get_int("payment.bulkhead.callTimeoutMs") == 610);
  CHECK(v.get_int("payment.bulkhead.windowMs") == 10000);
  CHECK(v.get_int("payment.bulkhead.windowCallsMin") == 20);
  CHECK(v.get_int("payment.bulkhead.failureRatePercent") == 30);
  CHECK(v.get_int("payment.bulkhead.openMs") == 5000);
}

}  // namespace
}  // namespace crema::config
