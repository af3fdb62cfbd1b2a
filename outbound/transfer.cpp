#include "outbound/transfer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

namespace crema::outbound {

namespace {

CURL* make_handle() {
  prepare_library();
  auto* const easy = curl_easy_init();
  if (easy == nullptr) throw std::bad_alloc();
  return easy;
}

struct url_parts {
  CURLU* parsed = curl_url();
  url_parts() = default;
  ~url_parts() { curl_url_cleanup(parsed); }
  url_parts(const url_parts&) = delete;
  url_parts& operator=(const url_parts&) = delete;

  bool read(const std::string& url) { return curl_url_set(parsed, CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK; }
  std::string part(CURLUPart which, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(parsed, which, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }
  std::string server() const {
    return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  }
};

std::string_view error_word(CURLcode result) {
  switch (result) {
    case CURLE_OPERATION_TIMEDOUT: return "timeout";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return "name_resolution_error";
    case CURLE_COULDNT_CONNECT: return "connection_error";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION: return "tls_error";
    default: return "_OTHER";
  }
}

template <class T>
T info(CURL* easy, CURLINFO which) {
  T value{};
  curl_easy_getinfo(easy, which, &value);
  return value;
}

}  // namespace

void prepare_library() {
  static std::once_flag prepared;
  std::call_once(prepared, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

transfer::transfer(request r, piece_taker on_piece) : request_(std::move(r)), on_piece_(std::move(on_piece)), easy_(make_handle()) {
  prepare();
}

transfer::~transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void transfer::prepare() {
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, "crema/" CREMA_VERSION);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
  if (request_.past_proxies) curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  if (request_.method == "POST" || !request_.body.empty()) {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.method != "GET" && request_.method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &transfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &transfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy_, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &transfer::on_tls);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, this);
  set_headers(true);
  set_time_limits();
}

void transfer::set_headers(bool with_secrets) {
  curl_slist_free_all(std::exchange(headers_, nullptr));
  const auto add = [&](const std::string& line) { headers_ = curl_slist_append(headers_, line.c_str()); };
  for (const auto& h : request_.headers) add(h);
  if (with_secrets)
    for (const auto& h : request_.secret_headers) add(h);
  if (request_.method != "GET") add("Content-Type: application/json");
  add("Expect:");  // the body goes along at once, however long it is
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
}

// One deadline for the whole, redirects included.
void transfer::set_time_limits() {
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_limit.count()));
  if (request_.time_limit.count() == 0) return;
  const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max(milliseconds(1), request_.time_limit - spent).count()));
}

bool transfer::is_redirected(CURLcode result) {
  const auto s = status();
  if (result != CURLE_OK || (s != 307 && s != 308) || redirects_ >= redirects_max) return false;
  const char* to = info<const char*>(easy_, CURLINFO_REDIRECT_URL);
  if (to == nullptr) return false;
  url_parts before, next;
  if (!before.read(request_.url) || !next.read(to)) return false;
  const auto scheme = next.part(CURLUPART_SCHEME);
  if (scheme != "https" && (scheme != "http" || before.part(CURLUPART_SCHEME) == "https")) return false;
  ++redirects_;
  if (next.server() != before.server()) request_.secret_headers.clear();
  request_.url = to;
  header_bytes_ = body_bytes_ = 0;
  header_done_ = tls_begun_ = false;
  body_.clear();
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
  set_headers(true);
  set_time_limits();
  return true;
}

answer transfer::finish(CURLcode result) {
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  answer a;
  a.status = status();
  a.connected = tls_begun_ || happened(CURLINFO_CONNECT_TIME_T) || happened(CURLINFO_PRETRANSFER_TIME_T);
  if (result != CURLE_OK) {
    a.trouble = trouble_of(result);
    a.error = error_word(result);
  }
  if (const auto wait_s = info<curl_off_t>(easy_, CURLINFO_RETRY_AFTER); wait_s > 0) a.retry_after = std::chrono::seconds(wait_s);
  a.body = std::move(body_);
  return a;
}

answer transfer::run(request r, piece_taker on_piece) {
  transfer t(std::move(r), std::move(on_piece));
  CURLcode result = CURLE_OK;
  do result = curl_easy_perform(t.handle());
  while (t.is_redirected(result));
  return t.finish(result);
}

// Neither 1xx nor half a header is an answer.
unsigned transfer::status() const {
  const auto s = info<long>(easy_, CURLINFO_RESPONSE_CODE);
  return header_done_ ? static_cast<unsigned>(s) : 0;
}

