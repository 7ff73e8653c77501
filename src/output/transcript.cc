#include "whisper_s4y/transcript.h"

#include <tuple>

namespace whisper_s4y {

bool Word::operator==(const Word& other) const {
  const auto fields = [](const Word& w) { return std::tie(w.word, w.start, w.end, w.probability); };
  return fields(*this) == fields(other);
}

bool Segment::operator==(const Segment& other) const {
  const auto fields = [](const Segment& s) {
    return std::tie(s.id, s.seek, s.start, s.end, s.text, s.language, s.tokens, s.token_logprobs,
                    s.temperature, s.avg_logprob, s.compression_ratio, s.no_speech_prob, s.words,
                    s.channel);
  };
  return fields(*this) == fields(other);
}

bool Transcript::operator==(const Transcript& other) const {
  const auto fields = [](const Transcript& t) {
    return std::tie(t.text, t.language, t.language_probability, t.duration, t.duration_after_vad,
                    t.segments, t.warnings, t.is_cut);
  };
  return fields(*this) == fields(other);
}

}  // namespace whisper_s4y
