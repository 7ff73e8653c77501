#include "whisper_s4y/live.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/boundary.h"
#include "common/cancellation.h"
#include "common/check_samples.h"
#include "common/utf8.h"
#include "decoding/window_decoder.h"
#include "transcribe/language_stretches.h"
#include "transcribe/language_vote.h"
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

// Less sound never settles a language.
constexpr double kTellingSeconds = 2.0;

/// What utterances are in, when that is to be detected.
class UtteranceLanguages {
 public:
  explicit UtteranceLanguages(const TranscribeOptions& options)
      : options_(options), vote_(options.language_detection_threshold) {}

  [[nodiscard]] bool detects(const Transcriber& transcriber) const {
    return transcriber.is_multilingual() && options_.language.value_or("auto") == "auto";
  }

  void begin_utterance() {
    if (options_.multilingual) settled_ = false;
  }

  /// The language of an utterance so far. It changes no more once there was enough sound to be
  /// sure; without `multilingual` that holds for all utterances.
  std::string of(Transcriber& transcriber, std::span<const float> utterance, bool final,
                 const TranscribeCallbacks& callbacks) {
    if (settled_) return language_;
    TranscribeOptions how;
    how.languages = options_.languages;
    how.language_detection_segments = 1;
    LanguageProbs probs = transcriber.detect_language(utterance, how, callbacks);
    std::ranges::sort(probs);  // as the vote needs it
    const bool telling = seconds(static_cast<int64_t>(utterance.size())) >= kTellingSeconds;
    if (options_.multilingual) {
      const std::string heard = likeliest_after(before_, probs, utterance.size());
      if (final) before_ = heard;
      settled_ = telling && most_likely(probs).second > options_.language_detection_threshold;
      language_ = heard;
      return language_;
    }
    LanguageVote vote = vote_;
    settled_ = vote.decides(probs) && telling;
    language_ = most_likely(vote.probs()).first;
    if (final) vote_ = vote;
    return language_;
  }

 private:
  const TranscribeOptions& options_;
  LanguageVote vote_;     // of the utterances that are over
  std::string before_;    // language of the utterance before
  std::string language_;  // as far as is known
  bool settled_ = false;
};

}  // namespace

struct LiveTranscriber::Impl {
  Impl(TranscriberLender lend_, SpeechDetector& detector, LiveOptions options_,
       LiveCallbacks callbacks_)
      : lend(std::move(lend_)),
        options(std::move(options_)),
        callbacks(std::move(callbacks_)),
        stream(detector, validated(options).vad),
        previous_text(options.transcribe.initial_prompt),
        languages(options.transcribe) {}

  /// Finds what is new in the samples. The caller may stop it between two pieces; what comes behind
  /// is then not heard.
  void hear(std::span<const float> heard) {
    constexpr size_t kPiece = size_t{10} * kSampleRate;
    for (;;) {
      const std::span<const float> piece = heard.first(std::min(heard.size(), kPiece));
      samples.insert(samples.end(), piece.begin(), piece.end());
      note(stream.push(piece));
      heard = heard.subspan(piece.size());
      if (heard.empty()) return;
      if (callbacks.cancelled && guarded(callbacks.cancelled)()) throw Cancelled();
    }
  }

  void note(const std::vector<SpeechEvent>& more) {
    events.insert(events.end(), more.begin(), more.end());
    if (!callbacks.on_speech) return;
    for (const SpeechEvent& event : more) {
      guarded(callbacks.on_speech)(
          {.begins = event.kind == SpeechEvent::Kind::start, .time = seconds(event.sample)});
    }
  }

