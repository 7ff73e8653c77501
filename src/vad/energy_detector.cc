#include "vad/energy_detector.h"

#include <algorithm>
#include <cmath>

#include "common/fail.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

constexpr float kQuietest = -60.0F;      // dB of full scale: the background is never below
constexpr float kLoudestStart = -35.0F;  // nor above at first: a recording may begin with speech
constexpr float kMargin = 12.0F;         // dB above the background that make the odds even
constexpr float kSlope = 2.0F;           // dB that multiply the odds by e
constexpr float kRise = 0.5F * kVadChunk / kSampleRate;  // dB the background rises in a chunk

float decibels(std::span<const float> chunk) {
  double energy = 0.0;
  for (const float sample : chunk) energy += static_cast<double>(sample) * sample;
  return static_cast<float>(10.0 * std::log10(energy / static_cast<double>(chunk.size()) + 1e-12));
}

}  // namespace

void EnergyDetector::reset() { begun_ = false; }

void EnergyDetector::hear(Span<const float> chunks, Span<float> speech_probs) {
  if (chunks.size() != speech_probs.size() * kVadChunk) {
    fail(ErrorCode::invalid_argument, "{} samples are not {} chunks of {}.", chunks.size(),
         speech_probs.size(), kVadChunk);
  }
  for (float& prob : speech_probs) {
    const float level = decibels(chunks.first(kVadChunk));
    chunks = chunks.subspan(kVadChunk);
    const float start = begun_ ? background_ + kRise : kLoudestStart;
    begun_ = true;
    background_ = std::max(kQuietest, std::min(level, start));
    prob = 1.0F / (1.0F + std::exp((background_ + kMargin - level) / kSlope));
  }
}

}  // namespace whisper_s4y
