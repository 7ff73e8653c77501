// Where in a recording there is something to hear, and times that stay within it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "config/front_end.h"
#include "decoding/word_timing.h"
#include "transcribe/segments.h"
#include "whisper_s4y/transcript.h"

namespace whisper_s4y {

inline constexpr double kShortestCue = kTimePrecision;  // seconds; the model's times are no finer

/// Seconds [begin, end).
struct SoundSpan {
  double begin = 0;
  double end = 0;

  bool operator==(const SoundSpan&) const = default;
};

/// SoundSpans of sound, in order. Between them is silence: none that anything could be heard in, or
/// what voice activity detection has taken out, and then the spans touch.
class SoundSpans {
 public:
  SoundSpans() = default;
  explicit SoundSpans(std::vector<SoundSpan> spans) : spans_(std::move(spans)) {}

  /// One more, after the others.
  void add(const SoundSpan& span) { spans_.push_back(span); }
  /// The last one ends later than was known.
  void extend(double end) { spans_.back().end = end; }

  [[nodiscard]] const SoundSpan& operator[](size_t index) const { return spans_[index]; }
  [[nodiscard]] size_t size() const { return spans_.size(); }

  /// The span that most of the time is in, or that is the nearest.
  [[nodiscard]] size_t main(double start, double end) const;

  /// Whether so much of the time is in more than one that the text may be said in both: the model's
  /// times are rough, and a span may begin and end with a little silence.
  [[nodiscard]] bool reaches_over(double start, double end) const;

 private:
  std::vector<SoundSpan> spans_;
};

/// Cuts a segment between words of different spans and adds the parts to `parts`. `words` are
/// those of its text, with times from the window's start.
void cut_segment(const Segment& segment, std::span<const WordTiming> words,
                 const WindowPlace& place, const SoundSpans& spans, const Tokenizer& tokenizer,
                 const GenerationConfig& generation, std::vector<Segment>& parts);

/// Ends segments at the window's end at the latest; what begins there or later was made up and
/// goes.
void end_with_window(std::vector<Segment>& segments, const WindowPlace& place);

/// Puts a segment and its words in order, within `limits` and not before `earliest`, each of some
/// length. False when there is no room for it: the model gave it no time.
[[nodiscard]] bool put_in_order(Segment& segment, const SoundSpan& limits, double earliest);

}  // namespace whisper_s4y
