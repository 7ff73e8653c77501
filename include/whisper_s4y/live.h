// Speech to text while it is spoken.
//
//     whisper_s4y::Transcriber transcriber("whisper-base.tflite");
//     auto detector = whisper_s4y::make_speech_detector();
//     const auto show = [](const whisper_s4y::LiveText& text) {
//       std::cout << '\r' << text.confirmed << text.tentative << (text.is_final ? "\n" : "");
//     };
//     whisper_s4y::LiveTranscriber live(transcriber, *detector, {}, show);
//     while (const size_t count = microphone.read(samples)) live.push({samples.data(), count});
//     live.finish();
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "whisper_s4y/transcriber.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// Utterances end soon, and none is longer than a window: at least 250 ms of speech, at most 28 s,
/// 500 ms of silence that end it, 200 ms around it.
[[nodiscard]] WHISPER_S4Y_API VadOptions live_vad_options();

/// How speech is transcribed while it is spoken.
struct WHISPER_S4Y_API LiveOptions {
  /// How utterances are transcribed. Conditioning puts the utterance before into the prompt, unless
  /// it was in another language. A language to detect is that of the first utterance that is sure,
  /// or with `multilingual` every utterance's own.
  TranscribeOptions transcribe;
  /// Where utterances begin and end.
  VadOptions vad = live_vad_options();
  double update_interval = 1.0;  // seconds of new sound until an utterance is transcribed anew

  /// Throws Error when a value is impossible, or excludes another.
  void validate() const;
};

/// What is known of an utterance.
struct LiveText {
  std::string confirmed;  // the beginning, which never changes again, only grows
  std::string tentative;  // what follows it so far
  double start = 0;       // of the utterance, seconds from the beginning of the sound
  double end = 0;         // of what was heard of it
  bool is_final = false;  // the utterance is over, and confirmed is all of it, if anything
  std::string language;   // code of what is spoken, "en"; what it is taken for so far
  /// Of the last hypothesis, which `confirmed` and `tentative` are made of but may spell otherwise;
  /// times are seconds from the beginning of the sound. Empty unless word timestamps are asked for.
  std::vector<Word> words;
  std::vector<Segment> segments;  // of the same hypothesis; times as in a recording of it alone
};

/// Somebody begins or ceases to speak.
struct LiveSpeech {
  bool begins = false;  // an utterance; false: it is over
  double time = 0;      // where it begins or ends, seconds from the beginning of the sound
};

/// What the caller may hear of; each may be empty. What one throws ends push() or finish().
struct LiveCallbacks {
  std::function<void(const LiveText& text)> on_text;
  /// As soon as it is heard, before anything of the utterance is transcribed. Not every utterance
  /// has a text.
  std::function<void(const LiveSpeech& speech)> on_speech;
  /// true = push() and finish() end within 100 ms, with an Error (ErrorCode::cancelled); asked as
  /// TranscribeCallbacks has it, every time anew.
  std::function<bool()> cancelled;
  std::function<void(const std::string& message)> on_warning;  // what went wrong without harm
};

/// Gives out a transcriber, always of the same model, which goes back when the pointer goes. Where
/// many share a few, it waits until one is free; what it throws ends push() or finish().
using TranscriberLender = std::function<std::shared_ptr<Transcriber>()>;

/// Cuts sound into utterances by voice activity. While somebody speaks, the utterance so far is
/// transcribed again and again, and what two hypotheses after one another begin with is confirmed
/// (local agreement, arXiv 2005.11185). Not thread-safe.
class WHISPER_S4Y_API LiveTranscriber {
 public:
  using Callback = std::function<void(const LiveText& text)>;

  /// Transcriber and detector outlive the object; the detector hears nothing else meanwhile. Throws
  /// Error when an option is impossible.
  LiveTranscriber(Transcriber& transcriber, SpeechDetector& detector, LiveOptions options,
                  LiveCallbacks callbacks);
  LiveTranscriber(Transcriber& transcriber, SpeechDetector& detector, LiveOptions options,
                  Callback on_text);
  /// With a transcriber that is lent for each hypothesis, so that silence needs none.
  LiveTranscriber(TranscriberLender lend, SpeechDetector& detector, LiveOptions options,
                  LiveCallbacks callbacks);
  ~LiveTranscriber();

  /// Hears any number of samples, mono at 16 kHz, and transcribes what there is to transcribe
  /// before it returns: at most one unfinished utterance, however long that took. Throws Error when
  /// a sample is not finite, when transcribing fails or is cancelled, and what a callback throws;
  /// an utterance that had come to its end is over then, and the next call goes on behind it.
  void push(Span<const float> samples);
  /// The sound is over: ends the utterance.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y
