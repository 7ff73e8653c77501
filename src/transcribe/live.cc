#include "whisper_s4y/live.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/utf8.h"
#include "transcribe/local_agreement.h"
#include "vad/speech_stream.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

double seconds(int64_t samples) { return static_cast<double>(samples) / kSampleRate; }

}  // namespace

struct LiveTranscriber::Impl {
  Impl(Transcriber& transcriber_, SpeechDetector& detector, LiveOptions options_, Callback on_text_)
      : transcriber(transcriber_),
        options(std::move(options_)),
        on_text(std::move(on_text_)),
        stream(detector, options.vad),
        initial_prompt(options.transcribe.initial_prompt) {
    if (!(options.update_interval > 0)) {
      fail("update_interval must be above 0 seconds, not {}.", options.update_interval);
    }
    if (options.transcribe.vad_filter || options.transcribe.batch_size > 0) {
      fail("vad_filter and batch_size are for recordings; live utterances are speech already.");
    }
  }

  void handle(const std::vector<SpeechEvent>& events) {
    for (const SpeechEvent& event : events) {
      switch (event.kind) {
        case SpeechEvent::Kind::start:
          start = event.sample;
          heard_until = *start;
          agreement = {};
          told = false;
          break;
        case SpeechEvent::Kind::end:
          finish_utterance(event.sample, transcribe(event.sample, true));
          break;
        case SpeechEvent::Kind::dropped:
          finish_utterance(heard_until, "");
          break;
      }
    }
  }

  std::string transcribe(int64_t end, bool final) {
    TranscribeOptions how = options.transcribe;
    // A hypothesis that will be replaced is worth one try.
    if (!final) how.temperatures.resize(1);
    how.initial_prompt = initial_prompt;
    const auto begin = static_cast<size_t>(*start - first_sample);
    const auto size = static_cast<size_t>(end - *start);
    return transcriber.transcribe(std::span(samples).subspan(begin, size), how).text;
  }

  void finish_utterance(int64_t end, const std::string& text) {
    agreement.finish(text);
    const bool nothing = trimmed(agreement.confirmed()).empty();
    if (!nothing || told) tell(end, true);  // what was told of must come to an end
    if (!nothing && options.transcribe.condition_on_previous_text) {
      initial_prompt = options.transcribe.initial_prompt + agreement.confirmed();
    }
    start.reset();
  }

  void update() {
    const int64_t end = stream.position();
    if (!start || seconds(end - heard_until) < options.update_interval) return;
    agreement.hear(transcribe(end, false));
    heard_until = end;
    tell(end, false);
  }

  void tell(int64_t end, bool final) {
    told = true;
    on_text({.confirmed = agreement.confirmed(),
             .tentative = agreement.tentative(),
             .start = seconds(*start),
             .end = seconds(end),
             .is_final = final});
  }

  /// Sound before an utterance is needed as far as the padding goes and a chunk more.
  void forget() {
    const int64_t padding = int64_t{kSampleRate} * options.vad.speech_pad_ms / 1000;
    const int64_t needed = start.value_or(stream.position() - padding - 2 * kVadChunk);
    if (needed <= first_sample) return;
    samples.erase(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(needed - first_sample));
    first_sample = needed;
  }

  Transcriber& transcriber;
  LiveOptions options;
  Callback on_text;
  SpeechStream stream;
  std::string initial_prompt;
  std::vector<float> samples;  // since first_sample
  int64_t first_sample = 0;
  std::optional<int64_t> start;  // of the utterance; nothing in silence
  int64_t heard_until = 0;       // end of the last hypothesis
  LocalAgreement agreement;
  bool told = false;  // something of the utterance
};

LiveTranscriber::LiveTranscriber(Transcriber& transcriber, SpeechDetector& detector,
                                 LiveOptions options, Callback on_text)
    : impl_(std::make_unique<Impl>(transcriber, detector, std::move(options), std::move(on_text))) {
}

LiveTranscriber::~LiveTranscriber() = default;

void LiveTranscriber::push(std::span<const float> samples) {
  impl_->samples.insert(impl_->samples.end(), samples.begin(), samples.end());
  impl_->handle(impl_->stream.push(samples));
  impl_->update();
  impl_->forget();
}

void LiveTranscriber::finish() {
  impl_->handle(impl_->stream.finish());
  impl_->forget();
}

}  // namespace whisper_s4y
