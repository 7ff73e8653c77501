// Recordings of which only a part is in memory at a time.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "known_speech.h"
#include "scripted_recording.h"
#include "support/files.h"
#include "transcribe/audible_spans.h"
#include "transcribe/long_form.h"
#include "transcribe/transcriber_over.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSecond = kSampleRate;

/// Sample n is n; a million fit into a float.
class NumberedSound : public SoundBuffer {
 public:
  NumberedSound(int64_t size, int64_t kept, bool is_pipe = false)
      : SoundBuffer(kept), end_(size), is_pipe_(is_pipe) {}

  [[nodiscard]] int64_t look_ahead(int64_t position) override { return position + 5 * kSecond; }
  [[nodiscard]] bool can_rewind() const override { return !is_pipe_; }
  [[nodiscard]] double total_seconds() const override { return 0; }

  int64_t read = 0;  // samples, in all passes

 private:
  bool fill() override {
    std::vector<float> piece(static_cast<size_t>(std::min<int64_t>(777, end_ - next_)));
    for (float& sample : piece) sample = static_cast<float>(next_++);
    read += static_cast<int64_t>(piece.size());
    append(piece);
    return !piece.empty();
  }
  void restart() override { next_ = 0; }

  int64_t end_;
  bool is_pipe_;
  int64_t next_ = 0;
};

