// What options may be: told by the library in its own names, and by the program in its.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "options/option_error.h"
#include "whisper_s4y/live.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

/// Both sentences about the options after `change`, or two empty ones.
template <typename Options>
std::pair<std::string, std::string> messages(void (*change)(Options& options)) {
  Options options;
  change(options);
  try {
    options.validate();
    return {};
  } catch (const OptionError& error) {
    return {error.what(), error.usage()};
  }
}

using T = TranscribeOptions;

std::string library(void (*change)(T&)) { return messages<T>(change).first; }
std::string program(void (*change)(T&)) { return messages<T>(change).second; }

TEST(TranscribeOptions, DefaultsAreValid) {
  TranscribeOptions().validate();
  VadOptions().validate();
  LiveOptions().validate();
}

TEST(TranscribeOptions, NumbersAreFiniteAndInTheirBounds) {
  EXPECT_EQ(library([](T& o) {
              o.patience = 1e30F;
              o.beam_size = 5;
            }),
            "patience must be 0.01 to 100, not 1e+30.");
  for (const auto change : {
           +[](T& o) {
             o.temperatures = {0, kNan};
           },
           +[](T& o) { o.temperatures = {-1}; },
           +[](T& o) { o.temperatures = {kInfinity}; },
           +[](T& o) { o.temperatures = {}; },
           +[](T& o) { o.temperatures = std::vector<float>(1000, 0.5F); },
           +[](T& o) { o.compression_ratio_threshold = kNan; },
           +[](T& o) { o.logprob_threshold = -kInfinity; },
           +[](T& o) { o.no_speech_threshold = 1.5F; },
           +[](T& o) { o.best_of = 0; },
           +[](T& o) { o.best_of = 1'000'000; },
           +[](T& o) { o.beam_size = 0; },
           +[](T& o) { o.beam_size = std::numeric_limits<int>::max(); },
           +[](T& o) { o.beam_size = 5, o.patience = kNan; },
           +[](T& o) { o.beam_size = 5, o.patience = 0.0F; },
           +[](T& o) { o.length_penalty = 2.0F; },
           +[](T& o) { o.repetition_penalty = 0.0F; },
           +[](T& o) { o.repetition_penalty = kInfinity; },
           +[](T& o) { o.no_repeat_ngram_size = -1; },
           +[](T& o) { o.sample_len = 0; },
           +[](T& o) { o.max_new_tokens = 0; },
           +[](T& o) { o.prompt_reset_on_temperature = kNan; },
           +[](T& o) { o.max_initial_timestamp = kInfinity; },
           +[](T& o) { o.word_timestamps = true, o.hallucination_silence_threshold = kNan; },
           +[](T& o) {
             o.clip_timestamps = {0, INFINITY};
           },
           +[](T& o) { o.clip_timestamps = {static_cast<double>(kNan)}; },
           +[](T& o) { o.clip_timestamps = {-1}; },
           +[](T& o) {
             o.clip_timestamps = {5, 3};
           },
           +[](T& o) { o.batch_size = -1; },
           +[](T& o) { o.batch_size = 1'000'000; },
           +[](T& o) { o.language_detection_segments = 0; },
           +[](T& o) { o.language_detection_threshold = kNan; },
       }) {
    EXPECT_NE(library(change), "");
    EXPECT_THAT(program(change), StartsWith("--"));
  }
}

TEST(TranscribeOptions, WhatExcludesOrNeedsAnotherIsRefused) {
  EXPECT_EQ(library([](T& o) { o.patience = 2.0F; }), "patience needs beam_size.");
  EXPECT_EQ(program([](T& o) { o.patience = 2.0F; }), "--patience needs --beam-size.");
  EXPECT_EQ(program([](T& o) { o.carry_initial_prompt = true; }),
            "--carry-initial-prompt needs --initial-prompt.");
  EXPECT_EQ(program([](T& o) { o.hotwords = "a", o.prefix = "b"; }),
            "--hotwords and --prefix cannot be given together.");
  EXPECT_EQ(program([](T& o) { o.hallucination_silence_threshold = 2.0F; }),
            "--hallucination-silence-threshold needs --word-timestamps.");
  EXPECT_EQ(program([](T& o) { o.multilingual = true, o.language = "de"; }),
            "--multilingual and --language cannot be given together.");
  EXPECT_EQ(program([](T& o) { o.vad_options.emplace(); }),
            "Options of the voice activity detection need --vad or --batched.");
  EXPECT_THAT(program([](T& o) { o.language = "martian"; }), StartsWith("--language: "));
  EXPECT_THAT(library([](T& o) { o.task = "sing"; }), HasSubstr("sing"));
}

TEST(TranscribeOptions, TheAudioContextIsAWordOrSeconds) {
  for (const auto change :
       {+[](T& o) { o.audio_context = "full"; }, +[](T& o) { o.audio_context = "0"; },
        +[](T& o) { o.audio_context = "2.5"; }}) {
    EXPECT_EQ(library(change), "");
  }
  for (const auto change :
       {+[](T& o) { o.audio_context = ""; }, +[](T& o) { o.audio_context = "2 s"; },
        +[](T& o) { o.audio_context = "-1"; }, +[](T& o) { o.audio_context = "nan"; }}) {
    EXPECT_NE(library(change), "");
  }
  EXPECT_EQ(program([](T& o) { o.audio_context = "31"; }),
            "--audio-context is \"31\"; expected full, auto or seconds from 0 to 30.");
}

using V = VadOptions;

TEST(VadOptions, NumbersAreInTheirBounds) {
  for (const auto change : {
           +[](V& o) { o.threshold = 0; },
           +[](V& o) { o.threshold = static_cast<double>(kNan); },
           +[](V& o) { o.neg_threshold = 0.9; },
           +[](V& o) { o.min_speech_duration_ms = -1; },
           +[](V& o) { o.min_silence_duration_ms = std::numeric_limits<int>::max(); },
           +[](V& o) { o.speech_pad_ms = -1; },
           +[](V& o) { o.max_speech_duration_s = static_cast<double>(kNan); },
           +[](V& o) { o.max_speech_duration_s = 0; },
       }) {
    EXPECT_THAT(messages<V>(change).second, StartsWith("--vad-"));
  }
}

using L = LiveOptions;

TEST(LiveOptions, AreThoseOfUtterances) {
  EXPECT_THAT(messages<L>([](L& o) { o.update_interval = INFINITY; }).second,
              StartsWith("--update-interval must be 0.1 to 30"));
  EXPECT_NE(messages<L>([](L& o) { o.transcribe.beam_size = 0; }).first, "");
  EXPECT_NE(messages<L>([](L& o) { o.vad.threshold = 2; }).first, "");
  EXPECT_THAT(messages<L>([](L& o) { o.transcribe.vad_filter = true; }).first,
              HasSubstr("for recordings"));
}

}  // namespace
}  // namespace whisper_s4y
