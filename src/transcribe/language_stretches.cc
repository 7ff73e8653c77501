#include "transcribe/language_stretches.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "vad/speech_segments.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

int64_t samples(double seconds) { return static_cast<int64_t>(seconds * kSampleRate); }

// Where speech is cut: at pauses as short as those between two sentences.
const VadOptions kPieces = {
    .max_speech_duration_s = 20.0, .min_silence_duration_ms = 250, .speech_pad_ms = 100};

const int64_t kShortPiece = samples(2.0);
// Longest piece that a short one makes with its neighbour.
const int64_t kLongestPiece = samples(20.0);
// What a stretch keeps of the pause before it.
const int64_t kLead = samples(0.4);

// Speech of this length has its probabilities taken at their word; shorter speech counts less.
const int64_t kTelling = samples(4.0);
// No language is less likely than this, so that no single piece decides.
constexpr float kLeastProb = 1e-3F;
// Log-odds against a change of language at a pause.
constexpr float kChange = 2.0F;

// What speech of so many samples says for a language.
float evidence(float probability, int64_t samples) {
  const float weight = static_cast<float>(samples) / static_cast<float>(kTelling);
  return std::min(1.0F, weight) * std::log(probability + kLeastProb);
}

}  // namespace

std::vector<SpeechSegment> pieces_of_speech(std::span<const float> speech_probs,
                                            int64_t audio_length) {
  std::vector<SpeechSegment> pieces = get_speech_timestamps(speech_probs, audio_length, kPieces);
  const auto join = [&](size_t left) {
    pieces[left].end = pieces[left + 1].end;
    pieces.erase(pieces.begin() + static_cast<ptrdiff_t>(left) + 1);
  };
  const auto pause = [&](size_t left) {
    const int64_t length = pieces[left + 1].end - pieces[left].start;
    return length > kLongestPiece ? std::numeric_limits<int64_t>::max()
                                  : pieces[left + 1].start - pieces[left].end;
  };
  for (size_t i = 0; i < pieces.size();) {
    constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
    const int64_t before = i > 0 ? pause(i - 1) : kNone;
    const int64_t after = i + 1 < pieces.size() ? pause(i) : kNone;
    if (pieces[i].size() >= kShortPiece || std::min(before, after) == kNone) {
      ++i;
    } else if (before <= after) {
      join(i - 1);
    } else {
      join(i);
    }
  }
  return pieces;
}

std::vector<size_t> likeliest_course(std::span<const SpokenPiece> pieces) {
  if (pieces.empty()) return {};
  const size_t languages = pieces[0].probs.size();
  std::vector<float> score(languages, 0.0F);  // of the best course so far that ends in a language
  std::vector<std::vector<size_t>> before(pieces.size(), std::vector<size_t>(languages));
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto best = static_cast<size_t>(std::ranges::max_element(score) - score.begin());
    const float changed = score[best] - (i > 0 ? kChange : 0.0F);
    for (size_t language = 0; language < languages; ++language) {
      const bool changes = score[language] < changed;
      before[i][language] = changes ? best : language;
      score[language] = (changes ? changed : score[language]) +
                        evidence(pieces[i].probs[language].second, pieces[i].place.size());
    }
  }
  std::vector<size_t> course(pieces.size());
  course.back() = static_cast<size_t>(std::ranges::max_element(score) - score.begin());
  for (size_t i = pieces.size(); --i > 0;) course[i - 1] = before[i][course[i]];
  return course;
}

std::string likeliest_after(const std::string& before, const LanguageProbs& probs, size_t samples) {
  const auto score = [&](const std::pair<std::string, float>& one) {
    const bool changes = !before.empty() && one.first != before;
    return evidence(one.second, static_cast<int64_t>(samples)) - (changes ? kChange : 0.0F);
  };
  return std::ranges::max_element(probs, {}, score)->first;
}

std::vector<LanguageStretch> stretches_of(std::span<const SpokenPiece> pieces,
                                          int64_t audio_length) {
  std::vector<LanguageStretch> stretches;
  const std::vector<size_t> course = likeliest_course(pieces);
  int64_t end = 0;      // of the piece before
  float speech = 0.0F;  // samples in the last stretch
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto& [place, probs] = pieces[i];
    const auto& [language, probability] = probs[course[i]];
    if (stretches.empty() || stretches.back().language != language) {
      // Most of a long pause goes with the speech before it: a window begins with speech.
      const int64_t start = std::max(place.start - kLead, (end + place.start) / 2);
      if (!stretches.empty()) stretches.back().end = start;
      stretches.push_back({.start = stretches.empty() ? 0 : start, .language = language});
      speech = 0.0F;
    }
    LanguageStretch& stretch = stretches.back();
    const auto length = static_cast<float>(place.size());
    speech += length;
    stretch.end = audio_length;
    stretch.probability += (probability - stretch.probability) * length / speech;
    end = place.end;
  }
  return stretches;
}

std::vector<LanguageRun> runs_of(std::span<const SpeechSegment> speech,
                                 std::span<const LanguageStretch> stretches) {
  std::vector<LanguageRun> runs;
  for (const SpeechSegment& segment : speech) {
    for (const LanguageStretch& stretch : stretches) {
      const SpeechSegment part = {.start = std::max(segment.start, stretch.start),
                                  .end = std::min(segment.end, stretch.end)};
      if (part.size() <= 0) continue;
      if (runs.empty() || runs.back().language != stretch.language) {
        runs.push_back({stretch.language, stretch.probability, {}});
      }
      runs.back().speech.push_back(part);
    }
  }
  return runs;
}

std::vector<LanguageStretch> joined_stretches(std::span<const LanguageRun> runs) {
  std::vector<LanguageStretch> stretches;
  int64_t end = 0;
  for (const LanguageRun& run : runs) {
    const int64_t start = end;
    for (const SpeechSegment& segment : run.speech) end += segment.size();
    stretches.push_back(
        {.start = start, .end = end, .language = run.language, .probability = run.probability});
  }
  return stretches;
}

}  // namespace whisper_s4y
