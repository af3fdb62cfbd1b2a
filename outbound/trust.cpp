#include "outbound/trust.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstring>
#include <stdexcept>

namespace crema::outbound {

struct trust::store {
  X509_STORE* certificates = X509_STORE_new();
  store() = default;
  ~store() { X509_STORE_free(certificates); }
  store(const store&) = delete;
  store& operator=(const store&) = delete;
};

trust::trust(const std::string& setting, const std::string& ca_file) : store_(std::make_unique<store>()) {
  X509_STORE_set_default_paths(store_->certificates);  // a machine without any has nobody to trust but those of the file
  ERR_clear_error();
  if (ca_file.empty() || X509_STORE_load_locations(store_->certificates, ca_file.c_str(), nullptr) == 1) return;
  const auto error = ERR_peek_error();
  const char* reason = ERR_SYSTEM_ERROR(error) ? std::strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
  ERR_clear_error();
  throw std::invalid_argument(setting + " names " + ca_file +
                              ", which does not hold CA certificates in PEM: " + (reason != nullptr ? reason : "it holds none"));
}

trust::~trust() = default;

void trust::give_to(void* ssl_context) const { SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(ssl_context), store_->certificates); }

std::string trust::verdict_text(long verdict) {
  return verdict == X509_V_OK || verdict == X509_V_ERR_UNSPECIFIED ? std::string() : X509_verify_cert_error_string(verdict);
}

}  // namespace crema::outbound
