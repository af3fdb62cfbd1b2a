// Certificates that are made for one test and live for a day: a CA, servers' certificates from it, one that signs itself.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

namespace crema {

struct server_certificate {
  std::string certificate_pem, key_pem;
};

/// A CA of its own.
class authority {
 public:
  explicit authority(const std::string& name) : key_(make_key()), certificate_(make(name, key_.get())) {
    extend(NID_basic_constraints, "critical,CA:TRUE", certificate_.get());
    sign(certificate_.get());
  }

  std::string certificate_pem() const { return pem_of(certificate_.get()); }

  /// `names`: whom it is made out to, as OpenSSL writes subjectAltName: "IP:127.0.0.1,DNS:localhost". From `until_s` on it is over.
  server_certificate issue(const std::string& names, long until_s = day_s) const {
    const auto key = make_key();
    const auto c = make("a server", key.get(), until_s);
    X509_set_issuer_name(c.get(), X509_get_subject_name(certificate_.get()));
    extend(NID_subject_alt_name, names, c.get());
    sign(c.get());
    return {pem_of(c.get()), pem_of(key.get())};
  }

  /// The CA's own certificate, taken for a server's.
  server_certificate self_signed() const { return {certificate_pem(), pem_of(key_.get())}; }

 private:
  static constexpr long day_s = 86400;
  template <class T, void (*Free)(T*)>
  struct freed {
    void operator()(T* p) const { Free(p); }
  };
  using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY, EVP_PKEY_free>>;
  using x509_ptr = std::unique_ptr<X509, freed<X509, X509_free>>;

  static key_ptr make_key() { return key_ptr(EVP_EC_gen("P-256")); }

  // Issued by itself, for now.
  static x509_ptr make(const std::string& name, EVP_PKEY* key, long until_s = day_s) {
    static long serial = 0;
    x509_ptr c(X509_new());
    X509_set_version(c.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(c.get()), -2 * day_s);
    X509_gmtime_adj(X509_getm_notAfter(c.get()), until_s);
    X509_set_pubkey(c.get(), key);
    auto* const subject = X509_get_subject_name(c.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(c.get(), subject);
    return c;
  }

  static void extend(int what, const std::string& value, X509* c) {
    std::unique_ptr<X509_EXTENSION, freed<X509_EXTENSION, X509_EXTENSION_free>> e(
        X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str()));
    if (!e || X509_add_ext(c, e.get(), -1) != 1) throw std::invalid_argument("no such extension: " + value);
  }
  void sign(X509* c) const {
    if (X509_sign(c, key_.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign a certificate");
  }

  static std::string text_of(BIO* bio) {
    char* bytes = nullptr;
    const auto n = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(n));
    BIO_free(bio);
    return text;
  }
  static std::string pem_of(X509* c) {
    auto* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, c);
    return text_of(bio);
  }
  static std::string pem_of(EVP_PKEY* key) {
    auto* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
  }

  key_ptr key_;
  x509_ptr certificate_;
};

/// What a server needs to show the certificate.
inline std::shared_ptr<boost::asio::ssl::context> server_tls(const server_certificate& c) {
  namespace ssl = boost::asio::ssl;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->use_certificate_chain(boost::asio::buffer(c.certificate_pem));
  context->use_private_key(boost::asio::buffer(c.key_pem), ssl::context::pem);
  return context;
}

/// A file with that text, gone when the test ends.
class scratch_file {
 public:
  explicit scratch_file(const std::string& text) {
    path_ = (std::filesystem::temp_directory_path() / "crema-file-XXXXXX").string();
    const int file = ::mkstemp(path_.data());
    if (file < 0) throw std::runtime_error("cannot make a file in the temporary directory");
    ::close(file);
    std::ofstream(path_) << text;
  }
  ~scratch_file() { std::filesystem::remove(path_); }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace crema
