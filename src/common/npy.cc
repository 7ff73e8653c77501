#include "common/npy.h"

#include <fmt/ranges.h>

#include <bit>
#include <string>

#include "common/fail.h"
#include "common/output_file.h"

namespace whisper_s4y {

static_assert(std::endian::native == std::endian::little, "the header says little-endian");

void write_npy(const std::filesystem::path& path, std::span<const int64_t> shape,
               std::span<const float> values) {
  uint64_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<uint64_t>(extent);
  const std::string extents = fmt::format("{}", fmt::join(shape, ", "));
  if (count != values.size()) {
    fail(ErrorCode::io, "Cannot write {}: {} numbers do not fill the shape ({}).", path.string(),
         values.size(), extents);
  }
  // A Python tuple: one extent needs its comma.
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
                                   extents, shape.size() == 1 ? "," : "");
  // The numbers begin at a multiple of 64; the header ends with a newline.
  constexpr size_t kAlignment = 64;
  constexpr size_t kPreamble = 10;
  while ((kPreamble + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';

  OutputFile file(path);
  file.write(std::string_view("\x93NUMPY\x01\x00", 8));
  const auto length = static_cast<uint16_t>(header.size());
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  file.write(std::as_bytes(values));
  file.commit();
}

}  // namespace whisper_s4y
