#include "transcribe/segments.h"

#include <cmath>
#include <cstddef>

#include "decoding/text.h"

namespace whisper_s4y {
namespace {

// Of the tokens [first, last) of a window.
Segment new_segment(const DecodingResult& result, const WindowPlace& place, double start,
                    double end, size_t first, size_t last, const Tokenizer& tokenizer,
                    const GenerationConfig& generation) {
  Segment segment;
  segment.seek = place.seek;
  segment.start = start;
  segment.end = end;
  const auto tokens = std::span(result.tokens).subspan(first, last - first);
  segment.tokens.assign(tokens.begin(), tokens.end());
  if (!result.token_logprobs.empty()) {
    const auto logprobs = std::span(result.token_logprobs).subspan(first, last - first);
    segment.token_logprobs.assign(logprobs.begin(), logprobs.end());
  }
  std::vector<int> text;
  append_text(tokens, generation, text);
  segment.text = tokenizer.decode(text);
  segment.temperature = result.temperature;
  segment.avg_logprob = result.avg_logprob;
  segment.compression_ratio = result.compression_ratio;
  segment.no_speech_prob = result.no_speech_prob;
  return segment;
}

}  // namespace

void append_text(std::span<const int> tokens, const GenerationConfig& generation,
                 std::vector<int>& text) {
  for (const int token : tokens) {
    if (token < generation.eos_token_id) text.push_back(token);
  }
}

int frame_at(double seconds) {
  return static_cast<int>(std::nearbyint(seconds * kFramesPerSecond));
}

WindowSegments split_segments(const DecodingResult& result, const WindowPlace& place,
                              const Tokenizer& tokenizer, const GenerationConfig& generation,
                              Rest rest) {
  const std::span<const int> tokens(result.tokens);
  const int timestamp_begin = generation.timestamp_begin();
  const auto is_timestamp = [&](size_t i) { return tokens[i] >= timestamp_begin; };
  const auto seconds = [&](int token) { return (token - timestamp_begin) * kTimePrecision; };
  const size_t count = tokens.size();

  WindowSegments window;
  window.next_seek = place.seek + place.segment_size;
  window.single_timestamp_ending =
      count >= 2 && !is_timestamp(count - 2) && is_timestamp(count - 1);

  std::vector<size_t> cuts;
  for (size_t i = 1; i < count; ++i) {
    if (is_timestamp(i - 1) && is_timestamp(i)) cuts.push_back(i);
  }
  const double offset = place.time_offset();
  if (cuts.empty()) {
    double duration = place.segment_duration();
    for (size_t i = count; i-- > 0;) {
      if (!is_timestamp(i)) continue;
      if (tokens[i] != timestamp_begin) duration = seconds(tokens[i]);
      break;
    }
    window.segments.push_back(
        new_segment(result, place, offset, offset + duration, 0, count, tokenizer, generation));
    return window;
  }

  const bool has_rest = cuts.back() + 1 < count;  // more than the timestamp it begins with
  if (window.single_timestamp_ending || (has_rest && rest == Rest::keep)) {
    cuts.push_back(count);
  } else {
    window.next_seek =
        place.seek + (tokens[cuts.back() - 1] - timestamp_begin) * kFramesPerPosition;
  }
  size_t begin = 0;
  for (const size_t end : cuts) {
    const double last = is_timestamp(end - 1) ? seconds(tokens[end - 1]) : place.segment_duration();
    window.segments.push_back(new_segment(result, place, offset + seconds(tokens[begin]),
                                          offset + last, begin, end, tokenizer, generation));
    begin = end;
  }
  return window;
}

bool says_something(const Segment& segment) {
  return segment.start != segment.end && !stripped(segment.text).empty();
}

void shrink(Segment& segment) {
  segment.text.shrink_to_fit();
  segment.tokens.shrink_to_fit();
  segment.words.shrink_to_fit();
}

std::string text_of(std::span<const Segment> segments, const Tokenizer& tokenizer,
                    const GenerationConfig& generation) {
  std::vector<int> text;
  for (const Segment& segment : segments) append_text(segment.tokens, generation, text);
  return tokenizer.decode(text);
}

}  // namespace whisper_s4y
