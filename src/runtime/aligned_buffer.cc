#include "runtime/aligned_buffer.h"

#include <cstdlib>
#include <cstring>

#include "common/fail.h"
#include "runtime/litert_c.h"

namespace whisper_s4y {
namespace {

constexpr size_t kReadPastEnd = 128;

}  // namespace

AlignedBuffer::AlignedBuffer(size_t bytes) : size_(bytes) {
  constexpr size_t kAlignment = LITERT_HOST_MEMORY_BUFFER_ALIGNMENT;
  size_t padded = 0;
  if (__builtin_add_overflow(bytes, kReadPastEnd + kAlignment - 1, &padded)) {
    fail(ErrorCode::invalid_argument, "A buffer of {} bytes is too large.", bytes);
  }
  padded = padded / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, padded);
  if (memory == nullptr)
    fail(ErrorCode::out_of_memory, "Out of memory: cannot get a buffer of {} bytes.", bytes);
  std::memset(memory, 0, padded);
  data_.reset(static_cast<std::byte*>(memory));
}

void AlignedBuffer::Free::operator()(std::byte* data) const { std::free(data); }

}  // namespace whisper_s4y
