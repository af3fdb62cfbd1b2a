#include "http/tls.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <stdexcept>

namespace crema::http {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

}  // namespace

std::shared_ptr<tls_context> make_tls_context(const std::string& setting, const std::string& ca_file) {
  auto context = std::make_shared<tls_context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(ssl::verify_peer);
  error_code e;
  context->set_default_verify_paths(e);  // a machine without any has nobody to trust but those of the file
  if (ca_file.empty()) return context;
  context->load_verify_file(ca_file, e);
  if (e) throw std::invalid_argument(setting + " names " + ca_file + ", which does not hold CA certificates in PEM: " + e.message());
  return context;
}

bool expect_host(tls_stream& stream, const std::string& host) {
  error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  auto* const native = stream.native_handle();
  if (!no_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(native), host.c_str()) == 1;
  return SSL_set1_host(native, host.c_str()) == 1 && SSL_set_tlsext_host_name(native, host.c_str()) == 1;
}

std::string handshake_trouble(tls_stream& stream, const error_code& e) {
  const auto verdict = SSL_get_verify_result(stream.native_handle());
  if (verdict != X509_V_OK) return std::string("certificate verify failed: ") + X509_verify_cert_error_string(verdict);
  return "TLS handshake failed: " + e.message();
}

}  // namespace crema::http
