// TLS of what goes out: whom to trust, and whether the server is the one that was meant. TLS 1.2 or newer.
//
// Trusted are the system's CA certificates, from OpenSSL's usual places (SSL_CERT_FILE and SSL_CERT_DIR name others), and those of a file.
// The file is read at start: a change takes effect at the next one. http/tls.* is all of http/ that knows OpenSSL.
//
// A context is made at start and not changed afterwards: any thread may make streams with it. A stream is its io_context's thread's.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <string>

namespace crema::http {

using tls_context = boost::asio::ssl::context;
using tls_stream = boost::asio::ssl::stream<boost::beast::tcp_stream&>;

/// `ca_file` holds one or more certificates in PEM; empty: the system's only. Throws std::invalid_argument with one sentence, which
/// begins with `setting`, where it cannot be read or holds none.
std::shared_ptr<tls_context> make_tls_context(const std::string& setting, const std::string& ca_file);

/// Before the handshake. `host` is a name, which is told to the server too (SNI), or an IP address without brackets; the certificate
/// must be made out to it. False: OpenSSL takes no such name (one of more than 255 bytes).
bool expect_host(tls_stream& stream, const std::string& host);

/// Why the handshake ended with `e`: "certificate verify failed: self-signed certificate".
std::string handshake_trouble(tls_stream& stream, const boost::system::error_code& e);

}  // namespace crema::http
