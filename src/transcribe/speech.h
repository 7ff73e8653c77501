// The speech of a recording, cut out, and the way back to the recording's times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/front_end.h"
#include "transcribe/sound_spans.h"
#include "vad/speech_segments.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

inline constexpr double kLongestChunk = kWindowSeconds;  // seconds of speech

/// Where somebody speaks in what options.clip_timestamps leave of the recording of `audio_length`
/// samples; `speech_probs` are the detector's for all of it. With options.batch_size no segment is
/// longer than kLongestChunk.
[[nodiscard]] std::vector<SpeechSegment> find_speech(std::span<const float> speech_probs,
                                                     int64_t audio_length,
                                                     const TranscribeOptions& options);

/// What the segments and options.clip_timestamps have in common.
[[nodiscard]] std::vector<SpeechSegment> within_clips(std::span<const SpeechSegment> segments,
                                                      int64_t audio_length,
                                                      const TranscribeOptions& options);

/// Where each segment stands in collect_audio().
[[nodiscard]] SoundSpans joined_spans(std::span<const SpeechSegment> speech);

/// Takes the times of a segment and its words, all of which are in one stretch of speech, from the
/// joined speech back to the recording.
void restore_times(Segment& segment, const SpeechTimestampsMap& map);

}  // namespace whisper_s4y