  /// One event after the other; those behind one that fails are for the next time.
  void handle() {
    while (!events.empty()) {
      const SpeechEvent event = events.front();
      events.pop_front();
      switch (event.kind) {
        case SpeechEvent::Kind::start:
          start = event.sample;
          heard_until = *start;
          agreement = {};
          words.clear();
          segments.clear();
          told = false;
          languages.begin_utterance();
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
    const auto begin = static_cast<size_t>(*start - first_sample);
    const auto size = static_cast<size_t>(end - *start);
    const auto utterance = std::span(samples).subspan(begin, size);
    TranscribeCallbacks inside;
    inside.cancelled = guarded(callbacks.cancelled);
    inside.on_warning = guarded(callbacks.on_warning);
    const std::shared_ptr<Transcriber> transcriber = guarded(lend)();
    if (languages.detects(*transcriber)) {
      how.language = languages.of(*transcriber, utterance, final, inside);
      how.languages.clear();
      how.multilingual = false;
    }
    // Text in another language would draw this one into it.
    const bool goes_on = language.empty() || !how.language || *how.language == language;
    if (goes_on) how.initial_prompt = previous_text;
    Transcript transcript = transcriber->transcribe(utterance, how, inside);
    if (transcript.is_cut) throw Cancelled();
    heard_language = transcript.language;
    words.clear();
    for (const Segment& segment : transcript.segments) {
      for (Word word : segment.words) {
        word.start += seconds(*start);
        word.end += seconds(*start);
        words.push_back(std::move(word));
      }
    }
    segments = std::move(transcript.segments);
    return transcript.text;
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
      previous_text = options.transcribe.initial_prompt + agreement.confirmed();
      language = heard_language;
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
    if (!callbacks.on_text) return;
    guarded(callbacks.on_text)({.confirmed = agreement.confirmed(),
                                .tentative = agreement.tentative(),
                                .start = seconds(begin),
                                .end = seconds(end),
                                .is_final = final,
                                .language = heard_language,
                                .words = words,
                                .segments = segments});
  }

  /// Sound before an utterance is needed as far as the padding goes and a chunk more.
  void forget() {
    const int64_t padding = int64_t{kSampleRate} * options.vad.speech_pad_ms / 1000;
    // Events that wait may begin anywhere in what is there.
    if (!events.empty()) return;
    const int64_t needed = start.value_or(stream.position() - padding - 2 * int64_t{kVadChunk});
    if (needed <= first_sample) return;
    samples.erase(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(needed - first_sample));
    first_sample = needed;
  }

  /// forget(), whatever happens.
  struct Forgetting {
    Impl& impl;
    ~Forgetting() { impl.forget(); }
  };

  TranscriberLender lend;
  LiveOptions options;
  LiveCallbacks callbacks;
  SpeechStream stream;
  std::string previous_text;   // and the initial prompt
  std::string language;        // of previous_text; empty before the first text
  std::string heard_language;  // of the last hypothesis
  std::vector<Word> words;     // of it
  std::vector<Segment> segments;
  UtteranceLanguages languages;
  std::vector<float> samples;  // since first_sample
  int64_t first_sample = 0;
  std::deque<SpeechEvent> events;  // not handled yet
  std::optional<int64_t> start;    // of the utterance; nothing in silence
  int64_t heard_until = 0;         // end of the last hypothesis
  LocalAgreement agreement;
  bool told = false;  // something of the utterance
};

LiveTranscriber::LiveTranscriber(TranscriberLender lend, SpeechDetector& detector,
                                 LiveOptions options, LiveCallbacks callbacks)
    : impl_(with_errors([&] {
        return std::make_unique<Impl>(std::move(lend), detector, std::move(options),
                                      std::move(callbacks));
      })) {}

LiveTranscriber::LiveTranscriber(Transcriber& transcriber, SpeechDetector& detector,
                                 LiveOptions options, LiveCallbacks callbacks)
    : LiveTranscriber(
          [&transcriber] {
            return std::shared_ptr<Transcriber>(std::shared_ptr<void>(), &transcriber);
          },
          detector, std::move(options), std::move(callbacks)) {}

LiveTranscriber::LiveTranscriber(Transcriber& transcriber, SpeechDetector& detector,
                                 LiveOptions options, Callback on_text)
    : LiveTranscriber(transcriber, detector, std::move(options),
                      LiveCallbacks{std::move(on_text), {}, {}, {}}) {}

LiveTranscriber::~LiveTranscriber() = default;

void LiveTranscriber::push(Span<const float> samples) {
  with_errors([&] {
    check_samples(samples);
    const Impl::Forgetting forgetting{*impl_};
    impl_->hear(samples);
    impl_->handle();
    impl_->update();
  });
}

void LiveTranscriber::finish() {
  with_errors([&] {
    const Impl::Forgetting forgetting{*impl_};
    impl_->note(impl_->stream.finish());
    impl_->handle();
  });
}

}  // namespace whisper_s4y
