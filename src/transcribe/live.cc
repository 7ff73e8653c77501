#include "whisper_s4y/live.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/boundary.h"
#include "common/utf8.h"
#include "transcribe/local_agreement.h"
#include "vad/speech_stream.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

const LiveOptions& validated(const LiveOptions& options) {
  options.validate();
  return options;
}

double seconds(int64_t samples) { return static_cast<double>(samples) / kSampleRate; }

}  // namespace

struct LiveTranscriber::Impl {
  Impl(Transcriber& transcriber_, SpeechDetector& detector, LiveOptions options_, Callback on_text_)
      : transcriber(transcriber_),
        options(std::move(options_)),
        on_text(std::move(on_text_)),
        stream(detector, validated(options).vad),
        initial_prompt(options.transcribe.initial_prompt) {}

  /// One event after the other; those behind one that fails are for the next time.
  void handle(const std::vector<SpeechEvent>& more) {
    events.insert(events.end(), more.begin(), more.end());
    while (!events.empty()) {
      const SpeechEvent event = events.front();
      events.pop_front();
      switch (event.kind) {
        case SpeechEvent::Kind::start:
          start = event.sample;
          heard_until = *start;
          agreement = {};
          told = false;
          break;
        case SpeechEvent::Kind::end:
          end_utterance(event.sample);
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

  void end_utterance(int64_t end) {
    try {
      finish_utterance(end, transcribe(end, true));
    } catch (...) {
      start.reset();  // it is over, with or without its text
      throw;
    }
  }

  void finish_utterance(int64_t end, const std::string& text) {
    agreement.finish(text);
    const bool nothing = trimmed(agreement.confirmed()).empty();
    if (!nothing && options.transcribe.condition_on_previous_text) {
      initial_prompt = options.transcribe.initial_prompt + agreement.confirmed();
    }
    const int64_t begin = *start;
    start.reset();
    if (!nothing || told) tell(begin, end, true);  // what was told of must come to an end
  }

  void update() {
    const int64_t end = stream.position();
    if (!start || seconds(end - heard_until) < options.update_interval) return;
    agreement.hear(transcribe(end, false));
    heard_until = end;
    tell(*start, end, false);
  }

  void tell(int64_t begin, int64_t end, bool final) {
    told = true;
    if (!on_text) return;
    guarded(on_text)({.confirmed = agreement.confirmed(),
                      .tentative = agreement.tentative(),
                      .start = seconds(begin),
                      .end = seconds(end),
                      .is_final = final});
  }

  /// Sound before an utterance is needed as far as the padding goes and a chunk more.
  void forget() {
    const int64_t padding = int64_t{kSampleRate} * options.vad.speech_pad_ms / 1000;
    // Events that wait may begin anywhere in what is there.
    if (!events.empty()) return;
    const int64_t needed = start.value_or(stream.position() - padding - 2 * kVadChunk);
    if (needed <= first_sample) return;
    samples.erase(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(needed - first_sample));
    first_sample = needed;
  }

  /// forget(), whatever happens.
  struct Forgetting {
    Impl& impl;
    ~Forgetting() { impl.forget(); }
  };

  Transcriber& transcriber;
  LiveOptions options;
  Callback on_text;
  SpeechStream stream;
  std::string initial_prompt;
  std::vector<float> samples;  // since first_sample
  int64_t first_sample = 0;
  std::deque<SpeechEvent> events;  // not handled yet
  std::optional<int64_t> start;    // of the utterance; nothing in silence
  int64_t heard_until = 0;         // end of the last hypothesis
  LocalAgreement agreement;
  bool told = false;  // something of the utterance
};

LiveTranscriber::LiveTranscriber(Transcriber& transcriber, SpeechDetector& detector,
                                 LiveOptions options, Callback on_text)
    : impl_(with_errors([&] {
        return std::make_unique<Impl>(transcriber, detector, std::move(options),
                                      std::move(on_text));
      })) {}

LiveTranscriber::~LiveTranscriber() = default;

void LiveTranscriber::push(std::span<const float> samples) {
  with_errors([&] {
    const Impl::Forgetting forgetting{*impl_};
    impl_->samples.insert(impl_->samples.end(), samples.begin(), samples.end());
    impl_->handle(impl_->stream.push(samples));
    impl_->update();
  });
}

void LiveTranscriber::finish() {
  with_errors([&] {
    const Impl::Forgetting forgetting{*impl_};
    impl_->handle(impl_->stream.finish());
  });
}

}  // namespace whisper_s4y
