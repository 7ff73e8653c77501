#include "audio/wav_header.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace whisper_s4y {
namespace {

constexpr int kMostChunks = 64;  // looked at before the sound
constexpr uint32_t kUnknown = 0xFFFFFFFF;

uint32_t little_endian(std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(bytes[0]) | (static_cast<uint32_t>(bytes[1]) << 8) |
         (static_cast<uint32_t>(bytes[2]) << 16) | (static_cast<uint32_t>(bytes[3]) << 24);
}

std::string_view name_at(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), 4};
}

// Sound of a fixed number of bytes a second: integers, floats, A-law, mu-law, and the form that
// describes one of these further on.
bool is_plain(uint32_t format) {
  return format == 1 || format == 3 || format == 6 || format == 7 || format == 0xFFFE;
}

// Bytes from `offset` to the end that are no chunk.
int64_t bytes_after_chunks(const ByteStream& stream, int64_t offset) {
  for (int i = 0; i < kMostChunks && offset < stream.size(); ++i) {
    const auto chunk = stream.peek(offset, 8);
    const bool named = chunk.size() == 8 && std::ranges::all_of(name_at(chunk), [](char c) {
                         return c >= ' ' && c <= '~';
                       });
    if (!named || name_at(chunk) == "RIFF") return stream.size() - offset;
    const uint32_t size = little_endian(std::span(chunk).subspan(4));
    offset += 8 + int64_t{size} + size % 2;
  }
  return 0;
}

}  // namespace

std::optional<WavLength> wav_length(const ByteStream& stream) {
  const auto riff = stream.peek(0, 12);
  if (riff.size() < 12 || name_at(riff) != "RIFF") return std::nullopt;
  uint32_t bytes_per_second = 0;
  int64_t offset = 12;
  for (int i = 0; i < kMostChunks; ++i) {
    const auto chunk = stream.peek(offset, 8 + 16);
    if (chunk.size() < 8) return std::nullopt;
    const std::string_view name = name_at(chunk);
    const uint32_t size = little_endian(std::span(chunk).subspan(4));
    if (name == "fmt " && chunk.size() == 24) {
      if (!is_plain(little_endian(std::span(chunk).subspan(8)) & 0xFFFF)) return std::nullopt;
      bytes_per_second = little_endian(std::span(chunk).subspan(16));
    }
    if (name == "data") {
      if (bytes_per_second == 0 || size == 0 || size == kUnknown) return std::nullopt;
      const int64_t after = bytes_after_chunks(stream, offset + 8 + int64_t{size} + size % 2);
      return WavLength{.seconds = static_cast<double>(size) / bytes_per_second,
                       .seconds_after = static_cast<double>(after) / bytes_per_second};
    }
    offset += 8 + int64_t{size} + size % 2;
  }
  return std::nullopt;
}

}  // namespace whisper_s4y
