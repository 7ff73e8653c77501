// The languages of a recording in which more than one is spoken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "decoding/decoding_options.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// Samples [start, end) of a recording in which one language is spoken.
struct LanguageStretch {
  int64_t start = 0;
  int64_t end = 0;
  std::string language;      // code
  float probability = 0.0F;  // mean over its speech

  bool operator==(const LanguageStretch&) const = default;
};

/// What was said between two pauses, and the languages it may be in.
struct SpokenPiece {
  SpeechSegment place;
  LanguageProbs probs;
};

/// The parts of a recording whose language is detected one by one: what lies between pauses, where
/// a language may end. A short one goes with the neighbour that is nearer.
[[nodiscard]] std::vector<SpeechSegment> pieces_of_speech(std::span<const float> speech_probs,
                                                          int64_t audio_length);

/// The language of each piece, an index into its probabilities: the likeliest course when a change
/// of language is rare and a short piece says little. All pieces have the same languages.
[[nodiscard]] std::vector<size_t> likeliest_course(std::span<const SpokenPiece> pieces);

/// The language of speech of `samples` samples that follows speech in `before`, if there was any,
/// by the same rule.
[[nodiscard]] std::string likeliest_after(const std::string& before, const LanguageProbs& probs,
                                          size_t samples);

/// Joins pieces in one language. The stretches follow each other without a gap and cover the
/// recording; each begins a little before its speech. No pieces, no stretches.
[[nodiscard]] std::vector<LanguageStretch> stretches_of(std::span<const SpokenPiece> pieces,
                                                        int64_t audio_length);

/// Speech in one language.
struct LanguageRun {
  std::string language;
  float probability = 0.0F;
  std::vector<SpeechSegment> speech;

  bool operator==(const LanguageRun&) const = default;
};

/// Shares segments out among the stretches, which cut them where they must.
[[nodiscard]] std::vector<LanguageRun> runs_of(std::span<const SpeechSegment> speech,
                                               std::span<const LanguageStretch> stretches);

/// The stretches of the recording that the speech of `runs` makes, joined.
[[nodiscard]] std::vector<LanguageStretch> joined_stretches(std::span<const LanguageRun> runs);

}  // namespace whisper_s4y
