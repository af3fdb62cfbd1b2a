#include "cli/visible_output.hpp"

#include <ostream>

#include "behaviors/core/text.hpp"

namespace crema::cli {

visible_output::visible_output(std::ostream& stream) : stream_(stream), below_(stream.rdbuf(this)) {}

visible_output::~visible_output() {
  (void)sync();
  stream_.rdbuf(below_);
}

bool visible_output::pass_on(std::size_t end) {
  const auto text = visible(std::string_view(gathered_).substr(0, end), "\n\t");
  gathered_.erase(0, end);
  return below_->sputn(text.data(), static_cast<std::streamsize>(text.size())) == static_cast<std::streamsize>(text.size());
}

std::streamsize visible_output::xsputn(const char* text, std::streamsize size) {
  gathered_.append(text, static_cast<std::size_t>(size));
  const auto end = gathered_.rfind('\n');
  return end == std::string::npos || pass_on(end + 1) ? size : 0;
}

visible_output::int_type visible_output::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const auto one = traits_type::to_char_type(c);
  return xsputn(&one, 1) == 1 ? c : traits_type::eof();
}

int visible_output::sync() { return pass_on(gathered_.size()) && below_->pubsync() == 0 ? 0 : -1; }

}  // namespace crema::cli
