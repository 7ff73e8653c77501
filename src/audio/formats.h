// Which of FFmpeg's formats are read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "audio/ffmpeg.h"

namespace whisper_s4y {

/// Whether the demuxer reads recordings and nothing but the bytes it is given. Playlists, session
/// descriptions and sequences of files, which name other files or addresses, are not among them.
[[nodiscard]] bool is_allowed(const AVInputFormat& format);

/// Why one is not, to follow "Cannot read talk.m3u8: ".
[[nodiscard]] std::string refusal(const AVInputFormat& format);

/// The same of bytes in which this FFmpeg finds no format, when they are a list that another build
/// of FFmpeg would know; nullopt when they are not.
[[nodiscard]] std::optional<std::string> refusal_of_list(std::span<const uint8_t> bytes);

}  // namespace whisper_s4y
