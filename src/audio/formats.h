// Which of FFmpeg's formats are read.
#pragma once

#include "audio/ffmpeg.h"

namespace whisper_s4y {

/// Whether the demuxer reads recordings and nothing but the bytes it is given. Playlists, session
/// descriptions and sequences of files, which name other files or addresses, are not among them.
[[nodiscard]] bool is_allowed(const AVInputFormat& format);

/// Why one is not, to follow "Cannot read talk.m3u8: ".
[[nodiscard]] std::string refusal(const AVInputFormat& format);

}  // namespace whisper_s4y
