#include "whisper_s4y/transcriber.h"

#include <algorithm>
#include <utility>

#include "common/boundary.h"
#include "decoding/window_decoder.h"
#include "runtime/whisper_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/batched.h"
#include "transcribe/check_options.h"
#include "transcribe/language_stretches.h"
#include "transcribe/language_vote.h"
#include "transcribe/log_mel.h"
#include "transcribe/long_form.h"
#include "transcribe/speech.h"
#include "transcribe/speech_windows.h"
#include "transcribe/window_transcriber.h"

namespace whisper_s4y {

namespace {

Transcript without_speech(std::span<const float> audio, const TranscribeOptions& options,
                          const ModelInfo& info) {
  Transcript transcript;
  transcript.duration = static_cast<double>(audio.size()) / kSampleRate;
  if (options.language || !info.generation.is_multilingual) {
    transcript.language = options.language.value_or("en");
    transcript.language_probability = 1.0F;
  }
  return transcript;
}

std::unique_ptr<Tokenizer> tokenizer_of(DecoderModel& model) {
  return with_errors([&] {
    return std::make_unique<Tokenizer>(model.info().vocabulary, model.info().generation);
  });
}

// What the caller's callbacks throw passes through, and what was cancelled once stays so: nobody
// is asked again.
TranscribeCallbacks guarded_callbacks(const TranscribeCallbacks& callbacks) {
  TranscribeCallbacks result{.on_segment = guarded(callbacks.on_segment),
                             .on_progress = guarded(callbacks.on_progress),
                             .cancelled = {},
                             .on_warning = guarded(callbacks.on_warning)};
  if (callbacks.cancelled) {
    result.cancelled = [ask = guarded(callbacks.cancelled), is_cancelled = false]() mutable {
      is_cancelled = is_cancelled || ask();
      return is_cancelled;
    };
  }
  return result;
}

// The languages of the speech within the clips.
std::vector<LanguageStretch> find_stretches(DecoderModel& model, const Tokenizer& tokenizer,
                                            std::span<const float> audio,
                                            std::span<const float> speech_probs,
                                            const TranscribeOptions& options,
                                            const TranscribeCallbacks& callbacks) {
  const auto length = static_cast<int64_t>(audio.size());
  WindowTranscriber window(model, tokenizer, options);
  std::vector<SpokenPiece> pieces;
  for (const SpeechSegment& place :
       within_clips(pieces_of_speech(speech_probs, length), length, options)) {
    if (callbacks.cancelled && callbacks.cancelled()) break;
    const LogMel log_mel(model, collect_audio(audio, {&place, 1}));
    window.encode_with_silence(log_mel, 0);
    pieces.push_back({place, window.language_probs()});
  }
  return stretches_of(pieces, length);
}

// The speech as a recording of its own, whose times are taken back to the real one's.
Transcript transcribe_speech(DecoderModel& model, const Tokenizer& tokenizer,
                             std::span<const float> audio, std::span<const SpeechSegment> speech,
                             TranscribeOptions options, const TranscribeCallbacks& callbacks,
                             std::span<const LanguageStretch> stretches) {
  const SpeechTimestampsMap map(speech);
  const double duration = static_cast<double>(audio.size()) / kSampleRate;
  options.clip_timestamps.clear();  // speech is within them already
  TranscribeCallbacks inner = callbacks;
  if (callbacks.on_segment) {
    inner.on_segment = [&](const Segment& segment) {
      Segment restored = segment;
      restore_times(restored, map);
      callbacks.on_segment(restored);
    };
  }
  if (callbacks.on_progress) {
    inner.on_progress = [&](double done, double) {
      callbacks.on_progress(map.original_time(done, true), duration);
    };
  }
  const std::vector<float> joined = collect_audio(audio, speech);
  const auto joined_languages = joined_stretches(runs_of(speech, stretches));
  Transcript transcript =
      LongForm(model, tokenizer, joined, options, inner, {}, joined_languages, joined_spans(speech))
          .run();
  for (Segment& segment : transcript.segments) restore_times(segment, map);
  transcript.duration = duration;
  return transcript;
}

}  // namespace

Transcriber::Transcriber(const std::filesystem::path& model)
    : owned_(with_errors([&] { return std::make_unique<WhisperModel>(model); })),
      model_(owned_.get()),
      tokenizer_(tokenizer_of(*model_)) {}

Transcriber::Transcriber(DecoderModel& model) : model_(&model), tokenizer_(tokenizer_of(model)) {}

Transcriber::~Transcriber() = default;
Transcriber::Transcriber(Transcriber&&) noexcept = default;
Transcriber& Transcriber::operator=(Transcriber&&) noexcept = default;

Transcript Transcriber::transcribe(Span<const float> audio, const TranscribeOptions& options,
                                   const TranscribeCallbacks& callbacks) {
  return with_errors([&] {
    const TranscribeCallbacks inside = guarded_callbacks(callbacks);
    const TranscribeOptions checked = checked_options(options, *model_);
    std::vector<std::string> warnings = cut_texts(checked, *model_, *tokenizer_);
    if (inside.on_warning) std::ranges::for_each(warnings, inside.on_warning);
    Transcript transcript = transcribe_checked(audio, checked, inside);
    transcript.warnings = std::move(warnings);
    return transcript;
  });
}

Transcript Transcriber::transcribe_checked(Span<const float> audio,
                                           const TranscribeOptions& options,
                                           const TranscribeCallbacks& callbacks) {
  const bool speech_only = options.vad_filter || options.batch_size > 0;
  const DetectorSource detector = [&]() -> SpeechDetector& { return speech_detector(callbacks); };
  if (!speech_only && !options.multilingual) {
    return LongForm(*model_, *tokenizer_, audio, options, callbacks, detector).run();
  }
  const std::vector<float> speech_probs = detector().speech_probs(audio);
  std::vector<LanguageStretch> stretches;
  if (options.multilingual) {
    stretches = find_stretches(*model_, *tokenizer_, audio, speech_probs, options, callbacks);
  }
  if (!speech_only) {
    return LongForm(*model_, *tokenizer_, audio, options, callbacks, detector, stretches).run();
  }
  const auto speech = find_speech(speech_probs, static_cast<int64_t>(audio.size()), options);
  if (speech.empty()) return without_speech(audio, options, model_->info());
  if (options.batch_size == 0) {
    return transcribe_speech(*model_, *tokenizer_, audio, speech, options, callbacks, stretches);
  }
  const auto models = workers(options.batch_size);
  return Batched(models, *tokenizer_, audio, speech, options, callbacks, stretches).run();
}

SpeechDetector& Transcriber::speech_detector(const TranscribeCallbacks& callbacks) {
  if (!speech_detector_) speech_detector_ = make_speech_detector(callbacks.on_warning);
  return *speech_detector_;
}

std::vector<DecoderModel*> Transcriber::workers(int count) {
  if (count == 1) return {model_};
  // Threads are shared out among them, so another number of them is another set.
  if (workers_.size() != static_cast<size_t>(count)) {
    workers_.clear();  // first: two sets might be more than there is memory for
    std::vector<std::unique_ptr<DecoderModel>> made;
    for (int i = 0; i < count; ++i) made.push_back(model_->another(count));
    workers_ = std::move(made);
  }
  std::vector<DecoderModel*> models;
  for (const auto& worker : workers_) models.push_back(worker.get());
  return models;
}

bool Transcriber::is_multilingual() const { return model_->info().generation.is_multilingual; }

std::vector<std::pair<std::string, float>> Transcriber::detect_language(
    Span<const float> audio, const TranscribeOptions& options) {
  return with_errors([&] {
    const TranscribeOptions checked = checked_options(options, *model_);
    const DetectorSource detector = [&]() -> SpeechDetector& { return speech_detector({}); };
    const std::vector<Clip> clips =
        clips_of(checked.clip_timestamps, static_cast<int>(audio.size() / kHopLength));
    SpeechWindows windows(detector, audio, clips);
    WindowTranscriber window(*model_, *tokenizer_, checked);
    LanguageVote vote(checked.language_detection_threshold);
    for (int i = 0; i < checked.language_detection_segments; ++i) {
      const std::optional<int> begin = windows.next();
      if (!begin) break;
      const size_t first = std::min(audio.size(), static_cast<size_t>(*begin) * kHopLength);
      const size_t size = std::min<size_t>(audio.size() - first, kWindowSamples);
      window.encode_with_silence(LogMel(*model_, audio.subspan(first, size)), 0);
      if (vote.decides(window.language_probs())) break;
    }
    LanguageProbs probs = vote.probs();
    std::stable_sort(probs.begin(), probs.end(), [](const auto& left, const auto& right) {
      return left.second > right.second;
    });
    return probs;
  });
}

}  // namespace whisper_s4y
