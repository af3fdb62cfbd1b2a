// A stream whose readers see what acts on a terminal instead of suffering it: whatever is written to it, by whoever, has control and
// bidirectional characters written out (behaviors/core/text.hpp) before it leaves. JSON stays JSON: what is written out is its own escape.
// While it lives it stands in place of the stream's buffer. One thread at a time.
#pragma once

#include <iosfwd>
#include <streambuf>
#include <string>

namespace crema::cli {

class visible_output : private std::streambuf {
 public:
  explicit visible_output(std::ostream& stream);
  ~visible_output() override;
  visible_output(const visible_output&) = delete;
  visible_output& operator=(const visible_output&) = delete;

 private:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;
  bool pass_on(std::size_t end);

  std::ostream& stream_;
  std::streambuf* below_;
  std::string gathered_;  // since the last end of a line: a character may come in pieces
};

}  // namespace crema::cli
