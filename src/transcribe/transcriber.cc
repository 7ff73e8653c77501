#include "whisper_s4y/transcriber.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/boundary.h"
#include "common/cancellation.h"
#include "common/check_samples.h"
#include "common/held.h"
#include "decoding/window_decoder.h"
#include "runtime/model_state.h"
#include "runtime/whisper_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/check_options.h"
#include "transcribe/language_vote.h"
#include "transcribe/log_mel.h"
#include "transcribe/segments.h"
#include "transcribe/sound_buffer.h"
#include "transcribe/speech.h"
#include "transcribe/speech_windows.h"
#include "transcribe/transcribe_recording.h"
#include "transcribe/transcriber_over.h"
#include "transcribe/window_transcriber.h"

namespace whisper_s4y {

namespace {

/// Models and sound ask the caller while it lives.
class CancellationScope {
 public:
  explicit CancellationScope(Cancellation* cancellation) : cancellation_(cancellation) {}
  ~CancellationScope() {
    for (DecoderModel* model : models_) model->set_cancellation(nullptr);
  }
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

  void add(DecoderModel& model) {
    model.set_cancellation(cancellation_);
    models_.push_back(&model);
  }

 private:
  Cancellation* cancellation_;
  std::vector<DecoderModel*> models_;
};

// What the caller's callbacks throw passes through. `given` gets the segments that on_segment
// hears, should they be all there is.
TranscribeCallbacks guarded_callbacks(const TranscribeCallbacks& callbacks,
                                      Cancellation& cancellation, std::vector<Segment>& given) {
  TranscribeCallbacks result{.on_segment = guarded(callbacks.on_segment),
                             .on_languages = guarded(callbacks.on_languages),
                             .on_progress = guarded(callbacks.on_progress),
                             .cancelled = {},
                             .on_warning = guarded(callbacks.on_warning)};
  if (!callbacks.cancelled) return result;
  result.on_segment = [&given, tell = std::move(result.on_segment)](const Segment& segment) {
    given.push_back(segment);
    if (tell) tell(segment);
  };
  result.cancelled = [&cancellation] {
    if (!cancellation.requested_now()) return false;
    cancellation.rethrow();
    return true;
  };
  return result;
}

std::string cut_warning(const Transcript& transcript) {
  const double end = transcript.segments.empty() ? 0.0 : transcript.segments.back().end;
  return fmt::format("The transcription was stopped: what is said after {:.1f} s is missing.", end);
}

}  // namespace

struct Transcriber::Impl {
  explicit Impl(std::unique_ptr<WhisperModel> opened)
      : owned(std::move(opened)), model(*owned), tokenizer(owned->state()->tokenizer()) {}
  explicit Impl(DecoderModel& other)
      : model(other),
        owned_tokenizer(std::in_place, model.info().vocabulary, model.info().generation),
        tokenizer(*owned_tokenizer) {}

  using OpenSound = std::function<std::unique_ptr<SoundBuffer>(const TranscribeOptions& checked)>;
  Transcript transcribe(const TranscribeOptions& options, const TranscribeCallbacks& callbacks,
                        const OpenSound& open);
  [[nodiscard]] Transcript transcript_of(std::vector<Segment> segments, const SoundBuffer& sound,
                                         const TranscribeOptions& options) const;
  SpeechDetector& speech_detector(std::unique_ptr<SpeechDetector>& place,
                                  const TranscribeCallbacks& callbacks);
  std::vector<DecoderModel*> workers(int count);

