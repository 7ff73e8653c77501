#include "decoding/compression_ratio.h"

#include <zlib.h>

#include <vector>

#include "common/fail.h"

namespace whisper_s4y {

float compression_ratio(std::string_view text) {
  uLongf size = ::compressBound(text.size());
  std::vector<Bytef> compressed(size);
  const int status = ::compress(compressed.data(), &size,
                                reinterpret_cast<const Bytef*>(text.data()), text.size());
  if (status != Z_OK)
    fail(ErrorCode::internal, "zlib could not compress {} bytes of text (status {}).", text.size(),
         status);
  return static_cast<float>(text.size()) / static_cast<float>(size);
}

}  // namespace whisper_s4y
