// The speech of a recording, found as it is heard, cut out, and the way back to the recording's
// times.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "config/front_end.h"
#include "transcribe/clips.h"
#include "transcribe/sound_buffer.h"
#include "transcribe/sound_spans.h"
#include "vad/speech_segments.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

inline constexpr double kLongestChunk = kWindowSeconds;  // seconds of speech

/// What counts as speech by the options. With options.batch_size no segment is longer than
/// kLongestChunk.
[[nodiscard]] VadOptions speech_options(const TranscribeOptions& options);

/// Hears a recording once from its beginning on, for all who want to know where somebody speaks.
class SpeechListener {
 public:
  /// Both outlive the object; the detector hears nothing else meanwhile.
  SpeechListener(SoundBuffer& sound, SpeechDetector& detector);

  /// From now on the segmenter, which outlives the object, is told what is heard; `then` is called
  /// after that.
  void tell(SpeechSegmenter& segmenter, std::function<void()> then = {}) {
    listeners_.push_back({&segmenter, std::move(then)});
  }

  /// Hears about a second more; false when there is no more.
  bool hear();
  /// Samples heard.
  [[nodiscard]] int64_t heard() const { return heard_; }
  [[nodiscard]] bool is_over() const { return is_over_; }

 private:
  SoundBuffer& sound_;
  SpeechDetector& detector_;
  struct Listening {
    SpeechSegmenter* segmenter;
    std::function<void()> then;
  };
  std::vector<Listening> listeners_;
  int64_t heard_ = 0;
  bool is_over_ = false;
  std::vector<float> samples_;
  std::vector<float> probs_;
};

/// Samples of the clips of options.clip_timestamps, by the frames that a recording has.
class ClipSamples {
 public:
  /// No timestamps: one clip, all of the recording, which outlives the object.
  ClipSamples(std::span<const double> clip_timestamps, const SoundBuffer& sound);

  [[nodiscard]] size_t size() const { return clips_.size(); }
  /// Within the recording, as far as its length is known.
  [[nodiscard]] SpeechSegment operator[](size_t index) const;

 private:
  const SoundBuffer& sound_;
  std::vector<Clip> clips_;
  bool is_whole_;  // one clip that ends with the last sample, not with the last whole frame
};

/// Stretches of speech one after the other.
class SpeechParts {
 public:
  virtual ~SpeechParts() = default;
  /// Nothing when there are no more.
  [[nodiscard]] virtual std::optional<SpeechSegment> next() = 0;
};

/// What segments and clips have in common, clip after clip. A segment that two clips cut is two.
class ClippedSpeech : public SpeechParts {
 public:
  /// All of them outlive the object; the listener tells the segmenter.
  ClippedSpeech(SpeechListener& listener, const SpeechSegmenter& segmenter,
                const ClipSamples& clips)
      : listener_(listener), segmenter_(segmenter), clips_(clips) {}

  [[nodiscard]] std::optional<SpeechSegment> next() override;

 private:
  SpeechListener& listener_;
  const SpeechSegmenter& segmenter_;
  const ClipSamples& clips_;
  size_t clip_ = 0;
  size_t segment_ = 0;
};

/// The same speech, joined, as a recording of its own. What is certain to be in a segment is there
/// before the segment has ended.
class JoinedSpeech : public SoundBuffer {
 public:
  /// All of them outlive the object; the listener tells the segmenter. `goes_on` is asked before
  /// more of the recording is heard; false ends the speech.
  JoinedSpeech(SoundBuffer& sound, SpeechListener& listener, const SpeechSegmenter& segmenter,
               const ClipSamples& clips, std::function<bool()> goes_on);

  /// Where each part of the speech stands, as far as it was heard. The last one may go on.
  [[nodiscard]] const SoundSpans& spans() const { return spans_; }
  /// The way back; nothing before there is any speech.
  [[nodiscard]] const std::optional<SpeechTimestampsMap>& map() const { return map_; }

  [[nodiscard]] int64_t look_ahead(int64_t position) override;
  bool hear_ahead(int64_t position) override;
  // Nobody else listens.
  void done_before(int64_t sample) override { forget_before(sample); }
  [[nodiscard]] bool can_rewind() const override { return sound_.can_rewind(); }
  [[nodiscard]] double total_seconds() const override { return sound_.total_seconds(); }

 private:
  bool fill() override;
  void restart() override;
  void give(int64_t begin, int64_t end);
  void enter(size_t clip, size_t segment);

  SoundBuffer& sound_;
  SpeechListener& listener_;
  const SpeechSegmenter& segmenter_;
  const ClipSamples& clips_;
  std::function<bool()> goes_on_;
  size_t clip_ = 0;
  size_t segment_ = 0;
  int64_t taken_ = -1;  // end of what was given of the segment; -1: nothing yet
  int64_t given_ = 0;   // samples in all
  int64_t known_ = 0;   // samples that spans_ and map_ tell of
  SoundSpans spans_;
  std::optional<SpeechTimestampsMap> map_;
};

/// Samples of a recording that are kept while its speech is looked for.
[[nodiscard]] int64_t kept_for_speech(const VadOptions& options);

/// What there is to say of a recording in which nobody speaks.
[[nodiscard]] Transcript without_speech(const TranscribeOptions& options, const ModelInfo& info);

/// Where each segment stands when they are joined.
[[nodiscard]] SoundSpans joined_spans(std::span<const SpeechSegment> speech);

/// Takes the times of a segment and its words, all of which are in one stretch of speech, from the
/// joined speech back to the recording.
void restore_times(Segment& segment, const SpeechTimestampsMap& map);

}  // namespace whisper_s4y
