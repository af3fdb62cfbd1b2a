// Which content coding a reader gets, and whether it can be read back.
#include "http/compression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>

#include "http/representation.hpp"

using namespace crema;
using namespace crema::http;

namespace {

std::string gunzip(const std::string& bytes, std::size_t size_max) {
  z_stream z{};
  REQUIRE(inflateInit2(&z, 15 + 16) == Z_OK);
  std::string out(size_max, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int ended = inflate(&z, Z_FINISH);
  out.resize(z.total_out);
  inflateEnd(&z);
  REQUIRE(ended == Z_STREAM_END);
  return out;
}

std::string unzstd(const std::string& bytes, std::size_t size_max) {
  std::string out(size_max, '\0');
  const auto size = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  REQUIRE_FALSE(ZSTD_isError(size));
  out.resize(size);
  return out;
}

std::string many(std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text += R"({"phoneNumber":"010","qty":)" + std::to_string(i) + "}";
  return text;
}

}  // namespace

TEST_CASE("compression: what Accept-Encoding wants most") {
  CHECK(preferred_coding("gzip") == coding::gzip);
  CHECK(preferred_coding("X-GZIP") == coding::gzip);
  CHECK(preferred_coding("zstd") == coding::zstd);
  CHECK(preferred_coding("gzip, deflate, br, zstd") == coding::zstd);
  CHECK(preferred_coding("gzip;q=1.0, zstd;q=0.5") == coding::gzip);
  CHECK(preferred_coding("*") == coding::gzip);
  CHECK(preferred_coding("*;q=0.1, zstd;q=0") == coding::gzip);
  CHECK(preferred_coding(",, gzip ; q=0.001,") == coding::gzip);
  for (const auto* none :
       {"", "identity", "br", "deflate", "gzip;q=0", "*;q=0", "*, gzip;q=0", "gzip;q=0.5, identity", "zstd;q=0, gzip;q=0.000", "gzipped"})
    CHECK(preferred_coding(none) == coding::identity);
}

TEST_CASE("compression: what comes out can be read back, again and again") {
  for (const std::size_t n : {0U, 1U, 40U, 5000U, 40U}) {
    const auto text = many(n);
    const auto zipped = compress(coding::gzip, text), squeezed = compress(coding::zstd, text);
    CHECK(gunzip(zipped, text.size() + 1) == text);
    CHECK(unzstd(squeezed, text.size() + 1) == text);
    CHECK(zipped == compress(coding::gzip, text));  // the same bytes each time, as a strong ETag promises
    if (n >= 40) CHECK(zipped.size() * 4 < text.size());
  }
  CHECK(compress(coding::identity, "x") == "x");
}

TEST_CASE("compression: from the smallest length on, and only where it was asked for") {
  request q;
  q.accept_encoding = "gzip";
  response r;
  r.body.assign(1023, 'x');
  CHECK(coding_for(r, q, 1024) == coding::identity);
  r.body += 'x';
  CHECK(coding_for(r, q, 1024) == coding::gzip);
  CHECK(coding_for(r, q, 0) == coding::identity);
  q.accept_encoding.clear();
  CHECK(coding_for(r, q, 1024) == coding::identity);
}

TEST_CASE("compression: a coding has a tag of its own, and is not asked about with another's") {
  request q;
  const response shown{200, content::hal, "{}", {}, false, 3};
  auto plain = shown, zipped = shown;
  validate(plain, q, true);
  validate(zipped, q, true, coding::gzip);
  CHECK(zipped.tag == plain.tag + "-gzip");
  q.if_none_match = "\"" + plain.tag + "\"";
  zipped = shown;
  validate(zipped, q, true, coding::gzip);
  CHECK(zipped.status == 200);
}
