// Descriptors 0, 1 and 2 as a program expects them.
#pragma once

namespace crema::process {

/// Opens /dev/null for each of standard input, output and error that the parent has closed: the next file that is opened would get its
/// number, and what is meant for a terminal would be written into that file. Call before anything else opens a file.
void open_standard_streams();

}  // namespace crema::process
