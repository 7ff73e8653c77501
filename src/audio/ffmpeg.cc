#include "audio/ffmpeg.h"

#include <array>
#include <cstddef>

namespace whisper_s4y {

void silence(AVFormatContext& format) {
  // A file's messages have no level of their own as a codec's have, but the class that tells
  // av_log() so can be another. The number it finds is one that readers of files do not use.
  static const AVClass silent_class = [] {
    AVClass described = *avformat_get_class();
    described.log_level_offset_offset = offsetof(AVFormatContext, metadata_header_padding);
    return described;
  }();
  format.av_class = &silent_class;
  format.metadata_header_padding = kSilent;
}

void silence(AVCodecContext& codec) { codec.log_level_offset = kSilent; }

std::string ffmpeg_error(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

}  // namespace whisper_s4y
