// POSTs to https:// servers of our own on sockets of this machine: who is believed, and what is said where nobody is.
#include "http/tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>

#include "http/post.hpp"
#include "tests/http/receiver.hpp"
#include "tests/support/certificates.hpp"

namespace {

using namespace crema;
using std::chrono::milliseconds;

constexpr milliseconds patience{10000};
const std::deque<std::string> no_content{"HTTP/1.1 204 No Content\r\n\r\n"};

http::post_answer post_to(const std::string& url, const std::string& ca_file, milliseconds timeout = patience) {
  boost::asio::io_context io;
  const auto to = http::parse_post_target({"notify.webhookUrl", url}, {"notify.webhookCaFile", ca_file});
  std::optional<http::post_answer> got;
  http::post(io, to, http::make_post(to, "{}"), timeout, [&](const http::post_answer& a) { got = a; });
  io.run();
  REQUIRE(got);
  return *got;
}

// The variable as it was afterwards.
class environment_variable {
 public:
  environment_variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~environment_variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  environment_variable(const environment_variable&) = delete;
  environment_variable& operator=(const environment_variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("tls: given a server whose CA is in the file, then it is posted to, by name or by address, and a name is told it") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  receiver server(no_content, server_tls(ca.issue("IP:127.0.0.1,DNS:localhost")));
  CHECK(post_to(server.url("/"), file.path()).status == 204);
  CHECK(post_to(server.url("/", "localhost"), file.path()).status == 204);
  CHECK(server.requests().size() == 2);
  CHECK(server.names_told() == std::vector<std::string>{"", "localhost"});
}

TEST_CASE("tls: given a certificate made out to somebody else, then nothing is posted") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  receiver server(no_content, server_tls(ca.issue("DNS:coffee.example,IP:127.0.0.2")));
  CHECK(post_to(server.url("/", "localhost"), file.path()).trouble == "certificate verify failed: hostname mismatch");
  CHECK(post_to(server.url("/"), file.path()).trouble == "certificate verify failed: IP address mismatch");
  CHECK(server.requests().empty());
}

TEST_CASE("tls: given a CA that nobody named, a certificate that signs itself, or one whose time is over, then nothing is posted") {
  const authority ca("Crema's test CA"), other("Somebody's CA");
  const scratch_file file(ca.certificate_pem());
  const auto trouble = [&](const server_certificate& c) {
    receiver server(no_content, server_tls(c));
    const auto a = post_to(server.url("/"), file.path());
    CHECK(a.status == 0);
    CHECK(server.requests().empty());
    return a.trouble;
  };
  CHECK(trouble(other.issue("IP:127.0.0.1")) == "certificate verify failed: unable to get local issuer certificate");
  CHECK(trouble(other.self_signed()) == "certificate verify failed: self-signed certificate");
  CHECK(trouble(ca.issue("IP:127.0.0.1", -60)) == "certificate verify failed: certificate has expired");
}

TEST_CASE("tls: the CAs of the file are trusted beside the system's, not instead of them") {
  const authority of_system("The system's CA"), of_file("Crema's test CA");
  const scratch_file system(of_system.certificate_pem()), file(of_file.certificate_pem());
  const environment_variable store("SSL_CERT_FILE", system.path());
  receiver one(no_content, server_tls(of_system.issue("IP:127.0.0.1"))), two(no_content, server_tls(of_file.issue("IP:127.0.0.1")));
  CHECK(post_to(one.url("/"), "").status == 204);
  CHECK(post_to(one.url("/"), file.path()).status == 204);
  CHECK(post_to(two.url("/"), file.path()).status == 204);
  CHECK(post_to(two.url("/"), "").status == 0);
}

TEST_CASE("tls: given a handshake that hangs, then the time-out ends it") {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor nobody(io, {boost::asio::ip::address_v4::loopback(), 0});  // the kernel connects, nobody answers
  const auto url = "https://127.0.0.1:" + std::to_string(nobody.local_endpoint().port()) + "/";
  const auto began = std::chrono::steady_clock::now();
  CHECK(post_to(url, "", milliseconds(100)).trouble == "no answer in time, while shaking hands for TLS");
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= milliseconds(100));
  CHECK(took < patience);
}

TEST_CASE("tls: given a server that is silent after the handshake, then the time-out ends it") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  receiver server({""}, server_tls(ca.issue("IP:127.0.0.1")));
  CHECK(post_to(server.url("/"), file.path(), milliseconds(500)).trouble == "no answer in time, while waiting for the answer");
}

TEST_CASE("tls: given a server that does not speak it, then the handshake has failed") {
  receiver plain(no_content);
  const auto url = "https" + plain.url("/").substr(4);
  CHECK_THAT(post_to(url, "").trouble, Catch::Matchers::StartsWith("TLS handshake failed: "));
  CHECK(plain.requests().empty());
}

TEST_CASE("tls: nothing older than TLS 1.2 is spoken") {
  const auto context = http::make_tls_context("notify.webhookCaFile", "");
  CHECK(SSL_CTX_get_min_proto_version(context->native_handle()) == TLS1_2_VERSION);
}

TEST_CASE("tls: a URL without a port means 443") {
  CHECK(http::parse_post_target({"u", "https://receiver.example/hook"}, {"c", ""}).port == "443");
  CHECK(http::parse_post_target({"u", "http://receiver.example/hook"}, {"c", ""}).port == "80");
}
