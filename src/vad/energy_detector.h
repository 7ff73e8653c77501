// Speech by loudness, for where no model runs.
#pragma once

#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// Takes for speech what is clearly louder than the background, whose level it follows: down at
/// once, up slowly. Music and noise that come and go count as speech too.
class EnergyDetector : public SpeechDetector {
 public:
  void reset() override;
  void hear(Span<const float> chunks, Span<float> speech_probs) override;

 private:
  bool begun_ = false;
  float background_ = 0.0F;  // dB of full scale
};

}  // namespace whisper_s4y
