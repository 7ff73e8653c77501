#include "transcribe/hallucination.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "config/front_end.h"
#include "transcribe/word_timestamps.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kPunctuation = "\"'“¿([{-\"'.。,，!！?？:：”)]}、";
constexpr size_t kWordsLookedAt = 8;

double anomaly_score(const Word& word) {
  const double duration = word.end - word.start;
  double score = 0;
  if (word.probability < 0.15) score += 1.0;
  if (duration < 0.133) score += (0.133 - duration) * 15;
  if (duration > 2.0) score += duration - 2.0;
  return score;
}

// The first segment that has words, or null.
const Segment* first_with_words(std::span<const Segment> segments) {
  for (const Segment& segment : segments) {
    if (!segment.words.empty()) return &segment;
  }
  return nullptr;
}

}  // namespace

bool is_anomaly(const Segment& segment) {
  if (segment.words.empty()) return false;
  double score = 0;
  size_t count = 0;
  for (const Word& word : segment.words) {
    if (kPunctuation.find(word.word) != std::string_view::npos) continue;
    score += anomaly_score(word);
    if (++count == kWordsLookedAt) break;
  }
  return score >= 3 || score + 0.01 >= static_cast<double>(count);
}

HallucinationCheck skip_hallucinations(std::vector<Segment>& segments, const WindowPlace& place,
                                       double threshold, double last_speech, int content_frames,
                                       bool single_timestamp_ending, int next_seek) {
  const double offset = place.time_offset();
  const double window_end = offset + kWindowSeconds;
  if (!single_timestamp_ending) {
    const double word_end = last_word_end(segments, offset);
    if (word_end > offset) {
      next_seek =
          window_end - word_end > threshold ? frame_at(word_end) : place.seek + place.segment_size;
    }
  }

  const Segment* first = first_with_words(segments);
  if (first != nullptr && is_anomaly(*first)) {
    const double gap = first->start - offset;
    if (gap > threshold) return {place.seek + frame_at(gap), true};
  }

  double speech_end = last_speech;
  for (size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    if (segment.words.empty()) continue;
    if (is_anomaly(segment)) {
      const Segment* next = first_with_words(std::span(segments).subspan(i + 1));
      const double next_start =
          next != nullptr ? next->words.front().start : offset + place.segment_duration();
      const bool silence_before = segment.start - speech_end > threshold ||
                                  segment.start < threshold || segment.start - offset < 2.0;
      const bool silence_after = next_start - segment.end > threshold ||
                                 (next != nullptr && is_anomaly(*next)) ||
                                 window_end - segment.end < 2.0;
      if (silence_before && silence_after) {
        next_seek = frame_at(std::max(offset + 1, segment.start));
        if (content_frames / kFramesPerSecond - segment.end < threshold) next_seek = content_frames;
        segments.erase(segments.begin() + static_cast<ptrdiff_t>(i), segments.end());
        break;
      }
    }
    speech_end = segment.end;
  }
  return {next_seek, false};
}

}  // namespace whisper_s4y
