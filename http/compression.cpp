#include "http/compression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <memory>
#include <stdexcept>

#include "http/negotiate.hpp"

namespace crema::http {

namespace {

// Fast rather than small: JSON of rows shrinks to a tenth at either library's lowest level.
constexpr int gzip_level = 1, zstd_level = 1;

[[noreturn]] void fail(std::string_view what) { throw std::runtime_error("a body could not be compressed: " + std::string(what)); }

struct gzip_stream {
  z_stream z{};
  gzip_stream() {
    constexpr int window_bits = 15 + 16;  // with gzip's header and checksum
    if (deflateInit2(&z, gzip_level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) fail("gzip");
  }
  ~gzip_stream() { deflateEnd(&z); }
  gzip_stream(const gzip_stream&) = delete;
  gzip_stream& operator=(const gzip_stream&) = delete;
};

std::string gzip(std::string_view text) {
  thread_local gzip_stream stream;
  auto& z = stream.z;
  deflateReset(&z);
  std::string out(deflateBound(&z, static_cast<uLong>(text.size())), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib only reads it
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  if (deflate(&z, Z_FINISH) != Z_STREAM_END) fail("gzip");
  out.resize(z.total_out);
  return out;
}

std::string zstd(std::string_view text) {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  if (!context) fail("zstd");
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const auto size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), text.data(), text.size(), zstd_level);
  if (ZSTD_isError(size) != 0) fail(ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

}  // namespace

coding preferred_coding(std::string_view accept_encoding) {
  constexpr double unsaid = -1;
  double any = unsaid, gzip_q = unsaid, zstd_q = unsaid, identity_q = unsaid;
  while (!accept_encoding.empty()) {
    const auto [name, q] = parse_weighted(take(accept_encoding, ','));
    if (equal_ignoring_case(name, "zstd"))
      zstd_q = q;
    else if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip"))
      gzip_q = q;
    else if (equal_ignoring_case(name, "identity"))
      identity_q = q;
    else if (name == "*")
      any = q;
  }
  if (gzip_q == unsaid) gzip_q = any;
  if (zstd_q > 0 && zstd_q >= gzip_q && zstd_q >= identity_q) return coding::zstd;
  return gzip_q > 0 && gzip_q >= identity_q ? coding::gzip : coding::identity;
}

std::string compress(coding c, std::string_view text) {
  switch (c) {
    case coding::gzip: return gzip(text);
    case coding::zstd: return zstd(text);
    case coding::identity: break;
  }
  return std::string(text);
}

}  // namespace crema::http
