#include <fmt/format.h>

#include <algorithm>

#include "common/boundary.h"
#include "common/check_samples.h"
#include "vad/energy_detector.h"
#include "vad/silero_detector.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

std::vector<float> SpeechDetector::speech_probs(Span<const float> audio) {
  return with_errors([&] {
    check_samples(audio);
    reset();
    const size_t whole = audio.size() / kVadChunk;
    std::vector<float> probs(whole + 1);
    hear(audio.first(whole * kVadChunk), std::span(probs).first(whole));
    std::vector<float> last(kVadChunk, 0.0F);
    std::ranges::copy(audio.subspan(whole * kVadChunk), last.begin());
    hear(last, std::span(probs).last(1));
    return probs;
  });
}

std::unique_ptr<SpeechDetector> make_speech_detector(
    const std::function<void(const std::string&)>& warn) {
  return with_errors([&]() -> std::unique_ptr<SpeechDetector> {
    try {
      return std::make_unique<SileroDetector>();
    } catch (const Error& error) {
      const auto tell = guarded(warn);
      if (tell) tell(fmt::format("Speech is found by its loudness only: {}", error.what()));
      return std::make_unique<EnergyDetector>();
    }
  });
}

}  // namespace whisper_s4y
