#include "server/arriving_file.h"

#include <span>

namespace whisper_s4y::server {

bool ArrivingFile::take() {
  if (is_complete_) return false;
  stream_.read(piece_.data(), piece_.size());
  const auto got = static_cast<size_t>(stream_.gcount());
  if (got < piece_.size()) is_complete_ = true;
  upload_.append(std::as_bytes(std::span(piece_).first(got)));
  return got > 0;
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
