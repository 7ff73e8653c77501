#include "cli/npy_file.h"

#include <fmt/format.h>

#include <bit>
#include <string_view>

namespace whisper_s4y {

static_assert(std::endian::native == std::endian::little, "numbers are written as they are");

void write_npy_header(OutputFile& file, const std::vector<int64_t>& shape) {
  std::string dictionary =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{})}}",
                  fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // numpy.lib.format: the numbers begin at a multiple of 64, a newline ends the header.
  constexpr size_t kPrefix = 10;
  dictionary.append(63 - (kPrefix + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  using namespace std::string_view_literals;
  file.write("\x93NUMPY\x01\x00"sv);
  const auto length = static_cast<uint16_t>(dictionary.size());
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(dictionary);
}

void write_npy_numbers(OutputFile& file, std::span<const float> numbers) {
  file.write(std::as_bytes(numbers));
}

}  // namespace whisper_s4y
