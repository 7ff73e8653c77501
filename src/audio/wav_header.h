// The length that a .wav file's header states.
#pragma once

#include <optional>

#include "audio/byte_stream.h"

namespace whisper_s4y {

/// Seconds of sound by the sizes of the chunks "fmt " and "data"; nothing when they do not say (a
/// recorder that was not stopped properly leaves 0 or the largest number) and for pipes.
[[nodiscard]] std::optional<double> wav_seconds(const ByteStream& stream);

}  // namespace whisper_s4y
