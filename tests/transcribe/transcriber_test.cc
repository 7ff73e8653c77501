#include "whisper_s4y/transcriber.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scripted_recording.h"
#include "support/files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model

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

TEST(Transcriber, WhatTheSystemRefusesIsAnError) {
  EXPECT_THROW(Transcriber("/no/such/model.tflite"), Error);
  EXPECT_THROW(Transcriber("/"), Error);
  EXPECT_THROW(Transcriber(std::string(5000, 'x')), Error);  // longer than a path may be
}

}  // namespace
}  // namespace whisper_s4y
