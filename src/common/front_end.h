// The numbers of Whisper's front end. Source: openai/whisper audio.py.
#pragma once

#include "whisper_s4y/audio.h"

namespace whisper_s4y {

inline constexpr int kFftSize = 400;    // samples a frame looks at
inline constexpr int kHopLength = 160;  // samples from one frame to the next
inline constexpr int kWindowSeconds = 30;
inline constexpr int kWindowSamples = kWindowSeconds * kSampleRate;
inline constexpr int kWindowFrames = kWindowSamples / kHopLength;
inline constexpr double kFramesPerSecond = double{kSampleRate} / kHopLength;

}  // namespace whisper_s4y
