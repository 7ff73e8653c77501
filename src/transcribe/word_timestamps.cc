#include "transcribe/word_timestamps.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace whisper_s4y {
namespace {

constexpr double kLongestMedian = 0.7;  // seconds
constexpr std::string_view kSentenceEndMarks = ".。!！?？";

double rounded(double seconds) { return std::nearbyint(seconds * 100.0) / 100.0; }

bool is_sentence_end(std::string_view word) {
  return kSentenceEndMarks.find(word) != std::string_view::npos;
}

// Median length of the words that have one, at most 0.7 s; 0 when no word has.
double median_duration(std::span<const WordTiming> alignment) {
  std::vector<double> durations;
  for (const WordTiming& word : alignment) {
    if (word.end != word.start) durations.push_back(word.end - word.start);
  }
  if (durations.empty()) return 0.0;
  std::sort(durations.begin(), durations.end());
  const size_t middle = durations.size() / 2;
  const double median = durations.size() % 2 == 1 ? durations[middle]
                                                  : (durations[middle - 1] + durations[middle]) / 2;
  return std::min(kLongestMedian, median);
}

// A pause at the end of a sentence is often counted to the word beside it.
void cut_words_at_sentence_ends(std::vector<WordTiming>& alignment, double longest) {
  for (size_t i = 1; i < alignment.size(); ++i) {
    WordTiming& word = alignment[i];
    if (word.end - word.start <= longest) continue;
    if (is_sentence_end(word.word)) {
      word.end = word.start + longest;
    } else if (is_sentence_end(alignment[i - 1].word)) {
      word.start = word.end - longest;
    }
  }
}

// The first words after a pause may have swallowed it.
void cut_words_after_pause(std::vector<Word>& words, double last_speech, double median,
                           double longest) {
  Word& first = words.front();
  Word* second = words.size() > 1 ? &words[1] : nullptr;
  if (first.end - last_speech <= median * 4) return;
  const bool too_long = first.end - first.start > longest ||
                        (second != nullptr && second->end - first.start > longest * 2);
  if (!too_long) return;
  if (second != nullptr && second->end - second->start > longest) {
    const double boundary = std::max(second->end / 2, second->end - longest);
    first.end = boundary;
    second->start = boundary;
  }
  first.start = std::max(0.0, first.end - longest);
}

// Words may stick out of their segment by half a second; otherwise the segment follows its words.
void fit_together(Segment& segment, double median) {
  Word& first = segment.words.front();
  if (segment.start < first.end && segment.start - 0.5 > first.start) {
    first.start = std::max(0.0, std::min(first.end - median, segment.start));
  } else {
    segment.start = first.start;
  }
  Word& last = segment.words.back();
  if (segment.end > last.start && segment.end + 0.5 < last.end) {
    last.end = std::max(last.start + median, segment.end);
  } else {
    segment.end = last.end;
  }
}

}  // namespace

void add_word_timestamps(std::vector<Segment>& segments, std::vector<WordTiming> alignment,
                         const WindowPlace& place, double last_speech, int eot,
                         std::string_view prepend_punctuations,
                         std::string_view append_punctuations) {
  const double median = median_duration(alignment);
  const double longest = median * 2;
  if (median > 0) cut_words_at_sentence_ends(alignment, longest);
  merge_punctuations(alignment, prepend_punctuations, append_punctuations);

  const double offset = place.time_offset();
  auto timing = alignment.begin();
  for (Segment& segment : segments) {
    const auto text_tokens = static_cast<size_t>(std::count_if(
        segment.tokens.begin(), segment.tokens.end(), [&](int token) { return token < eot; }));
    segment.words.clear();
    for (size_t used = 0; timing != alignment.end() && used < text_tokens; ++timing) {
      if (!timing->word.empty()) {
        Word word;
        word.word = timing->word;
        word.start = rounded(offset + timing->start);
        word.end = rounded(offset + timing->end);
        word.probability = static_cast<float>(timing->probability);
        segment.words.push_back(std::move(word));
      }
      used += timing->tokens.size();
    }
    if (segment.words.empty()) continue;
    cut_words_after_pause(segment.words, last_speech, median, longest);
    fit_together(segment, median);
    last_speech = segment.end;
  }
}

double last_word_end(std::span<const Segment> segments, double otherwise) {
  if (segments.empty()) return otherwise;
  for (size_t i = segments.size(); i-- > 0;) {
    if (!segments[i].words.empty()) return segments[i].words.back().end;
  }
  return segments.back().end;
}

}  // namespace whisper_s4y
