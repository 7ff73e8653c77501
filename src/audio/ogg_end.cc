#include "audio/ogg_end.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>

namespace whisper_s4y {
namespace {

constexpr int64_t kLongestPage = 27 + 255 + 255 * 255;  // header, table, content
constexpr size_t kHeader = 27;
constexpr size_t kFlags = 5;
constexpr size_t kSegments = 26;
constexpr uint8_t kEndOfStream = 4;

}  // namespace

bool ogg_ends_well(const ByteStream& stream) {
  if (!stream.seekable()) return true;
  const int64_t from = std::max<int64_t>(0, stream.size() - kLongestPage);
  const auto tail = stream.peek(from, static_cast<size_t>(kLongestPage));
  const std::string_view text(reinterpret_cast<const char*>(tail.data()), tail.size());
  const size_t at = text.rfind("OggS");
  if (at == std::string_view::npos || tail.size() - at < kHeader) return false;
  const size_t segments = tail[at + kSegments];
  if (tail.size() - at - kHeader < segments) return false;
  const auto table = tail.begin() + static_cast<ptrdiff_t>(at + kHeader);
  const size_t content =
      std::accumulate(table, table + static_cast<ptrdiff_t>(segments), size_t{0});
  return tail.size() - at - kHeader - segments >= content &&
         (tail[at + kFlags] & kEndOfStream) != 0;
}

}  // namespace whisper_s4y
