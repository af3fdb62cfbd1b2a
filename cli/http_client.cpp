#include "cli/http_client.hpp"

#include <limits>
#include <utility>

#include "outbound/transfer.hpp"

namespace crema::cli {

namespace {

constexpr std::chrono::seconds connect_limit{5};
constexpr std::size_t body_bytes_max = 256U << 20U;  // of an answer that is kept whole

}  // namespace

http_client::http_client(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {
  while (url_.ends_with('/')) url_.pop_back();
  outbound::check_url({url_, url_});
  if (url_.starts_with("https://")) trusted_ = std::make_shared<outbound::trust>("SSL_CERT_FILE", "");
}

answer http_client::send(const request& r) const {
  std::string body;
  auto a = stream(r, [&](std::string_view piece) {
    if (body.size() + piece.size() > body_bytes_max) throw unreachable("The answer of " + url_ + " is too long");
    body += piece;
  });
  if (a.body.empty()) a.body = std::move(body);
  return a;
}

answer http_client::stream(const request& r, const std::function<void(std::string_view)>& on_piece, const header_handler& on_header) const {
  outbound::request out;
  out.method = r.method;
  out.url = url_ + r.target;
  out.headers = {"Accept: " + r.accept};
  if (!token_.empty()) out.secret_headers = {"Authorization: Bearer " + token_};
  out.body = r.body;
  out.trusted = trusted_;
  out.connect_limit = connect_limit;
  out.time_limit = r.time_limit;
  out.body_bytes_max = std::numeric_limits<std::size_t>::max();
  out.on_header = on_header;
  out.past_proxies = outbound::is_loopback(url_);  // no proxy reaches this machine's own node
  answer a;
  const auto got = outbound::transfer::run(std::move(out), [&](unsigned status, std::string_view piece) {
    if (status < 300)
      on_piece(piece);
    else
      a.body += piece.substr(0, body_bytes_max - std::min(a.body.size(), body_bytes_max));
  });
  if (!got.connected && got.status == 0)
    throw unreachable("No crema answers at " + url_ + " (" + got.trouble + "). Start one with: crema serve");
  if (!got.trouble.empty()) throw unreachable("The connection to " + url_ + " ended before the answer did (" + got.trouble + ")");
  a.status = got.status;
  return a;
}

std::string encoded(std::string_view s) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : s) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4U];
      out += hex[byte & 0xFU];
    }
  }
  return out;
}

}  // namespace crema::cli
