// Speech to text for recordings of any length.
//
//     whisper_s4y::Model model("whisper-base.tflite");
//     whisper_s4y::Transcriber transcriber(model);
//     whisper_s4y::TranscribeOptions options;
//     options.language = "en";
//     whisper_s4y::Transcript transcript = transcriber.transcribe(samples, options);
//
// docs/decoding.md explains the rules behind the options.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "whisper_s4y/audio.h"
#include "whisper_s4y/export.h"
#include "whisper_s4y/model.h"
#include "whisper_s4y/session.h"
#include "whisper_s4y/span.h"
#include "whisper_s4y/transcript.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// How a recording is transcribed. Names and defaults are those of openai/whisper transcribe() and
/// its command line; those marked (f) are faster-whisper's.
struct WHISPER_S4Y_API TranscribeOptions {
  std::string task = "transcribe";            // or "translate": into English
  std::optional<std::string> language;        // code or name; "auto" or nothing = detect
  std::vector<std::string> languages;         // detect one of these, codes or names; empty = any
  bool multilingual = false;                  // (f) detect the language of every stretch of speech
  int language_detection_segments = 4;        // (f) windows of speech to look at until one is sure
  float language_detection_threshold = 0.5F;  // (f) probability that counts as sure

  std::vector<float> temperatures = {0.0F, 0.2F, 0.4F, 0.6F, 0.8F, 1.0F};  // tried until one passes
  std::optional<float> compression_ratio_threshold = 2.4F;  // above: repetitive, try the next
  std::optional<float> logprob_threshold = -1.0F;           // below: unsure, try the next
  std::optional<float> no_speech_threshold = 0.6F;          // above, and unsure: silence

  std::optional<int> best_of = 5;       // samples at temperatures above 0; nothing = 1
  std::optional<int> beam_size;         // beams at temperature 0; nothing = greedy
  std::optional<float> patience;        // of the beam search; nothing = 1
  std::optional<float> length_penalty;  // alpha in [0, 1] of the ranking; nothing = mean log-prob
  float repetition_penalty = 1.0F;      // (f) > 1 makes tokens seen in the window rarer
  int no_repeat_ngram_size = 0;         // (f) no run of that many tokens twice; 0 = off
  bool loop_guard = true;               // stop, retry and at last cut text that runs in a loop
  std::optional<int> sample_len;        // most tokens in a window; nothing = 224
  std::optional<int> max_new_tokens;    // (f) the same; may exceed 224
  uint64_t seed = 0;                    // of the samples

  bool condition_on_previous_text = true;    // the text so far is the prompt of the next window
  float prompt_reset_on_temperature = 0.5F;  // (f) not after a window decoded above this
  std::string initial_prompt;                // text before the first window: names, style
  bool carry_initial_prompt = false;         // before every window
  std::string prefix;                        // text the first window begins with
  std::string hotwords;                      // (f) hints before every window; not with prefix

  std::string audio_context = "full";  // or seconds of a window's padding that are encoded wholly,
                                       // the rest is sampled; "auto" = 1 where that can be

  std::vector<int> suppress_tokens = {-1};            // -1 = symbols that are not spoken
  bool suppress_blank = true;                         // a window does not begin with a blank
  bool without_timestamps = false;                    // one segment a window
  std::optional<float> max_initial_timestamp = 1.0F;  // seconds; nothing = no limit

  bool word_timestamps = false;                                  // times for words
  std::string prepend_punctuations = "\"'“¿([{-";                // joined to the next word
  std::string append_punctuations = "\"'.。,，!！?？:：”)]}、";  // joined to the previous word
  std::optional<float> hallucination_silence_threshold;          // seconds; needs word_timestamps

  std::vector<double> clip_timestamps;  // start, end, start, end, ... in seconds; empty = all

  bool vad_filter = false;                // (f) leave out what is no speech; times stay true
  std::optional<VadOptions> vad_options;  // (f) nothing = defaults; with batch_size, of 160 ms
                                          // of silence that end a segment
  int batch_size =
      0;  // (f) above 0: windows of speech are decoded independently, that many at once

  /// Throws Error when a value is impossible, or excludes another, for any model.
  void validate() const;
};

