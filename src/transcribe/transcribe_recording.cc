#include "transcribe/transcribe_recording.h"

#include <algorithm>
#include <optional>

#include "common/fail.h"
#include "transcribe/batched.h"
#include "transcribe/language_stretches.h"
#include "transcribe/long_form.h"
#include "transcribe/speech.h"

namespace whisper_s4y {
namespace {

/// The recording, its speech and its languages.
class Recording {
 public:
  Recording(const TranscribeTools& tools, SoundBuffer& sound, const TranscribeOptions& options,
            const TranscribeCallbacks& callbacks)
      : tools_(tools),
        sound_(sound),
        options_(options),
        callbacks_(callbacks),
        clips_(options.clip_timestamps, sound) {}

  Transcript transcribe() {
    const bool speech_only = options_.vad_filter || options_.batch_size > 0;
    if (speech_only || options_.multilingual) listener_.emplace(sound_, tools_.listener());
    if (options_.multilingual) {
      languages_.emplace(tools_.model, tools_.tokenizer, sound_, *listener_, clips_, options_,
                         callbacks_);
    }
    if (!speech_only) {
      return LongForm(tools_.model, tools_.tokenizer, sound_, options_, callbacks_, tools_.detector,
                      languages())
          .run();
    }
    SpeechSegmenter segmenter(speech_options(options_));
    listener_->tell(segmenter);
    Transcript transcript =
        options_.batch_size > 0 ? transcribe_batches(segmenter) : transcribe_joined(segmenter);
    if (!(callbacks_.cancelled && callbacks_.cancelled())) {
      transcript.duration_after_vad = seconds_of_speech(segmenter);
    }
    return transcript;
  }

 private:
  /// Of a recording that was heard to its end.
  [[nodiscard]] double seconds_of_speech(const SpeechSegmenter& segmenter) {
    ClippedSpeech speech(*listener_, segmenter, clips_);
    int64_t samples = 0;
    while (const auto part = speech.next()) samples += part->size();
    return static_cast<double>(samples) / kSampleRate;
  }

  [[nodiscard]] LanguageStretches* languages() { return languages_ ? &*languages_ : nullptr; }

  Transcript transcribe_batches(const SpeechSegmenter& segmenter) {
    ClippedSpeech speech(*listener_, segmenter, clips_);
    return Batched(tools_.workers(options_.batch_size), tools_.tokenizer, sound_, speech, options_,
                   callbacks_, languages())
        .run();
  }

  /// The speech as a recording of its own, whose times are taken back to the real one's.
  Transcript transcribe_joined(const SpeechSegmenter& segmenter) {
    int64_t done = 0;  // samples of speech that were transcribed
    std::optional<JoinedSpeech> speech;
    const auto goes_on = [&] {
      if (callbacks_.on_progress && speech->heard() - done < kHopLength) {
        const double heard = static_cast<double>(listener_->heard()) / kSampleRate;
        callbacks_.on_progress(heard, sound_.total_seconds());
      }
      return !(callbacks_.cancelled && callbacks_.cancelled());
    };
    speech.emplace(sound_, *listener_, segmenter, clips_, goes_on);
    if (!speech->reaches(1)) return without_speech(options_, tools_.model.info());

    TranscribeCallbacks inner = callbacks_;
    if (callbacks_.on_segment) {
      inner.on_segment = [&](const Segment& segment) {
        Segment restored = segment;
        restore_times(restored, *speech->map());
        callbacks_.on_segment(restored);
      };
    }
    inner.on_progress = [&](double now, double total) {
      done = static_cast<int64_t>(now * kSampleRate);
      if (callbacks_.on_progress) {
        callbacks_.on_progress(speech->map()->original_time(now, true), total);
      }
    };
    TranscribeOptions options = options_;
    options.clip_timestamps.clear();  // speech is within them already
    std::optional<JoinedLanguages> joined_languages;
    if (languages_) joined_languages.emplace(*languages_, *speech);
    Transcript transcript =
        LongForm(tools_.model, tools_.tokenizer, *speech, options, inner, {},
                 joined_languages ? &*joined_languages : nullptr, &speech->spans())
            .run();
    for (Segment& segment : transcript.segments) restore_times(segment, *speech->map());
    return transcript;
  }

  const TranscribeTools& tools_;
  SoundBuffer& sound_;
  const TranscribeOptions& options_;
  const TranscribeCallbacks& callbacks_;
  ClipSamples clips_;
  std::optional<SpeechListener> listener_;
  std::optional<HeardLanguages> languages_;
};

}  // namespace

int64_t kept_sound(const TranscribeOptions& options, bool can_rewind) {
  const bool speech_only = options.vad_filter || options.batch_size > 0;
  const int64_t for_speech = speech_only ? kept_for_speech(speech_options(options)) : 0;
  if (options.multilingual) return std::max(kKeptSound, for_speech);
  if (speech_only) return for_speech;
  // Log-mel frames are made of what was just heard, and are kept themselves.
  return can_rewind && options.clip_timestamps.empty() ? kJustHeard : kKeptSound;
}

Transcript transcribe_recording(const TranscribeTools& tools, SoundBuffer& sound,
                                const TranscribeOptions& options,
                                const TranscribeCallbacks& callbacks) {
  if (!sound.can_rewind() && !std::ranges::is_sorted(options.clip_timestamps)) {
    fail(ErrorCode::unsupported,
         "The clips of a pipe must be in the order of their times: it can be read only once.");
  }
  Transcript transcript = Recording(tools, sound, options, callbacks).transcribe();
  // How long it is, and what was lost on the way, is known at its end.
  constexpr int64_t kAtOnce = int64_t{600} * kSampleRate;
  while (!sound.size() && !(callbacks.cancelled && callbacks.cancelled()) &&
         sound.reaches(sound.heard() + kAtOnce)) {
    if (callbacks.on_progress) {
      callbacks.on_progress(static_cast<double>(sound.heard()) / kSampleRate,
                            sound.total_seconds());
    }
  }
  transcript.duration = static_cast<double>(sound.size().value_or(sound.heard())) / kSampleRate;
  if (!options.vad_filter && options.batch_size == 0) {
    transcript.duration_after_vad = transcript.duration;
  }
  if (callbacks.on_progress && !(callbacks.cancelled && callbacks.cancelled())) {
    callbacks.on_progress(transcript.duration, transcript.duration);
  }
  return transcript;
}

}  // namespace whisper_s4y
