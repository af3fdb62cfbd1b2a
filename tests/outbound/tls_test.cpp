// POSTs to https:// servers of our own on sockets of this machine: who is believed, and what is said where nobody is.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include "outbound/transfer.hpp"
#include "tests/outbound/receiver.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/environment_variable.hpp"

namespace {

using namespace crema;
using std::chrono::milliseconds;

constexpr milliseconds patience{10000};
const std::deque<std::string> no_content{"HTTP/1.1 204 No Content\r\n\r\n"};

outbound::answer post_to(const std::string& url, const std::string& ca_file, milliseconds timeout = patience) {
  outbound::request r;
  r.url = url;
  r.body = "{}";
  r.time_limit = r.connect_limit = timeout;
  r.trusted = std::make_shared<outbound::trust>("notify.webhookCaFile", ca_file);
  return outbound::transfer::run(r);
}

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
  CHECK(post_to(server.url("/", "localhost"), file.path()).trouble ==
        "certificate verify failed: no alternative certificate subject name matches target host name 'localhost'");
  CHECK(post_to(server.url("/"), file.path()).trouble ==
        "certificate verify failed: no alternative certificate subject name matches target host name '127.0.0.1'");
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
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  const auto old_only = server_tls(ca.issue("IP:127.0.0.1"));
  SSL_CTX_set_security_level(old_only->native_handle(), 0);
  SSL_CTX_set_min_proto_version(old_only->native_handle(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old_only->native_handle(), TLS1_1_VERSION);
  receiver server(no_content, old_only);
  CHECK_THAT(post_to(server.url("/"), file.path()).trouble, Catch::Matchers::StartsWith("TLS handshake failed: "));
  CHECK(server.requests().empty());
}

TEST_CASE("tls: nothing is believed where nobody is trusted, and no redirect leads from https:// to http://") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  receiver plain(no_content);
  receiver server({"HTTP/1.1 307 x\r\nLocation: " + plain.url("/") + "\r\nContent-Length: 0\r\n\r\n"},
                  server_tls(ca.issue("IP:127.0.0.1")));
  CHECK(post_to(server.url("/"), file.path()).status == 307);
  CHECK(plain.requests().empty());
  outbound::request r;
  r.url = server.url("/");
  CHECK_THAT(outbound::transfer::run(r).trouble, Catch::Matchers::StartsWith("certificate verify failed: "));
}

TEST_CASE("redirects: what is meant for one server only does not go to another") {
  receiver other(no_content);
  receiver first({"HTTP/1.1 307 x\r\nLocation: " + other.url("/there") + "\r\nContent-Length: 0\r\n\r\n"});
  outbound::request r;
  r.url = first.url("/");
  r.headers = {"X-Id: 1"};
  r.secret_headers = {"Authorization: Bearer secret"};
  CHECK(outbound::transfer::run(r).status == 204);
  CHECK(first.requests().at(0).count("Authorization") == 1);
  CHECK(other.requests().at(0).count("Authorization") == 0);
  CHECK(other.requests().at(0).count("X-Id") == 1);
}
