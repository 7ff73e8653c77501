#include "server/arriving_file.h"

#include <algorithm>
#include <span>
#include <string>

namespace whisper_s4y::server {

bool ArrivingFile::take() {
  if (is_complete_) return false;
  // What is there, without waiting for a full piece.
  const int first = stream_.get();
  if (first == std::char_traits<char>::eof()) {
    is_complete_ = true;
    return false;
  }
  piece_[0] = static_cast<char>(first);
  const auto there = std::clamp<std::streamsize>(stream_.rdbuf()->in_avail(), 0,
                                                 static_cast<std::streamsize>(piece_.size()) - 1);
  const std::streamsize rest = stream_.rdbuf()->sgetn(piece_.data() + 1, there);
  upload_.append(std::as_bytes(std::span(piece_).first(1 + static_cast<size_t>(rest))));
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