std::string transfer::trouble_of(CURLcode result) const {
  if (too_long_) return "the answer is too long";
  const std::string why = error_[0] != '\0' ? error_ : curl_easy_strerror(result);
  switch (result) {
    case CURLE_OPERATION_TIMEDOUT: return "no answer in time, while " + doing();
    case CURLE_PEER_FAILED_VERIFICATION: {
      const auto verdict = trust::verdict_text(info<long>(easy_, CURLINFO_SSL_VERIFYRESULT));
      constexpr std::string_view of_curl = "SSL: ";
      return "certificate verify failed: " + (!verdict.empty() ? verdict : why.starts_with(of_curl) ? why.substr(of_curl.size()) : why);
    }
    case CURLE_SSL_CONNECT_ERROR: return "TLS handshake failed: " + why;
    case CURLE_COULDNT_CONNECT:
      if (const auto number = info<long>(easy_, CURLINFO_OS_ERRNO); number != 0) return std::strerror(static_cast<int>(number));
      return why;
    default: return why;
  }
}

bool transfer::happened(CURLINFO what) const { return info<curl_off_t>(easy_, what) > 0; }

std::string transfer::doing() const {
  if (happened(CURLINFO_STARTTRANSFER_TIME_T)) return "reading the answer";
  if (happened(CURLINFO_PRETRANSFER_TIME_T)) return "waiting for the answer";
  if (tls_begun_) return "shaking hands for TLS";
  return happened(CURLINFO_NAMELOOKUP_TIME_T) ? "connecting" : "looking up the name";
}

std::size_t transfer::on_header(char* line, std::size_t size, std::size_t n, void* self) {
  auto& t = *static_cast<transfer*>(self);
  t.header_bytes_ += size * n;
  t.too_long_ = t.header_bytes_ > header_bytes_max;
  const std::string_view text(line, size * n);
  if (text == "\r\n" || text == "\n") t.header_done_ = info<long>(t.easy_, CURLINFO_RESPONSE_CODE) >= 200;
  if (t.too_long_ || !t.tell_of_header(text)) return 0;
  return size * n;
}

// False: it threw, which may not go through libcurl.
bool transfer::tell_of_header(std::string_view line) {
  const auto colon = line.find(':');
  if (!request_.on_header || colon == std::string_view::npos) return true;
  const auto begin = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
  const auto end = std::max(line.find_last_not_of(" \t\r\n") + 1, begin);
  try {
    request_.on_header(line.substr(0, colon), line.substr(begin, end - begin));
    return true;
  } catch (...) {
    thrown_ = std::current_exception();
    return false;
  }
}

std::size_t transfer::on_body(char* bytes, std::size_t size, std::size_t n, void* self) {
  return static_cast<transfer*>(self)->take_piece({bytes, size * n}) ? size * n : 0;
}

bool transfer::take_piece(std::string_view piece) {
  body_bytes_ += piece.size();
  too_long_ = body_bytes_ > request_.body_bytes_max;
  if (too_long_) return false;
  try {  // nothing may be thrown through libcurl
    if (on_piece_)
      on_piece_(status(), piece);
    else
      body_ += piece;
    return true;
  } catch (...) {
    thrown_ = std::current_exception();
    return false;
  }
}

CURLcode transfer::on_tls(CURL*, void* ssl_context, void* self) {
  auto& t = *static_cast<transfer*>(self);
  t.tls_begun_ = true;
  if (t.request_.trusted) t.request_.trusted->give_to(ssl_context);
  return CURLE_OK;
}

void check_url(const named_text& url) {
  const auto refuse = [&](const std::string& why) { throw std::invalid_argument(url.name + " " + why); };
  if (url.value.find("://") == std::string::npos) refuse("is not a URL; it looks like https://host:port/path");
  if (!url.value.starts_with("http://") && !url.value.starts_with("https://")) refuse("must begin with http:// or https://");
  const auto host_at = url.value.find("://") + 3;
  if (host_at == url.value.size() || url.value[host_at] == '/' || url.value[host_at] == ':') refuse("names no host");
  url_parts parts;
  if (!parts.read(url.value)) refuse("is not a URL; it looks like https://host:port/path");
  if (!parts.part(CURLUPART_USER).empty() || !parts.part(CURLUPART_PASSWORD).empty()) refuse("must hold no user and no password");
}

bool is_loopback(const std::string& url) {
  url_parts parts;
  if (!parts.read(url)) return false;
  const auto host = parts.part(CURLUPART_HOST);
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace crema::outbound
