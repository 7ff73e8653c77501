// Whether an Ogg file is whole.
#pragma once

#include "audio/byte_stream.h"

namespace whisper_s4y {

/// False when the last page of a file is not there to its end or is not marked as the last. True
/// for pipes, which cannot be looked at.
[[nodiscard]] bool ogg_ends_well(const ByteStream& stream);

}  // namespace whisper_s4y
