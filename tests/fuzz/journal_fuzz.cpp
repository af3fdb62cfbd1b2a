// Bytes from a disk through every decoder of the storage: damage is a decode_error or a storage_error, never anything else, and what
// could be read can be written and read again. The first byte chooses the decoder.
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "behaviors/systems.hpp"
#include "storage/entry_block.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"
#include "tests/fuzz/require.hpp"

using namespace crema;

namespace {

const type_catalog& types() {
  static const system_declaration system = find_system(system_names().front());
  static const type_catalog all = system.catalog();
  return all;
}

// What could be read can be written, and what was written can be read.
template <class Through>
void twice(std::string_view bytes, Through through) {
  const std::string once = through(bytes);
  try {
    (void)through(once);
  } catch (const decode_error& e) { fuzz::require(false, e.what()); }
}

void read_body(std::string_view bytes) {
  twice(bytes, [](std::string_view b) { return storage::encode_body(storage::decode_body(7, 1, b, types())); });
}

void read_message(std::string_view bytes) {
  twice(bytes, [](std::string_view b) {
    wire::reader in(b);
    std::string out;
    storage::encode_message(storage::decode_message(in, types()), out);
    return out;
  });
}

void read_hold(std::string_view bytes) {
  twice(bytes, [](std::string_view b) { return storage::encode_hold(storage::decode_hold(b, types())); });
}

void read_dead_letter(std::string_view bytes) {
  twice(bytes, [](std::string_view b) { return storage::encode_dead_letter(storage::decode_dead_letter(b, types())); });
}

void read_row(std::string_view bytes) {
  (void)storage::decode_row_header(bytes);
  for (const auto& [name, type] : types()) (void)storage::decode_row(*type, 1, bytes);
}

void read_idempotency(std::string_view bytes) { (void)storage::decode_idempotency(bytes); }

void read_keys(std::string_view bytes) {
  (void)storage::owner_of(bytes);
  (void)storage::tail_number(bytes);
  (void)storage::parse_outbox_key(bytes);
}

void read_block(std::string_view bytes) {
  storage::block_reader block(7, bytes);
  while (const auto r = block.next())
    if (r->intact()) (void)storage::decode_body(r->sequence, r->partition, r->body, types());
}

void read_entries(std::string_view bytes) {
  twice(bytes, [](std::string_view b) {
    storage::entry_block block;
    block.load(b);
    std::size_t next = 0;
    return block.encode(0, std::numeric_limits<std::size_t>::max(), next);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*decoders[])(std::string_view) = {read_body,        read_message, read_hold,  read_dead_letter, read_row,
                                                    read_idempotency, read_keys,    read_block, read_entries};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    decoders[data[0] % std::size(decoders)](bytes);
  } catch (const decode_error&) {
  } catch (const storage::storage_error&) {}
  return 0;
}
