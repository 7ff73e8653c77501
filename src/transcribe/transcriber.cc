#include "whisper_s4y/transcriber.h"

#include <algorithm>
#include <utility>

#include "common/boundary.h"
#include "decoding/window_decoder.h"
#include "runtime/whisper_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/batched.h"
#include "transcribe/check_options.h"
#include "transcribe/log_mel.h"
#include "transcribe/long_form.h"
#include "transcribe/speech.h"

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

// The speech as a recording of its own, whose times are taken back to the real one's.
Transcript transcribe_speech(DecoderModel& model, const Tokenizer& tokenizer,
                             std::span<const float> audio, std::span<const SpeechSegment> speech,
                             TranscribeOptions options, const TranscribeCallbacks& callbacks) {
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
  Transcript transcript = LongForm(model, tokenizer, joined, options, inner).run();
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

Transcript Transcriber::transcribe(std::span<const float> audio, const TranscribeOptions& options,
                                   const TranscribeCallbacks& callbacks) {
  return with_errors([&] {
    const TranscribeCallbacks inside = guarded_callbacks(callbacks);
    const TranscribeOptions checked = checked_options(options, *model_);
    if (!checked.vad_filter && checked.batch_size == 0) {
      return LongForm(*model_, *tokenizer_, audio, checked, inside).run();
    }
    const auto speech = find_speech(speech_detector(inside), audio, checked);
    if (speech.empty()) return without_speech(audio, checked, model_->info());
    if (checked.batch_size == 0) {
      return transcribe_speech(*model_, *tokenizer_, audio, speech, checked, inside);
    }
    const auto models = workers(checked.batch_size);
    return Batched(models, *tokenizer_, audio, speech, checked, inside).run();
  });
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

std::vector<std::pair<std::string, float>> Transcriber::detect_language(
    std::span<const float> audio) {
  return with_errors([&] {
    const LogMel log_mel(*model_, audio.first(std::min<size_t>(audio.size(), kWindowSamples)));
    std::vector<float> window(static_cast<size_t>(model_->info().config.num_mel_bins) *
                              kWindowFrames);
    log_mel.window(0, window);
    model_->encode(window);
    LanguageProbs probs = whisper_s4y::detect_language(*model_);
    std::stable_sort(probs.begin(), probs.end(), [](const auto& left, const auto& right) {
      return left.second > right.second;
    });
    return probs;
  });
}

}  // namespace whisper_s4y
