// What a .wav file's header states.
#pragma once

#include <cstdint>
#include <optional>

#include "audio/byte_stream.h"

namespace whisper_s4y {

struct WavLength {
  double seconds = 0;        // of sound by the sizes of the chunks "fmt " and "data"
  double seconds_after = 0;  // that what follows the chunks would last, were it sound
};

/// Nothing when the header does not say (a recorder that was not stopped properly leaves 0 or the
/// largest number), and for coded sound, whose length in bytes tells nothing.
[[nodiscard]] std::optional<WavLength> wav_length(const ByteStream& stream);

}  // namespace whisper_s4y
