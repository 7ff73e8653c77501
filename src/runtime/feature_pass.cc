#include "runtime/feature_pass.h"

#include <algorithm>
#include <cstdlib>

#include "config/dft_kernel.h"
#include "config/front_end.h"
#include "config/mel_filters.h"

namespace whisper_s4y {
namespace {

constexpr int kEdge = kFftSize / 2;  // samples of a frame before and after its middle
constexpr auto kFrames = static_cast<int>(MelSpectrum::kFrames);
constexpr int kSamplesOfBlock = (kFrames - 1) * kHopLength + kFftSize;

/// What the frames of a block look at, from `begin` on. The window is reflected at both ends;
/// `room` is where that is laid out.
std::span<const float> samples_of(std::span<const float> window, int begin,
                                  std::vector<float>& room) {
  if (begin >= 0 && begin + kSamplesOfBlock <= kWindowSamples) {
    return window.subspan(static_cast<size_t>(begin), kSamplesOfBlock);
  }
  room.clear();
  for (int i = begin; i < begin + kSamplesOfBlock; ++i) {
    const int place = std::abs(i);
    const int last = kWindowSamples - 1;
    room.push_back(window[static_cast<size_t>(place <= last ? place : 2 * last - place)]);
  }
  return room;
}

}  // namespace

FeaturePass::FeaturePass(int num_mel_bins, TaskTeam& team)
    : spectrum_(hann_window(kFftSize), mel_filters(num_mel_bins)),
      team_(team),
      members_(team.size()) {}

void FeaturePass::run(std::span<const float> normalized_audio, std::span<float> logmel,
                      Cancellation* cancellation) {
  if (cancellation != nullptr) cancellation->check();
  constexpr size_t kBlocks = (kWindowFrames + kFrames - 1) / kFrames;
  std::vector<float> largest(kBlocks);
  team_.for_each(kBlocks, [&](size_t block, size_t index) {
    Member& member = members_[index];
    const int frame = static_cast<int>(block) * kFrames;
    const int count = std::min(kFrames, kWindowFrames - frame);
    const std::span<const float> samples =
        samples_of(normalized_audio, frame * kHopLength - kEdge, member.reflected);
    largest[block] =
        spectrum_.logs(samples.data(), kHopLength, static_cast<size_t>(count), kLeastEnergy,
                       member.scratch, logmel.data() + frame, kWindowFrames);
  });
  const float lowest = *std::ranges::max_element(largest) - kLogRange;
  team_.for_each(spectrum_.filters(), [&](size_t filter, size_t) {
    clamp_and_scale(logmel.subspan(filter * kWindowFrames, kWindowFrames), lowest, kLogShift,
                    kLogFactor);
  });
}

}  // namespace whisper_s4y
