// The library from many threads; the preset tsan looks for races in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "cli/small_model.h"
#include "common/output_file.h"
#include "support/errors.h"
#include "support/files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/live.h"
#include "whisper_s4y/model.h"
#include "whisper_s4y/output.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kRecording = source_dir() / "examples" / "jfk.flac";

void at_once(int count, const std::function<void(int)>& action) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&action, i] { action(i); });
}

TranscribeOptions quick_options() {
  TranscribeOptions options;
  options.language = "en";
  options.temperatures = {0.0F};
  options.max_new_tokens = 8;
  return options;
}

TEST(Threads, FourTranscribersAtOnce) {
  const std::string model = small_model();
  std::vector<Transcript> transcripts(4);
  const TemporaryFolder folder;
  at_once(4, [&](int i) {
    const std::vector<float> audio = load_audio(kRecording);
    Transcriber transcriber(model);
    Transcript& transcript = transcripts[static_cast<size_t>(i)];
    transcript = transcriber.transcribe(audio, quick_options());
    write_transcript(transcript, OutputFormat::json, {}, folder / std::to_string(i));
    EXPECT_NE(message_of([] { Transcriber("/no/such/model"); }), "no error");
  });
  for (const Transcript& transcript : transcripts) EXPECT_EQ(transcript, transcripts[0]);
  EXPECT_EQ(folder.names().size(), 4U);
}

TEST(Threads, FourTranscribersOfOneModel) {
  const Model model(small_model());
  const std::vector<float> audio = load_audio(kRecording);
  TranscribeOptions options = quick_options();
  options.word_timestamps = true;
  const Transcript alone = Transcriber(model).transcribe(audio, options);
  std::vector<Transcript> transcripts(4);
  at_once(4, [&](int i) {
    SessionOptions session;
    session.threads = i % 2;  // the model's number, and one
    Transcriber transcriber(model, session);
    for (int round = 0; round < 3; ++round) {
      transcripts[static_cast<size_t>(i)] = transcriber.transcribe(audio, options);
    }
  });
  for (const Transcript& transcript : transcripts) EXPECT_EQ(transcript, alone);
}

TEST(Threads, AnotherThreadCancels) {
  const std::vector<float> once = load_audio(kRecording);
  std::vector<float> audio;
  for (int i = 0; i < 200; ++i) audio.insert(audio.end(), once.begin(), once.end());
  const Model model(small_model());
  for (const int batch_size : {0, 1, 2}) {
    Transcriber transcriber(model);
    TranscribeOptions options = quick_options();
    options.batch_size = batch_size;
    std::atomic<bool> stop = false;
    std::atomic<bool> begun = false;
    TranscribeCallbacks callbacks;
    callbacks.cancelled = [&] {
      begun = true;
      begun.notify_all();
      return stop.load();
    };
    std::jthread other([&] {
      begun.wait(false);
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      stop = true;
    });
    const Transcript transcript = transcriber.transcribe(audio, options, callbacks);
    EXPECT_TRUE(transcript.is_cut);
    EXPECT_THAT(transcript.warnings, ElementsAre(HasSubstr("The transcription was stopped")));
    // It goes on as if nothing had been.
    const Transcript again = transcriber.transcribe(once, options);
    EXPECT_FALSE(again.is_cut);
    EXPECT_EQ(again, Transcriber(model).transcribe(once, options));
  }
}

TEST(Threads, ABatchAndItsCallbacks) {
  const std::vector<float> once = load_audio(kRecording);
  std::vector<float> audio;
  for (int i = 0; i < 6; ++i) {
    audio.insert(audio.end(), once.begin(), once.end());
    audio.resize(audio.size() + 30 * kSampleRate);
  }
  Transcriber transcriber(small_model());
  TranscribeOptions options = quick_options();
  options.batch_size = 3;
  double done = 0;
  TranscribeCallbacks callbacks;
  callbacks.on_progress = [&](double now, double) { done = now; };
  const Transcript all = transcriber.transcribe(audio, options, callbacks);
  EXPECT_GT(done, 200);
  callbacks.cancelled = [&] { return done > 0; };
  done = 0;
  EXPECT_LT(transcriber.transcribe(audio, options, callbacks).segments.size(),
            all.segments.size() + 1);
}

TEST(Threads, LiveBesideRecordings) {
  const std::string model = small_model();
  at_once(2, [&](int i) {
    const std::vector<float> audio = load_audio(kRecording);
    Transcriber transcriber(model);
    if (i == 0) {
      (void)transcriber.transcribe(audio, quick_options());
      return;
    }
    LiveOptions options;
    options.transcribe = quick_options();
    const auto detector = make_speech_detector();
    int finals = 0;
    LiveTranscriber live(transcriber, *detector, options,
                         [&](const LiveText& text) { finals += text.is_final; });
    const std::span<const float> samples(audio);
    for (size_t at = 0; at < samples.size(); at += 8000) {
      live.push(samples.subspan(at, std::min<size_t>(8000, samples.size() - at)));
    }
    live.finish();
    EXPECT_GT(finals, 0);
  });
}

TEST(Threads, OutputsSideBySide) {
  const TemporaryFolder folder;
  at_once(8, [&](int i) {
    for (int j = 0; j < 20; ++j) {
      OutputFile file(folder / std::to_string(i % 4));  // two for each name: the last one stays
      file.write("text");
      file.commit();
    }
  });
  EXPECT_EQ(folder.names().size(), 4U);
}

}  // namespace
}  // namespace whisper_s4y
