// Content codings: which one a reader asks for, and the bytes in it. One compressor of each kind is kept a thread, as setting one up costs
// more than compressing a page of rows. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crema::http {

enum class coding : std::uint8_t { identity, gzip, zstd };

/// Its name in Content-Encoding, and at the end of an entity tag.
constexpr std::string_view name_of(coding c) noexcept { return c == coding::zstd ? "zstd" : c == coding::gzip ? "gzip" : "identity"; }

/// What Accept-Encoding wants most; of what it wants as much, zstd before gzip before neither. Only what it names: `*` means gzip.
coding preferred_coding(std::string_view accept_encoding);

/// Throws std::runtime_error where the library cannot (it has no memory).
std::string compress(coding c, std::string_view text);

}  // namespace crema::http
