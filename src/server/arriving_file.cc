#include "server/arriving_file.h"

#include <span>

#include "server/body_buffer.h"

namespace whisper_s4y::server {

bool ArrivingFile::take() {
  if (is_complete_) return false;
  const std::streamsize got = read_some(stream_, piece_);
  if (got == 0) {
    is_complete_ = true;
    return false;
  }
  upload_.append(std::as_bytes(std::span(piece_).first(static_cast<size_t>(got))));
  return true;
}

size_t ArrivingFile::read(int64_t position, Span<std::byte> bytes) {
  while (position >= upload_.size()) {
    if (waited_ > patience_) throw TooSlow();
    const Clock::time_point begin = Clock::now();
    if (!take()) return 0;
    waited_ += Clock::now() - begin;
  }
  return upload_.read(position, bytes);
}

}  // namespace whisper_s4y::server
