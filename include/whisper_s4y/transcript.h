// What a transcription is made of.
//
//   whisper_s4y::Transcript transcript = transcriber.transcribe(samples);
//   for (const whisper_s4y::Segment& segment : transcript.segments)
//     std::cout << segment.start << " to " << segment.end << ':' << segment.text << '\n';
//
// Field names and meanings are those of openai/whisper.
#pragma once

#include <string>
#include <vector>

#include "whisper_s4y/export.h"

namespace whisper_s4y {

/// A spoken word.
struct WHISPER_S4Y_API Word {
  std::string word;       // with its leading space
  double start = 0;       // seconds from the beginning of the recording
  double end = 0;         //
  float probability = 0;  // mean over its tokens

  bool operator==(const Word& other) const;
  bool operator!=(const Word& other) const { return !(*this == other); }
};

/// A phrase or sentence.
struct WHISPER_S4Y_API Segment {
  int id = 0;                         // from 0, consecutive in a transcript
  int seek = 0;                       // mel frame (10 ms) at which its 30 s window begins
  double start = 0;                   // seconds from the beginning of the recording
  double end = 0;                     //
  std::string text;                   // with its leading space
  std::string language;               // code of what is spoken in it, "en"
  std::vector<int> tokens;            // of the text, and the timestamps around it
  std::vector<float> token_logprobs;  // natural log-probability of each of them, as decoded
  float temperature = 0;              // at which its window was decoded
  float avg_logprob = 0;              // of its window: mean log-probability of the tokens
  float compression_ratio = 0;        // of its window: above 2.4 it repeats itself
  float no_speech_prob = 0;           // of its window
  std::vector<Word> words;            // empty unless word timestamps were asked for
  std::string channel;                // "left", "right" or a number, where channels are told apart

  bool operator==(const Segment& other) const;
  bool operator!=(const Segment& other) const { return !(*this == other); }
};

/// The text of a recording.
struct WHISPER_S4Y_API Transcript {
  std::string text;      // of all segments
  std::string language;  // code of the spoken language, of several the one spoken longest;
                         // empty when VAD found no speech
  float language_probability = 0;  // 1 when the language was given
  double duration = 0;             // seconds of the recording, as far as it was read
  double duration_after_vad = 0;   // seconds of speech in it, where VAD looked for it, else of all;
                                   // 0 when is_cut
  std::vector<Segment> segments;
  std::vector<std::string> warnings;  // what was lost on the way, a sentence each
  bool is_cut = false;                // the caller stopped it: the end of the recording is missing

  bool operator==(const Transcript& other) const;
  bool operator!=(const Transcript& other) const { return !(*this == other); }
};

/// One transcript of the channels of a recording, which were transcribed apart: segments in the
/// order of their times, each with the name of its channel. `names` are as many as `channels`.
[[nodiscard]] WHISPER_S4Y_API Transcript merge_channels(std::vector<Transcript> channels,
                                                        const std::vector<std::string>& names);

}  // namespace whisper_s4y
