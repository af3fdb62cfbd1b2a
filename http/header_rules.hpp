// What RFC 9112 asks of a request before anything else looks at it: how its body is framed, which Host it names, which form its
// target has. Afterwards every request has one form, so that mounts, routes, limits, problems and fingerprints see the same path.
// Pure.
#pragma once

#include <optional>

#include "http/problem.hpp"

namespace crema::http {

/// Called once, when the header is complete. A problem: the request is refused and the connection closed, as where its body ends is not
/// known or not to be trusted. Otherwise the target is in origin form ("*" for OPTIONS), with what needs no percent-encoding decoded,
/// and `host` is the authority that is meant: the target's own, where it had one (RFC 9112, 3.2.2), else the Host header's.
/// `chunked`: what the parser makes of the framing.
std::optional<problem> check_header(request& r, bool chunked);

}  // namespace crema::http
