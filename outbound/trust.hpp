// Whom an https:// server may have its certificate from: the system's CAs, from OpenSSL's usual places (SSL_CERT_FILE and SSL_CERT_DIR
// name others), and those of a file. outbound/trust.* is all that knows OpenSSL.
//
// Read when it is made, and not changed afterwards: any thread may connect with it.
#pragma once

#include <memory>
#include <string>

namespace crema::outbound {

class trust {
 public:
  /// `ca_file` holds one or more certificates in PEM; empty: the system's only. Throws std::invalid_argument with one sentence, which
  /// begins with `setting`, where it cannot be read or holds none.
  trust(const std::string& setting, const std::string& ca_file);
  ~trust();
  trust(const trust&) = delete;
  trust& operator=(const trust&) = delete;

  /// `ssl_context` is libcurl's, of one connection.
  void give_to(void* ssl_context) const;
  /// What OpenSSL's verdict on a certificate means: "self-signed certificate"; empty where it says nothing.
  static std::string verdict_text(long verdict);

 private:
  struct store;
  std::unique_ptr<store> store_;
};

}  // namespace crema::outbound
