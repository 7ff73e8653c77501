// What is the same in every Whisper: the numbers of the front end, and how a window is counted.
// Source: openai/whisper audio.py, model.py and tokenizer.py.
#pragma once

#include "whisper_s4y/audio.h"

namespace whisper_s4y {

inline constexpr int kFftSize = 400;    // samples a frame looks at
inline constexpr int kHopLength = 160;  // samples from one frame to the next
inline constexpr int kWindowSeconds = 30;
inline constexpr int kWindowSamples = kWindowSeconds * kSampleRate;
inline constexpr int kWindowFrames = kWindowSamples / kHopLength;
inline constexpr double kFramesPerSecond = double{kSampleRate} / kHopLength;

inline constexpr int kFftBins = kFftSize / 2 + 1;
// Log-mel numbers: log10 of energies that are at least so large and at most so many decades below
// the loudest, then shifted and scaled.
inline constexpr float kLeastEnergy = 1e-10F;
inline constexpr float kLogOfLeastEnergy = -10.0F;
inline constexpr float kLogRange = 8.0F;
inline constexpr float kLogShift = 4.0F;
inline constexpr float kLogFactor = 0.25F;

inline constexpr int kFramesPerPosition = 2;  // the stride of the encoder's second convolution
inline constexpr int kWindowPositions = kWindowFrames / kFramesPerPosition;
inline constexpr double kTimePrecision = 0.02;  // seconds of a position, and of a timestamp token
inline constexpr int kTimestampTokens = kWindowPositions + 1;  // <|0.00|> ... <|30.00|>

}  // namespace whisper_s4y
