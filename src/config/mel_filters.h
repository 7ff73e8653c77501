// The mel filters of Whisper's front end.
#pragma once

#include <vector>

namespace whisper_s4y {

/// Slaney-normalised triangular filters on the Slaney mel scale, [num_mel_bins, 201], as
/// librosa.filters.mel(sr=16000, n_fft=400, n_mels=num_mel_bins).
[[nodiscard]] std::vector<float> mel_filters(int num_mel_bins);

}  // namespace whisper_s4y
