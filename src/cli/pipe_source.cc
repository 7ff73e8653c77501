#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "cli/sound_source.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

// What a file begins with that has a header; nothing for raw PCM. Marks of less than four bytes
// might be sound.
std::string_view kind_of_file(std::span<const unsigned char> bytes) {
  struct Mark {
    size_t offset;
    std::string_view bytes;
    std::string_view kind;
  };
  static constexpr Mark kMarks[] = {
      {8, "WAVE", "a WAV file"},
      {8, "AVI ", "an AVI file"},
      {0, "riff\x2E\x91\xCF\x11", "a W64 file"},
      {0, "OggS", "an Ogg file"},
      {0, "fLaC", "a FLAC file"},
      {0, "ID3\x03", "an MP3 file"},
      {0, "ID3\x04", "an MP3 file"},
      {0, "FLV\x01", "an FLV file"},
      {4, "ftyp", "an MP4 file"},
      {0, "\x1A\x45\xDF\xA3", "a Matroska or WebM file"},
      {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "a Windows Media file"},
      {0, ".snd", "an AU file"},
      {8, "AIFF", "an AIFF file"},
      {0, "caff", "a CAF file"},
      {0, "#!AMR", "an AMR file"},
  };
  constexpr size_t kPacket = 188;  // of an MPEG transport stream, which begins with this byte
  constexpr unsigned char kSync = 0x47;
  if (bytes.size() > 2 * kPacket && bytes[0] == kSync && bytes[kPacket] == kSync &&
      bytes[2 * kPacket] == kSync) {
    return "an MPEG transport stream";
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Mark& mark : kMarks) {
    if (text.size() > mark.offset && text.substr(mark.offset).starts_with(mark.bytes)) {
      return mark.kind;
    }
  }
  return {};
}

class PipeSource : public SoundSource {
 public:
  explicit PipeSource(PcmFormat format) : format_(format) {
    if (::isatty(STDIN_FILENO) == 1) {
      fail(ErrorCode::io,
           "Cannot listen to standard input: it is a terminal, not a pipe with raw PCM.");
    }
  }

  size_t read(std::span<float> samples) override {
    const size_t width = format_ == PcmFormat::s16le ? 2 : 4;
    // A piece of a number stays for the next time.
    do {
      const size_t wanted = std::min(bytes_.size(), samples.size() * width) - have_;
      const ssize_t got = ::read(STDIN_FILENO, bytes_.data() + have_, wanted);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(ErrorCode::io, "Cannot read standard input: {}.", std::strerror(errno));
      if (got == 0 && (checked_ || have_ < width)) return 0;
      if (got == 0) break;  // less than a header would need
      have_ += static_cast<size_t>(got);
    } while (have_ < (checked_ ? width : kHeader));
    if (!checked_) check();
    const size_t count = have_ / width;
    for (size_t i = 0; i < count; ++i) samples[i] = number(bytes_.data() + i * width);
    have_ -= count * width;
    std::memmove(bytes_.data(), bytes_.data() + count * width, have_);
    return count;
  }

 private:
  static constexpr size_t kHeader = 400;  // bytes that tell

  void check() {
    checked_ = true;
    const std::string_view kind = kind_of_file(std::span(bytes_).first(have_));
    if (kind.empty()) return;
    fail(ErrorCode::io,
         "Standard input is {}, not raw PCM: `whisper-s4y transcribe MODEL -` reads files; to hear "
         "one as it comes, make PCM of it first: `ffmpeg -i - -f s16le -ac 1 -ar 16000 -`.",
         kind);
  }

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
  bool checked_ = false;  // that it begins with no header
  size_t have_ = 0;       // bytes of a number that has not come whole
};

}  // namespace

std::unique_ptr<SoundSource> open_pipe(PcmFormat format) {
  return std::make_unique<PipeSource>(format);
}

}  // namespace whisper_s4y
