#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cli/sound_source.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

class PipeSource : public SoundSource {
 public:
  explicit PipeSource(PcmFormat format) : format_(format) {
    if (::isatty(STDIN_FILENO) == 1) {
      fail("Cannot listen to standard input: it is a terminal, not a pipe with raw PCM.");
    }
  }

  size_t read(std::span<float> samples) override {
    const size_t width = format_ == PcmFormat::s16le ? 2 : 4;
    // A piece of a number stays for the next time.
    do {
      const size_t wanted = std::min(bytes_.size(), samples.size() * width) - have_;
      const ssize_t got = ::read(STDIN_FILENO, bytes_.data() + have_, wanted);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("Cannot read standard input: {}.", std::strerror(errno));
      if (got == 0) return 0;
      have_ += static_cast<size_t>(got);
    } while (have_ < width);
    const size_t count = have_ / width;
    for (size_t i = 0; i < count; ++i) samples[i] = number(bytes_.data() + i * width);
    have_ -= count * width;
    std::memmove(bytes_.data(), bytes_.data() + count * width, have_);
    return count;
  }

 private:
  [[nodiscard]] float number(const unsigned char* bytes) const {
    if (format_ == PcmFormat::s16le) {
      const auto value = static_cast<int16_t>(bytes[0] | (bytes[1] << 8));
      return static_cast<float>(value) / 32768.0F;
    }
    const uint32_t bits = static_cast<uint32_t>(bytes[0]) | (static_cast<uint32_t>(bytes[1]) << 8) |
                          (static_cast<uint32_t>(bytes[2]) << 16) |
                          (static_cast<uint32_t>(bytes[3]) << 24);
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  PcmFormat format_;
  std::array<unsigned char, 6400> bytes_{};
  size_t have_ = 0;  // bytes of a number that has not come whole
};

}  // namespace

std::unique_ptr<SoundSource> open_pipe(PcmFormat format) {
  return std::make_unique<PipeSource>(format);
}

}  // namespace whisper_s4y
