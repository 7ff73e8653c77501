#include "audio/wav_header.h"

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

}  // namespace

std::optional<double> wav_seconds(const ByteStream& stream) {
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
      bytes_per_second = little_endian(std::span(chunk).subspan(16));
    }
    if (name == "data") {
      if (bytes_per_second == 0 || size == 0 || size == kUnknown) return std::nullopt;
      return static_cast<double>(size) / bytes_per_second;
    }
    offset += 8 + int64_t{size} + size % 2;
  }
  return std::nullopt;
}

}  // namespace whisper_s4y
