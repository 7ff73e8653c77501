// Whether a file's front end is the one that models/features.h builds.
#pragma once

#include <string_view>

#include "tflite/reader.h"

namespace whisper_s4y {

/// Whether the signature's graph is log_mel()'s, op by op and constant by constant. The file has
/// passed check_runnable().
[[nodiscard]] bool computes_log_mel(const TfliteFile& file, std::string_view signature,
                                    int num_mel_bins);

}  // namespace whisper_s4y
