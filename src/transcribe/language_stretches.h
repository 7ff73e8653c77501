// The languages of a recording in which more than one is spoken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "decoding/decoding_options.h"
#include "transcribe/speech.h"
#include "transcribe/window_transcriber.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// Samples [start, end) of a recording in which one language is spoken.
struct LanguageStretch {
  int64_t start = 0;
  int64_t end = 0;           // until it is known: later than any sample
  std::string language;      // code
  float probability = 0.0F;  // mean over its speech

  bool operator==(const LanguageStretch&) const = default;
};

/// Which language is spoken where, as far as it was heard. The stretches follow each other without
/// a gap and cover the recording.
class LanguageStretches {
 public:
  virtual ~LanguageStretches() = default;
  /// The stretch that a sample is in, valid until the next call. So much is heard that its end is
  /// right when it is before `until`. Null when nobody speaks in the recording.
  [[nodiscard]] virtual const LanguageStretch* at(int64_t sample, int64_t until) = 0;
};

/// What was said between two pauses, and the languages it may be in.
struct SpokenPiece {
  SpeechSegment place;
  LanguageProbs probs;
};

/// How speech is cut into pieces: at pauses as short as those between two sentences.
[[nodiscard]] VadOptions piece_options();

/// The parts of a recording whose language is detected one by one: what lies between pauses, where
/// a language may end. A short one goes with the neighbour that is nearer.
class PiecesOfSpeech {
 public:
  /// Takes from a segmenter with piece_options() what is new; `is_over`: it will tell no more.
  void take(const SpeechSegmenter& segmenter, bool is_over);

  /// The next piece that will not change any more.
  [[nodiscard]] std::optional<SpeechSegment> next();
  /// The next piece does not begin before.
  [[nodiscard]] int64_t least_start() const;

 private:
  std::deque<SpeechSegment> pieces_;     // final
  std::optional<SpeechSegment> before_;  // may get a short one that follows
  std::optional<SpeechSegment> short_;   // waits to know what follows
  size_t used_ = 0;                      // segments
  int64_t least_start_ = 0;              // of the segments to come
};

/// The language of each piece: the likeliest course when a change of language is rare and a short
/// piece says little (Viterbi). A piece is decided when nothing that follows can change it.
class LanguageCourse {
 public:
  /// All pieces have the same languages.
  void add(SpokenPiece piece);
  /// Decides by what was heard so far: the pieces that begin before `sample`.
  void decide(int64_t sample);

  struct Decided {
    SpeechSegment place;
    std::string language;
    float probability = 0.0F;
  };
  /// The next piece that is decided.
  [[nodiscard]] std::optional<Decided> next();
  /// The first one that is not.
  [[nodiscard]] const SpeechSegment* undecided() const;

 private:
  struct Waiting {
    SpokenPiece piece;
    std::vector<size_t> before;  // for each language the best one of the piece before
  };
  void decide_first(size_t count, size_t language);

  std::vector<float> scores_;  // of the best course so far that ends in a language
  std::deque<Waiting> waiting_;
  std::deque<Decided> decided_;
};

/// The language of speech of `samples` samples that follows speech in `before`, if there was any,
/// by the same rule.
[[nodiscard]] std::string likeliest_after(const std::string& before, const LanguageProbs& probs,
                                          size_t samples);

/// Joins pieces in one language. A stretch begins a little before its speech.
class StretchBuilder {
 public:
  void add(const LanguageCourse::Decided& piece);
  void finish(int64_t audio_length);

  [[nodiscard]] const std::deque<LanguageStretch>& stretches() const { return stretches_; }
  /// Where the last stretch ends when the next piece begins there and is in another language.
  [[nodiscard]] int64_t boundary_before(int64_t start) const;

 private:
  std::deque<LanguageStretch> stretches_;
  int64_t end_ = 0;      // of the piece before
  float speech_ = 0.0F;  // samples in the last stretch
};

/// The stretches of a recording, found by showing the model the pieces of speech within the clips.
class HeardLanguages : public LanguageStretches {
 public:
  /// All of them outlive the object, which tells the listener to hear more when it needs it.
  /// Nothing was heard yet.
  HeardLanguages(DecoderModel& model, const Tokenizer& tokenizer, SoundBuffer& sound,
                 SpeechListener& listener, const ClipSamples& clips,
                 const TranscribeOptions& options, const TranscribeCallbacks& callbacks);

  [[nodiscard]] const LanguageStretch* at(int64_t sample, int64_t until) override;

 private:
  void take_pieces();
  void ask(const SpeechSegment& piece);
  [[nodiscard]] int64_t known() const;
  void hear(int64_t until);

  DecoderModel& model_;
  SoundBuffer& sound_;
  SpeechListener& listener_;
  const ClipSamples& clips_;
  const TranscribeCallbacks& callbacks_;
  WindowTranscriber window_;
  SpeechSegmenter segmenter_;
  PiecesOfSpeech pieces_;
  std::deque<SpeechSegment> not_asked_;  // pieces within the clips
  LanguageCourse course_;
  StretchBuilder builder_;
  bool is_complete_ = false;
};

/// The stretches of joined speech.
class JoinedLanguages : public LanguageStretches {
 public:
  /// Those of the recording, and its speech; both outlive the object.
  JoinedLanguages(LanguageStretches& languages, const JoinedSpeech& speech)
      : languages_(languages), speech_(speech) {}

  [[nodiscard]] const LanguageStretch* at(int64_t sample, int64_t until) override;

 private:
  LanguageStretches& languages_;
  const JoinedSpeech& speech_;
  LanguageStretch stretch_;
};

}  // namespace whisper_s4y
