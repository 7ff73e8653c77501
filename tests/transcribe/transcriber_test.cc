#include "whisper_s4y/transcriber.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "scripted_recording.h"
#include "support/files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/live.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A model that can be had again, but not always.
class Scarce : public ScriptedRecording {
 public:
  using ScriptedRecording::ScriptedRecording;
  [[nodiscard]] std::unique_ptr<DecoderModel> another(int) const override {
    if (++made_ == failing_) throw std::bad_alloc();
    return std::make_unique<ScriptedRecording>(std::vector<WindowScript>());
  }
  [[nodiscard]] int made() const { return made_; }

 private:
  mutable int made_ = 0;
  int failing_ = 2;
};

TEST(Transcriber, SurvivesModelsThatCannotBeMade) {
  const std::vector<float> audio = load_audio(source_dir() / "examples" / "jfk.flac");
  Scarce model(std::vector<WindowScript>{});
  Transcriber transcriber = transcriber_over(model);
  TranscribeOptions options;
  options.language = "en";
  options.batch_size = 3;
  EXPECT_THROW((void)transcriber.transcribe(audio, options), Error);
  EXPECT_EQ(model.made(), 2);
  // All three are made anew, and then kept.
  EXPECT_EQ(transcriber.transcribe(audio, options).language, "en");
  EXPECT_EQ(transcriber.transcribe(audio, options).language, "en");
  EXPECT_EQ(model.made(), 5);
}

TEST(Transcriber, RefusesSamplesThatAreNotFinite) {
  std::vector<float> audio(1600, 0.0F);
  ScriptedRecording model(std::vector<WindowScript>{});
  Transcriber transcriber = transcriber_over(model);
  TranscribeOptions options;
  options.language = "en";
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    audio[700] = bad;
    const auto refusal = ThrowsMessage<Error>(HasSubstr("finite numbers; the one at 700 is"));
    EXPECT_THAT([&] { (void)transcriber.transcribe(audio, options); }, refusal);
    EXPECT_THAT([&] { (void)transcriber.detect_language(audio, options); }, refusal);
    EXPECT_THAT([&] { (void)make_speech_detector()->speech_probs(audio); }, refusal);
    const auto detector = make_speech_detector();
    LiveTranscriber live(transcriber, *detector, {}, [](const LiveText&) {});
    EXPECT_THAT([&] { live.push(audio); }, refusal);
  }
}

TEST(Transcriber, WhatWasMovedFromSaysSo) {
  ScriptedRecording model(std::vector<WindowScript>{});
  Transcriber transcriber = transcriber_over(model);
  const Transcriber other = std::move(transcriber);
  AudioReader reader(source_dir() / "examples" / "jfk.flac");
  const AudioReader read = std::move(reader);
  const std::vector<float> audio(1600, 0.0F);
  EXPECT_THAT([&] { (void)transcriber.transcribe(audio); },
              ThrowsMessage<Error>(HasSubstr("This Transcriber was moved from")));
  EXPECT_THAT([&] { (void)reader.source(); },
              ThrowsMessage<Error>(HasSubstr("This AudioReader was moved from")));
}

TEST(Transcriber, WhatTheSystemRefusesIsAnError) {
  EXPECT_THROW(Transcriber("/no/such/model.tflite"), Error);
  EXPECT_THROW(Transcriber("/"), Error);
  EXPECT_THROW(Transcriber(std::string(5000, 'x')), Error);  // longer than a path may be
}

}  // namespace
}  // namespace whisper_s4y