TEST(SoundBuffer, ReadsWhatIsAskedFor) {
  NumberedSound sound(100'000, 32'000);
  EXPECT_TRUE(sound.reaches(1000));
  EXPECT_LT(sound.read, 2000);
  EXPECT_THAT(sound.copy(-2, 2), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(sound.copy(15'999, 16'002), ElementsAre(15'999, 16'000, 16'001));
  EXPECT_EQ(sound.size(), std::nullopt);
  EXPECT_THAT(sound.copy(99'998, 100'002), ElementsAre(99'998, 99'999, 0, 0));
  EXPECT_EQ(sound.size(), 100'000);
  EXPECT_FALSE(sound.reaches(100'001));
}

TEST(SoundBuffer, ForgetsWhatWasAndReadsItAgain) {
  NumberedSound sound(500'000, 32'000);
  EXPECT_FALSE(sound.reaches(600'000));
  EXPECT_THAT(sound.copy(468'500, 468'502), ElementsAre(468'500, 468'501));
  EXPECT_EQ(sound.read, 500'000);
  EXPECT_THAT(sound.copy(10, 12), ElementsAre(10, 11));
  EXPECT_LT(sound.read, 510'000);
  EXPECT_THAT(sound.copy(499'999, 500'001), ElementsAre(499'999, 0));
  EXPECT_EQ(sound.size(), 500'000);

  NumberedSound pipe(500'000, 32'000, true);
  EXPECT_TRUE(pipe.reaches(400'000));
  EXPECT_THROW((void)pipe.copy(10, 12), Error);
}

TEST(SoundBuffer, OfMemoryKnowsItsSize) {
  const std::vector<float> samples = seconds_of_sound(3);
  MemorySound sound(samples);
  EXPECT_EQ(sound.size(), 3 * kSecond);
  EXPECT_DOUBLE_EQ(sound.total_seconds(), 3);
}

/// All sound is as loud in every bin as it is in the middle of the frame.
class LevelModel : public ScriptedRecording {
 public:
  LevelModel() : ScriptedRecording({}) {}
  void features(std::span<const float> audio, std::span<float> logmel) override {
    const size_t bins = logmel.size() / kWindowFrames;
    for (size_t bin = 0; bin < bins; ++bin) {
      for (size_t frame = 0; frame < kWindowFrames; ++frame) {
        logmel[bin * kWindowFrames + frame] = audio[frame * kHopLength];
      }
    }
  }
};

std::vector<float> levels(double seconds, float level) {
  return std::vector<float>(static_cast<size_t>(seconds * kSecond), level);
}

void set(std::vector<float>& audio, double begin, double end, float level) {
  std::fill(audio.begin() + static_cast<ptrdiff_t>(begin * kSecond),
            audio.begin() + static_cast<ptrdiff_t>(end * kSecond), level);
}

TEST(LogMelBound, IsTheLoudestFrameUpToFiveMinutesAhead) {
  LevelModel model;
  std::vector<float> audio = levels(420, -1.2F);
  set(audio, 400, 401, 1.5F);
  const auto quietest = [&](LogMel& log_mel, int begin) {
    std::vector<float> window(static_cast<size_t>(model.info().config.num_mel_bins) *
                              kWindowFrames);
    log_mel.window(begin, window);
    return *std::ranges::min_element(window);
  };
  MemorySound sound(audio);
  LogMel log_mel(model, sound);
  EXPECT_FLOAT_EQ(quietest(log_mel, 0), -1.2F);
  EXPECT_FLOAT_EQ(quietest(log_mel, 6000), -1.2F);
  EXPECT_FLOAT_EQ(quietest(log_mel, 7200), -0.5F);
  EXPECT_FLOAT_EQ(quietest(log_mel, 0), -0.5F) << "heard is heard";

  const std::span<const float> shorter(audio.data() + 90 * kSecond, 330 * kSecond);
  MemorySound short_sound(shorter);
  LogMel exact(model, short_sound);
  EXPECT_FLOAT_EQ(quietest(exact, 0), -0.5F) << "of all of a recording that is shorter";
}

TEST(LogMelBound, GoesBackToWhatWasForgotten) {
  LevelModel model;
  std::vector<float> audio = levels(1500, 0.0F);
  for (size_t i = 0; i < audio.size(); ++i) audio[i] = static_cast<float>(i / kHopLength) * 1e-6F;
  MemorySound sound(audio);
  LogMel log_mel(model, sound);
  std::vector<float> window(static_cast<size_t>(model.info().config.num_mel_bins) * kWindowFrames);
  for (const int begin : {0, 100'000, 140'000, 200, 90'000}) {
    log_mel.padded_window(begin, kWindowFrames, window);
    for (size_t frame = 0; frame < kWindowFrames; ++frame) {
      ASSERT_NEAR(window[frame], static_cast<float>(begin + static_cast<int>(frame)) * 1e-6F, 2e-6F)
          << begin << " + " << frame;
    }
  }
}

TEST(AudibleSpans, AreFoundLittleByLittle) {
  LevelModel model;
  std::vector<float> audio = levels(100, -1.5F);
  set(audio, 2, 10, 0);
  set(audio, 10.5, 20, 0);
  set(audio, 50, 99.5, 0);
  const auto found = [&](int step) {
    MemorySound sound(audio);
    LogMel log_mel(model, sound);
    AudibleSpans spans(log_mel, 100);
    log_mel.hear(0);
    for (int until = 0; until < 10'000 + step; until += step) spans.look(until);
    std::vector<SoundSpan> result;
    for (size_t i = 0; i < spans.found().size(); ++i) result.push_back(spans.found()[i]);
    return result;
  };
  EXPECT_THAT(found(100), ElementsAre(SoundSpan{2, 20}, SoundSpan{50, 100}));
  EXPECT_EQ(found(1), found(3333));
}

TEST(JoinedSpeech, HoldsWhatIsCertainBeforeItHasEnded) {
  std::vector<float> audio = seconds_of_sound(400);
  set(audio, 10.24, 20.48, 1.0F);
  set(audio, 51.2, 399, 1.0F);
  for (size_t i = 0; i < audio.size(); ++i) audio[i] += static_cast<float>(i % 1000) * 1e-4F;
  const auto joined_of = [&](const std::vector<double>& clips, int64_t first, const auto& use) {
    LoudDetector detector;
    MemorySound sound(audio);
    SpeechListener listener(sound, detector);
    SpeechSegmenter segmenter(VadOptions{});
    listener.tell(segmenter);
    const ClipSamples samples(clips, sound);
    JoinedSpeech speech(sound, listener, segmenter, samples, [] { return true; });
    EXPECT_TRUE(speech.reaches(first));
    use(speech, listener);
  };
  joined_of({}, 30 * kSecond, [&](JoinedSpeech& speech, SpeechListener& listener) {
    EXPECT_LT(listener.heard(), 80 * kSecond);
    EXPECT_EQ(speech.spans().size(), 2U);
    const int64_t early = speech.look_ahead(30 * kSecond);
    EXPECT_NEAR(static_cast<double>(early) / kSecond, 330, 3);
    EXPECT_GT(speech.look_ahead(60 * kSecond), early + 20 * kSecond);
    EXPECT_FALSE(speech.reaches(1000 * kSecond));
    const auto& parts = speech.map()->segments();
    ASSERT_EQ(parts.size(), 2U);
    int64_t joined = 0;
    for (const SpeechSegment& part : parts) {
      const std::vector<float> copy = speech.copy(joined, joined + part.size());
      EXPECT_TRUE(std::equal(copy.begin(), copy.end(), audio.begin() + part.start));
      joined += part.size();
    }
    EXPECT_EQ(speech.size(), joined);
    // Again from the beginning.
    EXPECT_FLOAT_EQ(speech.copy(5, 6)[0], audio[static_cast<size_t>(parts[0].start) + 5]);
    EXPECT_EQ(speech.map()->segments().size(), 2U);
  });
  joined_of({100, 110, 12, 13}, 11 * kSecond, [&](JoinedSpeech& speech, SpeechListener&) {
    EXPECT_EQ(speech.map()->segments(), (std::vector<SpeechSegment>{{100 * kSecond, 110 * kSecond},
                                                                    {12 * kSecond, 13 * kSecond}}));
    EXPECT_FALSE(speech.reaches(11 * kSecond + 1));
    EXPECT_FLOAT_EQ(speech.copy(10 * kSecond, 10 * kSecond + 1)[0], audio[12 * kSecond]);
  });
}

TEST(JoinedLanguages, ChangeWhereThoseOfTheRecordingDo) {
  std::vector<float> audio = seconds_of_sound(100);
  set(audio, 10.24, 20.48, 1.0F);
  set(audio, 30.72, 40.96, 1.0F);
  LoudDetector detector;
  MemorySound sound(audio);
  SpeechListener listener(sound, detector);
  SpeechSegmenter segmenter({.speech_pad_ms = 0});
  listener.tell(segmenter);
  const ClipSamples clips({}, sound);
  JoinedSpeech speech(sound, listener, segmenter, clips, [] { return true; });
  (void)speech.reaches(100 * kSecond);
  KnownStretches known({{0, 15 * kSecond, "en", 0.9F},
                        {15 * kSecond, 25 * kSecond, "de", 0.8F},
                        {25 * kSecond, 100 * kSecond, "en", 0.7F}});
  JoinedLanguages joined(known, speech);
  const auto end_of = [&](double seconds, const char* language) {
    const auto* stretch = joined.at(static_cast<int64_t>(seconds * kSecond), 100 * kSecond);
    EXPECT_EQ(stretch->language, language);
    return static_cast<double>(stretch->end) / kSecond;
  };
  EXPECT_DOUBLE_EQ(end_of(0, "en"), 4.76);
  EXPECT_DOUBLE_EQ(end_of(4.76, "de"), 10.24);
  EXPECT_GT(end_of(10.24, "en"), 1000);
  EXPECT_GT(end_of(99, "en"), 1000);
}

/// Pieces wait for what may change their language.
TEST(LanguageCourse, DecidesWhenNothingCanChangeIt) {
  const auto piece = [](int64_t second, float english) {
    return SpokenPiece{.place = {second * kSecond, (second + 5) * kSecond},
                       .probs = {{"en", english}, {"de", 1 - english}}};
  };
  LanguageCourse course;
  course.add(piece(0, 0.99F));
  course.add(piece(10, 0.45F));
  ASSERT_NE(course.undecided(), nullptr);
  course.add(piece(20, 0.01F));
  course.add(piece(30, 0.01F));
  EXPECT_EQ(course.next()->language, "en");
  EXPECT_EQ(course.next()->language, "de");

  // What was decided early stays.
  LanguageCourse early;
  early.add(piece(0, 0.4F));
  early.decide(kSecond);
  EXPECT_EQ(early.next()->language, "de");
  early.add(piece(10, 0.9F));
  early.add(piece(20, 0.9F));
  early.decide(100 * kSecond);
  EXPECT_EQ(early.next()->language, "en");
  EXPECT_EQ(early.undecided(), nullptr);
}

// 16-bit mono at 16 kHz, quiet.
std::string wav_of(double seconds, uint32_t channels = 1) {
  const auto samples = channels * static_cast<uint32_t>(seconds * kSecond);
  const auto number = [](uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255);
    return text;
  };
  return "RIFF" + number(36 + samples * 2, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) +
         number(channels, 2) + number(kSampleRate, 4) + number(2 * channels * kSampleRate, 4) +
         number(2 * channels, 2) + number(16, 2) + "data" + number(samples * 2, 4) +
         std::string(samples * 2, '\0');
}

std::vector<WindowScript> long_script() {
  std::vector<WindowScript> script;
  for (int i = 0; i < 40; ++i) {
    script.push_back({{{at(0), word(static_cast<char>('a' + i % 4)), at(20)}}});
  }
  return script;
}

TEST(TranscribeAudioReader, GivesWhatASpanGives) {
  const TemporaryFolder folder;
  write_file(folder.file("a.wav"), wav_of(1000));
  TranscribeOptions options;
  options.best_of = 1;
  options.language = "en";
  const std::vector<float> audio = seconds_of_sound(1000);
  for (const std::vector<double>& clips :
       std::vector<std::vector<double>>{{}, {900, 960, 30, 100, 500}}) {
    options.clip_timestamps = clips;
    ScriptedRecording in_memory(long_script());
    const Transcript expected = transcriber_over(in_memory).transcribe(audio, options);
    ScriptedRecording model(long_script());
    AudioReader reader(folder.file("a.wav"));
    std::vector<double> totals;
    TranscribeCallbacks callbacks;
    callbacks.on_progress = [&](double, double total) { totals.push_back(total); };
    EXPECT_EQ(transcriber_over(model).transcribe(reader, options, callbacks), expected);
    EXPECT_EQ(expected.duration, 1000);
    EXPECT_THAT(totals, Each(1000));
  }
}

/// What is heard of a recording of two channels of 40 s.
struct TwoChannels {
  TwoChannels() {
    write_file(folder.file("a.wav"), wav_of(40, 2));
    callbacks.on_segment = [this](const Segment& segment) {
      heard.push_back(fmt::format("{} {}{}", segment.id, segment.channel, segment.text));
    };
    callbacks.on_languages = [this](const auto&) { ++languages; };
    callbacks.on_progress = [this](double done, double total) {
      progress.push_back(done);
      totals.push_back(total);
    };
  }

  Transcript transcribe() {
    ScriptedRecording model(long_script());
    AudioReader reader(folder.file("a.wav"), {.channel = "each"});
    return transcriber_over(model).transcribe_channels(reader, {.language = "en"}, callbacks);
  }

  TemporaryFolder folder;
  TranscribeCallbacks callbacks;
  std::vector<std::string> heard;
  int languages = 0;
  std::vector<double> progress;
  std::vector<double> totals;
};

TEST(TranscribeChannels, TellsThemApartAndCountsOn) {
  TwoChannels channels;
  const Transcript transcript = channels.transcribe();
  EXPECT_THAT(channels.heard, ElementsAre("0 left a", "1 left b", "2 right c", "3 right d"));
  EXPECT_EQ(channels.languages, 1);
  EXPECT_TRUE(std::ranges::is_sorted(channels.progress));
  EXPECT_EQ(channels.progress.front(), 0);
  EXPECT_EQ(channels.progress.back(), 80);
  EXPECT_THAT(channels.totals, Each(80));
  EXPECT_EQ(transcript.text, " a c b d");
  EXPECT_EQ(transcript.segments[1].channel, "right");
  EXPECT_EQ(transcript.segments[1].id, 1);
  EXPECT_FALSE(transcript.is_cut);
}

TEST(TranscribeChannels, EndsInTheChannelThatIsCancelled) {
  TwoChannels channels;
  bool stop = false;
  channels.callbacks.on_segment = [&](const Segment& segment) {
    channels.heard.push_back(segment.channel);
    stop = true;
  };
  channels.callbacks.cancelled = [&] { return stop; };
  const Transcript transcript = channels.transcribe();
  EXPECT_THAT(channels.heard, ElementsAre("left"));
  EXPECT_TRUE(transcript.is_cut);
  ASSERT_EQ(transcript.segments.size(), 1U);
  EXPECT_EQ(transcript.segments[0].channel, "left");
  EXPECT_EQ(transcript.warnings.size(), 1U);
}

TEST(TranscribeChannels, OfOneIsTranscribe) {
  TwoChannels channels;
  write_file(channels.folder.file("a.wav"), wav_of(40));
  const Transcript transcript = channels.transcribe();
  EXPECT_THAT(channels.heard, ElementsAre("0  a", "1  b"));
  EXPECT_EQ(transcript.text, " a b");
  EXPECT_EQ(channels.progress.back(), 40);
}

TEST(TranscribeAudioReader, TellsWhatWasLost) {
  const TemporaryFolder folder;
  std::string file = wav_of(40);
  file.resize(file.size() / 2);
  write_file(folder.file("a.wav"), file);
  AudioReader reader(folder.file("a.wav"));
  ScriptedRecording model(long_script());
  std::vector<std::string> told;
  TranscribeCallbacks callbacks;
  callbacks.on_warning = [&](const std::string& warning) { told.push_back(warning); };
  const Transcript transcript = transcriber_over(model).transcribe(reader, {}, callbacks);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(transcript.warnings, told);
  EXPECT_THAT(told[0], ::testing::HasSubstr("should last 40.0 s"));
}

TEST(TranscribeAudioReader, GivesTheFirstTextOfAPipeBeforeItEnds) {
  const TemporaryFolder folder;
  const std::string name = folder.file("pipe");
  ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
  int heard[2];
  ASSERT_EQ(::pipe(heard), 0);
  const std::string file = wav_of(100);
  std::thread writer([&] {
    const int pipe = ::open(name.c_str(), O_WRONLY);
    const size_t first = 44 + 34 * 2 * kSecond;  // a window and a little more
    EXPECT_EQ(::write(pipe, file.data(), first), static_cast<ssize_t>(first));
    char text = 0;
    EXPECT_EQ(::read(heard[0], &text, 1), 1);  // waits for the text
    EXPECT_EQ(::write(pipe, file.data() + first, file.size() - first),
              static_cast<ssize_t>(file.size() - first));
    ::close(pipe);
  });
  AudioReader reader(name);
  ScriptedRecording model(long_script());
  TranscribeOptions options;
  options.language = "en";
  TranscribeCallbacks callbacks;
  callbacks.on_segment = [&](const Segment& segment) {
    if (segment.id > 0) return;
    EXPECT_EQ(::write(heard[1], "!", 1), 1);
  };
  const Transcript transcript = transcriber_over(model).transcribe(reader, options, callbacks);
  writer.join();
  EXPECT_EQ(transcript.duration, 100);
  EXPECT_GT(transcript.segments.size(), 3U);
  ::close(heard[0]);
  ::close(heard[1]);
}

TEST(TranscribeAudioReader, CannotGoBackInAPipe) {
  const TemporaryFolder folder;
  const std::string name = folder.file("pipe");
  ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
  std::thread writer([&] {
    const std::string file = wav_of(1000);
    const int pipe = ::open(name.c_str(), O_WRONLY);
    (void)!::write(pipe, file.data(), file.size());
    ::close(pipe);
  });
  {
    AudioReader reader(name);
    ScriptedRecording model(long_script());
    TranscribeOptions options;
    options.clip_timestamps = {900, 910, 10, 20};
    EXPECT_THROW((void)transcriber_over(model).transcribe(reader, options), Error);
    EXPECT_EQ(reader.source().samples, 0) << "it is known before";
    std::vector<float> rest(kSecond);
    while (reader.read(rest) > 0) continue;  // so that the writer ends
  }
  writer.join();
}

}  // namespace
}  // namespace whisper_s4y