/// What the caller may hear of while transcribe() runs; each may be empty. What one throws ends the
/// call and leaves it as it is.
struct TranscribeCallbacks {
  std::function<void(const Segment& segment)> on_segment;  // as soon as it is final
  /// Once, before the first segment: code and probability of the languages, likeliest first; of a
  /// language that was given that one alone, as sure. Not when VAD finds no speech.
  std::function<void(const std::vector<std::pair<std::string, float>>& languages)> on_languages;
  /// Seconds of the recording; a total of 0 is not known. Told at the beginning, whenever text gets
  /// a time or a stretch of silence is passed, and at the end, when all is done; never goes back.
  /// With batch_size after each window, without timestamps after 30 s.
  std::function<void(double done, double total)> on_progress;
  /// true = stop within 100 ms, wherever that is, and return what there is, with
  /// Transcript::is_cut; asked every few milliseconds, in the thread that called, and no more after
  /// that. A flag that another thread sets does:
  ///     std::atomic<bool> stop = false;
  ///     callbacks.cancelled = [&] { return stop.load(); };
  std::function<bool()> cancelled;
  std::function<void(const std::string& message)> on_warning;  // what went wrong without harm
};

/// Transcribes any number of recordings with a model, one at a time; for several at a time make
/// several transcribers of one Model. Voice activity detection and what batch_size needs are loaded
/// when first used, and kept.
class WHISPER_S4Y_API Transcriber {
 public:
  /// Opens a .tflite bundle for itself alone. Throws Error when it is none.
  explicit Transcriber(const std::filesystem::path& model);
  /// Throws Error when the model is no bundle or an option impossible. The first transcriber of a
  /// model packs its weights, unless they are in the cache.
  explicit Transcriber(const Model& model, const SessionOptions& options = {});
  ~Transcriber();
  /// One that was moved from throws Error when it is used.
  Transcriber(Transcriber&&) noexcept;
  Transcriber& operator=(Transcriber&&) noexcept;

  /// Transcribes mono samples at 16 kHz in [-1, 1]. Throws Error when a sample is not finite, or an
  /// option does not fit the model or another option.
  [[nodiscard]] Transcript transcribe(Span<const float> audio,
                                      const TranscribeOptions& options = {},
                                      const TranscribeCallbacks& callbacks = {});

  /// The same for the channel of a reader, of which nothing was read yet: segments are given while
  /// it is being read, and no more than some minutes of it are kept in memory. Rules that look at
  /// the whole recording look a few minutes ahead: docs/decoding.md tells which. Hears it to its
  /// end, unless that is cancelled. What was lost in reading is among the warnings. Throws Error
  /// when reading fails, after segments were given perhaps; in a pipe also when clips are not in
  /// the order of their times.
  [[nodiscard]] Transcript transcribe(AudioReader& audio, const TranscribeOptions& options = {},
                                      const TranscribeCallbacks& callbacks = {});

  /// All channels of a reader, one after the other, as one transcript: see merge_channels(). Of one
  /// channel it is transcribe(). on_segment hears the channels one after the other, each segment
  /// with the name of its channel and numbered in that order; on_languages is told of the first
  /// channel that somebody speaks in, on_progress of the seconds of all channels together. What is
  /// cancelled ends in the channel that it has come to.
  [[nodiscard]] Transcript transcribe_channels(AudioReader& audio,
                                               const TranscribeOptions& options = {},
                                               const TranscribeCallbacks& callbacks = {});

  /// Whether the model knows more than English.
  [[nodiscard]] bool is_multilingual() const;

  /// Code and probability of the languages, likeliest first, in the first windows with speech:
  /// options.languages and the fields that begin with language_detection count. Throws Error when
  /// the model is English only, a sample is not finite, and when it is cancelled
  /// (ErrorCode::cancelled).
  [[nodiscard]] std::vector<std::pair<std::string, float>> detect_language(
      Span<const float> audio, const TranscribeOptions& options = {},
      const TranscribeCallbacks& callbacks = {});

 private:
  friend struct TranscriberAccess;
  struct Impl;
  WHISPER_S4Y_HIDDEN explicit Transcriber(std::unique_ptr<Impl> impl);
  [[nodiscard]] WHISPER_S4Y_HIDDEN Impl& impl() const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y
