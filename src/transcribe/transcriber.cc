#include "whisper_s4y/transcriber.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/boundary.h"
#include "decoding/window_decoder.h"
#include "runtime/whisper_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/check_options.h"
#include "transcribe/language_vote.h"
#include "transcribe/log_mel.h"
#include "transcribe/sound_buffer.h"
#include "transcribe/speech_windows.h"
#include "transcribe/transcribe_recording.h"
#include "transcribe/window_transcriber.h"

namespace whisper_s4y {

namespace {

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
    return transcribe(options, callbacks, [&](const TranscribeOptions&) {
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
    Transcript transcript = transcribe(options, callbacks, [&](const TranscribeOptions& checked) {
      return std::make_unique<DecodedSound>(audio, kept_sound(checked));
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

Transcript Transcriber::transcribe(const TranscribeOptions& options,
                                   const TranscribeCallbacks& callbacks, const OpenSound& open) {
  const TranscribeCallbacks inside = guarded_callbacks(callbacks);
  const TranscribeOptions checked = checked_options(options, *model_);
  std::vector<std::string> warnings = cut_texts(checked, *model_, *tokenizer_);
  if (inside.on_warning) std::ranges::for_each(warnings, inside.on_warning);
  const auto detector_in = [&](std::unique_ptr<SpeechDetector>& place) -> DetectorSource {
    return [&]() -> SpeechDetector& { return speech_detector(place, inside); };
  };
  const TranscribeTools tools = {.model = *model_,
                                 .tokenizer = *tokenizer_,
                                 .detector = detector_in(speech_detector_),
                                 .listener = detector_in(speech_listener_),
                                 .workers = [&](int count) { return workers(count); }};
  Transcript transcript = transcribe_recording(tools, *open(checked), checked, inside);
  transcript.warnings = std::move(warnings);
  return transcript;
}

SpeechDetector& Transcriber::speech_detector(std::unique_ptr<SpeechDetector>& place,
                                             const TranscribeCallbacks& callbacks) {
  if (!place) place = make_speech_detector(callbacks.on_warning);
  return *place;
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
    const DetectorSource detector = [&]() -> SpeechDetector& {
      return speech_detector(speech_detector_, {});
    };
    MemorySound sound(audio);
    const std::vector<Clip> clips =
        clips_of(checked.clip_timestamps, static_cast<int>(audio.size() / kHopLength));
    SpeechWindows windows(detector, sound, clips);
    WindowTranscriber window(*model_, *tokenizer_, checked);
    LanguageVote vote(checked.language_detection_threshold);
    for (int i = 0; i < checked.language_detection_segments; ++i) {
      const std::optional<int> begin = windows.next();
      if (!begin) break;
      const size_t first = std::min(audio.size(), static_cast<size_t>(*begin) * kHopLength);
      const size_t size = std::min<size_t>(audio.size() - first, kWindowSamples);
      MemorySound shown(audio.subspan(first, size));
      LogMel log_mel(*model_, shown);
      window.encode_with_silence(log_mel, 0);
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
