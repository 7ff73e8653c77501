// A window's way through the front end by a kernel of our own. What the graph of `features`
// computes, by a fast Fourier transform instead of a product with the transform's matrix.
#pragma once

#include <span>
#include <vector>

#include "common/cancellation.h"
#include "kernels/mel_spectrum.h"
#include "kernels/task_team.h"

namespace whisper_s4y {

/// Not thread-safe.
class FeaturePass {
 public:
  /// The team outlives it.
  FeaturePass(int num_mel_bins, TaskTeam& team);

  /// normalized_audio [480000] -> logmel [num_mel_bins, 3000]. Throws Cancelled, see Cancellation;
  /// null: no one asks.
  void run(std::span<const float> normalized_audio, std::span<float> logmel,
           Cancellation* cancellation);

 private:
  MelSpectrum spectrum_;
  TaskTeam& team_;
  struct Member {  // of the team
    MelSpectrum::Scratch scratch;
    std::vector<float> reflected;  // samples of frames that see an end of the window
  };
  std::vector<Member> members_;
};

}  // namespace whisper_s4y
