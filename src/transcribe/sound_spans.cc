#include "transcribe/sound_spans.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace whisper_s4y {
namespace {

// So much of a segment may lie in another span by the roughness of its times and by the padding
// around speech.
constexpr double kRoughness = 0.6;  // seconds

double overlap(const SoundSpan& span, double start, double end) {
  return std::min(span.end, end) - std::max(span.begin, start);
}

// Gives each word some length, in order, between `low` and `high`.
void put_words_in_order(std::vector<Word>& words, double low, double high) {
  const double shortest = std::min(kShortestCue, (high - low) / static_cast<double>(words.size()));
  double earliest = low;
  for (Word& word : words) {
    word.start = std::max(word.start, earliest);
    word.end = std::max(word.end, word.start + shortest);
    earliest = word.end;
  }
  double latest = high;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    word->end = std::min(word->end, latest);
    word->start = std::min(word->start, word->end - shortest);
    latest = word->start;
  }
}

}  // namespace

size_t SoundSpans::main(double start, double end) const {
  const auto best = std::ranges::max_element(spans_, {}, [&](const SoundSpan& span) {
    return overlap(span, start, end);  // negative: how far away
  });
  return static_cast<size_t>(best - spans_.begin());
}

bool SoundSpans::reaches_over(double start, double end) const {
  const auto touched = std::ranges::count_if(
      spans_, [&](const SoundSpan& span) { return overlap(span, start, end) > kRoughness; });
  return touched > 1;
}

void cut_segment(const Segment& segment, std::span<const WordTiming> words,
                 const WindowPlace& place, const SoundSpans& spans, const Tokenizer& tokenizer,
                 const GenerationConfig& generation, std::vector<Segment>& parts) {
  const double offset = place.time_offset();
  // The timestamp before the text stays with the first word; the one after it, and text that the
  // alignment had no room for, with the last.
  const auto is_text = [&](int token) { return token < generation.eos_token_id; };
  auto token = std::ranges::find_if(segment.tokens, is_text);
  std::vector<Segment> made(1, segment);
  made.front().tokens.assign(segment.tokens.begin(), token);
  std::optional<size_t> span;
  const WordTiming* previous = nullptr;
  for (const WordTiming& word : words) {
    const size_t where = spans.main(offset + word.start, offset + word.end);
    if (span && where > *span) {
      made.back().end = offset + previous->end;
      made.push_back(segment);
      made.back().tokens.clear();
      made.back().start = offset + word.start;
    }
    span = std::max(span.value_or(0), where);
    for (size_t i = 0; i < word.tokens.size() && token != segment.tokens.end(); ++i) {
      made.back().tokens.push_back(*token++);
    }
    previous = &word;
  }
  made.back().tokens.insert(made.back().tokens.end(), token, segment.tokens.end());
  size_t first = 0;  // the parts' tokens are those of the segment, one after the other
  for (Segment& part : made) {
    if (!segment.token_logprobs.empty()) {
      const auto logprobs = std::span(segment.token_logprobs).subspan(first, part.tokens.size());
      part.token_logprobs.assign(logprobs.begin(), logprobs.end());
    }
    first += part.tokens.size();
    std::vector<int> text;
    append_text(part.tokens, generation, text);
    part.text = tokenizer.decode(text);
    parts.push_back(std::move(part));
  }
}

void end_with_window(std::vector<Segment>& segments, const WindowPlace& place) {
  const double end = place.time_offset() + place.segment_duration();
  std::erase_if(segments, [&](const Segment& segment) { return segment.start >= end; });
  for (Segment& segment : segments) segment.end = std::min(segment.end, end);
}

bool put_in_order(Segment& segment, const SoundSpan& limits, double earliest) {
  const double low = std::max(limits.begin, earliest);
  if (limits.end - low < kShortestCue) return false;
  segment.start = std::clamp(segment.start, low, limits.end - kShortestCue);
  segment.end = std::clamp(segment.end, segment.start + kShortestCue, limits.end);
  if (segment.words.empty()) return true;
  put_words_in_order(segment.words, low, limits.end);
  segment.start = segment.words.front().start;
  segment.end = segment.words.back().end;
  return true;
}

}  // namespace whisper_s4y
