#include "audio/ffmpeg.h"

#include <array>

namespace whisper_s4y {

std::string ffmpeg_error(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

}  // namespace whisper_s4y