  std::unique_ptr<WhisperModel> owned;
  DecoderModel& model;
  std::optional<Tokenizer> owned_tokenizer;
  const Tokenizer& tokenizer;
  std::unique_ptr<SpeechDetector> detector;
  std::unique_ptr<SpeechDetector> listener;  // hears whole recordings
  std::vector<std::unique_ptr<DecoderModel>> other_models;
};

struct TranscriberAccess {
  static Transcriber over(DecoderModel& model) {
    return Transcriber(std::make_unique<Transcriber::Impl>(model));
  }
};

Transcriber transcriber_over(DecoderModel& model) { return TranscriberAccess::over(model); }

Transcriber::Transcriber(const std::filesystem::path& model)
    : impl_(with_errors(
          [&] { return std::make_unique<Impl>(std::make_unique<WhisperModel>(model)); })) {}

Transcriber::Transcriber(const Model& model, const SessionOptions& options)
    : impl_(with_errors([&] {
        options.validate();
        return std::make_unique<Impl>(
            std::make_unique<WhisperModel>(ModelState::of(model), options.threads));
      })) {}

Transcriber::Transcriber(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Transcriber::Impl& Transcriber::impl() const { return held(impl_, "Transcriber"); }

Transcriber::~Transcriber() = default;
Transcriber::Transcriber(Transcriber&&) noexcept = default;
Transcriber& Transcriber::operator=(Transcriber&&) noexcept = default;

Transcript Transcriber::transcribe(Span<const float> audio, const TranscribeOptions& options,
                                   const TranscribeCallbacks& callbacks) {
  return with_errors([&] {
    check_samples(audio);
    return impl().transcribe(options, callbacks, [&](const TranscribeOptions&) {
      return std::make_unique<MemorySound>(audio);
    });
  });
}

Transcript Transcriber::transcribe(AudioReader& audio, const TranscribeOptions& options,
                                   const TranscribeCallbacks& callbacks) {
  return with_errors([&] {
    // The first ones are known before anything is read.
    const size_t known = audio.source().warnings.size();
    const auto warn = guarded(callbacks.on_warning);
    if (warn) std::ranges::for_each(audio.source().warnings, warn);
    Transcript transcript =
        impl().transcribe(options, callbacks, [&](const TranscribeOptions& checked) {
          return std::make_unique<DecodedSound>(audio, kept_sound(checked, audio.can_rewind()));
        });
    const std::vector<std::string>& lost = audio.source().warnings;
    if (warn) {
      std::for_each(lost.begin() + static_cast<ptrdiff_t>(std::min(known, lost.size())), lost.end(),
                    warn);
    }
    transcript.warnings.insert(transcript.warnings.begin(), lost.begin(), lost.end());
    return transcript;
  });
}

Transcript Transcriber::Impl::transcribe(const TranscribeOptions& options,
                                         const TranscribeCallbacks& callbacks,
                                         const OpenSound& open) {
  Cancellation cancellation(guarded(callbacks.cancelled));
  Cancellation* const asked = callbacks.cancelled ? &cancellation : nullptr;
  std::vector<Segment> given;
  const TranscribeCallbacks inside = guarded_callbacks(callbacks, cancellation, given);
  const TranscribeOptions checked = checked_options(options, model);
  std::vector<std::string> warnings = cut_texts(checked, model, tokenizer);
  if (inside.on_warning) std::ranges::for_each(warnings, inside.on_warning);
  CancellationScope scope(asked);
  scope.add(model);
  const auto detector_in = [&](std::unique_ptr<SpeechDetector>& place) -> DetectorSource {
    return [&]() -> SpeechDetector& { return speech_detector(place, inside); };
  };
  const TranscribeTools tools = {.model = model,
                                 .tokenizer = tokenizer,
                                 .detector = detector_in(detector),
                                 .listener = detector_in(listener),
                                 .workers = [&](int count) {
                                   auto models = workers(count);
                                   for (DecoderModel* worker : models) scope.add(*worker);
                                   return models;
                                 }};
  const std::unique_ptr<SoundBuffer> sound = open(checked);
  sound->set_cancellation(asked);
  Transcript transcript;
  try {
    if (inside.on_progress) inside.on_progress(0, sound->total_seconds());
    transcript = transcribe_recording(tools, *sound, checked, inside);
  } catch (const Cancelled&) {
    transcript = transcript_of(std::move(given), *sound, checked);
  }
  transcript.is_cut = cancellation.was_requested();
  if (transcript.is_cut) {
    warnings.push_back(cut_warning(transcript));
    if (inside.on_warning) inside.on_warning(warnings.back());
  }
  transcript.warnings = std::move(warnings);
  return transcript;
}

// What there is when the end is missing.
Transcript Transcriber::Impl::transcript_of(std::vector<Segment> segments, const SoundBuffer& sound,
                                            const TranscribeOptions& options) const {
  Transcript transcript = without_speech(options, model.info());
  transcript.duration = static_cast<double>(sound.size().value_or(sound.heard())) / kSampleRate;
  transcript.text = text_of(segments, tokenizer, model.info().generation);
  if (transcript.language.empty() && !segments.empty()) {
    transcript.language = segments.front().language;
  }
  transcript.segments = std::move(segments);
  return transcript;
}

SpeechDetector& Transcriber::Impl::speech_detector(std::unique_ptr<SpeechDetector>& place,
                                                   const TranscribeCallbacks& callbacks) {
  if (!place) place = make_speech_detector(callbacks.on_warning);
  return *place;
}

std::vector<DecoderModel*> Transcriber::Impl::workers(int count) {
  if (count == 1) return {&model};
  // Threads are shared out among them, so another number of them is another set.
  if (other_models.size() != static_cast<size_t>(count)) {
    other_models.clear();  // first: two sets might be more than there is memory for
    std::vector<std::unique_ptr<DecoderModel>> made;
    for (int i = 0; i < count; ++i) made.push_back(model.another(count));
    other_models = std::move(made);
  }
  std::vector<DecoderModel*> models;
  for (const auto& worker : other_models) models.push_back(worker.get());
  return models;
}

bool Transcriber::is_multilingual() const { return impl().model.info().generation.is_multilingual; }

std::vector<std::pair<std::string, float>> Transcriber::detect_language(
    Span<const float> audio, const TranscribeOptions& options,
    const TranscribeCallbacks& callbacks) {
  return with_errors([&] {
    check_samples(audio);
    Cancellation cancellation(guarded(callbacks.cancelled));
    CancellationScope scope(callbacks.cancelled ? &cancellation : nullptr);
    scope.add(impl().model);
    const TranscribeOptions checked = checked_options(options, impl().model);
    const DetectorSource detector = [&]() -> SpeechDetector& {
      return impl().speech_detector(impl().detector, callbacks);
    };
    MemorySound sound(audio);
    const std::vector<Clip> clips =
        clips_of(checked.clip_timestamps, static_cast<int>(audio.size() / kHopLength));
    SpeechWindows windows(detector, sound, clips);
    WindowTranscriber window(impl().model, impl().tokenizer, checked);
    LanguageVote vote(checked.language_detection_threshold);
    for (int i = 0; i < checked.language_detection_segments; ++i) {
      const std::optional<int> begin = windows.next();
      if (!begin) break;
      const size_t first = std::min(audio.size(), static_cast<size_t>(*begin) * kHopLength);
      const size_t size = std::min<size_t>(audio.size() - first, kWindowSamples);
      MemorySound shown(audio.subspan(first, size));
      LogMel log_mel(impl().model, shown);
      window.encode_with_silence(log_mel, 0);
      if (vote.decides(window.language_probs())) break;
    }
    return likeliest_first(vote.probs());
  });
}

}  // namespace whisper_s4y
