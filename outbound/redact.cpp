#include "outbound/redact.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace crema::outbound {

namespace {

// Those that OpenTelemetry names, and what people commonly call a secret.
constexpr std::array<std::string_view, 14> secret_names{
    "awsaccesskeyid", "signature", "sig", "x-goog-signature", "x-amz-signature", "token",  "access_token",
    "api_key",        "apikey",    "key", "password",         "client_secret",   "secret", "auth"};

bool is_secret(std::string_view name) {
  std::string lower(name);
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::find(secret_names.begin(), secret_names.end(), lower) != secret_names.end();
}

}  // namespace

std::string redacted_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto parameter = query.substr(0, end);
    const auto equals = std::min(parameter.find('='), parameter.size());
    if (equals < parameter.size() && is_secret(percent_decoded(parameter.substr(0, equals))))
      out.append(parameter.substr(0, equals + 1)).append("REDACTED");
    else
      out.append(parameter);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (!query.empty()) out += '&';
  }
  return out;
}

std::string redacted_url(std::string_view url) {
  const auto query = std::min(url.find('?'), url.size());
  std::string out(url.substr(0, query));
  if (query < url.size()) out.append("?").append(redacted_query(url.substr(query + 1)));
  return out;
}

url_server server_of(std::string_view url) {
  const bool secure = url.starts_with("https:");
  const auto begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  auto authority = url.substr(begin + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  const auto bracket = authority.find(']');
  const auto colon = std::min(authority.find(':', bracket == std::string_view::npos ? 0 : bracket), authority.size());
  url_server s{std::string(authority.substr(0, colon)), 0};
  if (s.host.starts_with('[')) s.host = s.host.substr(1, s.host.size() - 2);
  const auto port = authority.substr(std::min(colon + 1, authority.size()));
  if (std::from_chars(port.data(), port.data() + port.size(), s.port).ec != std::errc{}) s.port = secure ? 443 : 80;
  return s;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace crema::outbound
