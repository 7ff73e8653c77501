// How much memory long recordings take: that of a minute and what is kept of the sound around the
// window, and of the text.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "scripted_recording.h"
#include "transcribe/transcribe_recording.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model

// Of ten hours it is 60; eight of them have text alone to add.
constexpr int kHours = 2;
constexpr double kMostMegabytes = 45;

double megabytes_in_use() {
  std::ifstream status("/proc/self/statm");
  int64_t pages = 0;
  int64_t resident = 0;
  int64_t shared = 0;
  status >> pages >> resident >> shared;
  return static_cast<double>((resident - shared) * ::sysconf(_SC_PAGESIZE)) / 1e6;
}

/// Says as much in each window as people do in half a minute.
class Talker : public ScriptedRecording {
 public:
  Talker() : ScriptedRecording({}) {
    info_.config.num_mel_bins = 80;
    info_.generation.alignment_heads = {{0, 0}};
    for (int phrase = 0; phrase < 10; ++phrase) {
      said_.push_back(at(3.0 * phrase));
      for (int i = 0; i < 9; ++i) said_.push_back(word(static_cast<char>('a' + (phrase + i) % 26)));
      said_.push_back(at(3.0 * phrase + 2.96));
    }
  }
  [[nodiscard]] const ModelInfo& info() const override { return info_; }
  void features(std::span<const float>, std::span<float> logmel) override {
    std::fill(logmel.begin(), logmel.end(), 0.0F);
    most = std::max(most, megabytes_in_use());
  }
  void encode(std::span<const float>) override {}
  std::span<const float> decode(std::span<const int> tokens, int position) override {
    fed_.resize(static_cast<size_t>(position));
    fed_.insert(fed_.end(), tokens.begin(), tokens.end());
    const auto sot = std::find(fed_.begin(), fed_.end(), kSot) - fed_.begin();
    const size_t begin = static_cast<size_t>(sot) + 3;
    const size_t index = fed_.size() - begin;
    int next = kEot;
    if (fed_.size() < begin)
      next = kEnglish;
    else if (index < said_.size())
      next = said_[index];
    row_ = surely(next);
    return row_;
  }
  [[nodiscard]] std::unique_ptr<DecoderModel> another(int) const override {
    return std::make_unique<Talker>();
  }
  [[nodiscard]] bool can_align() const override { return true; }
  AlignmentScores align(std::span<const int> tokens) override {
    scores_.assign(tokens.size() * 1500, 0.0F);
    for (size_t i = 0; i < tokens.size(); ++i) {
      for (size_t j = 0; j < 12; ++j) scores_[i * 1500 + (i * 12 + j) % 1500] = 9.0F;
    }
    probs_.assign(tokens.size(), 0.5F);
    return {scores_, 1, static_cast<int>(tokens.size()), 1500, probs_};
  }

  double most = 0;  // megabytes in use

 private:
  ModelInfo info_ = toy_info();
  std::vector<int> said_;
  std::vector<int> fed_;
  std::vector<float> row_;
  std::vector<float> scores_;
  std::vector<float> probs_;
};

/// Somebody speaks for some seconds and pauses for one, again and again.
class LongTalk : public SoundBuffer {
 public:
  LongTalk(int seconds, const TranscribeOptions& options)
      : SoundBuffer(kept_sound(options, true)), seconds_(seconds) {}
  [[nodiscard]] int64_t look_ahead(int64_t position) override { return position + kLookAhead; }
  [[nodiscard]] bool can_rewind() const override { return true; }
  [[nodiscard]] double total_seconds() const override { return seconds_; }

 private:
  bool fill() override {
    if (next_ == seconds_) return false;
    append(next_++ % 10 == 0 ? silence_ : speech_);
    return true;
  }
  void restart() override { next_ = 0; }

  int seconds_;
  int next_ = 0;
  std::vector<float> silence_ = std::vector<float>(kSampleRate, 0.0F);
  std::vector<float> speech_ = std::vector<float>(kSampleRate, 1.0F);
};

double most_megabytes(int seconds, TranscribeOptions options) {
  options.temperatures = {0.0F};  // what it says repeats itself
  Talker model;
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  LoudDetector detector;
  LoudDetector listener;
  std::vector<std::unique_ptr<DecoderModel>> others;
  LongTalk sound(seconds, options);
  const TranscribeTools tools = {.model = model,
                                 .tokenizer = tokenizer,
                                 .detector = [&]() -> SpeechDetector& { return detector; },
                                 .listener = [&]() -> SpeechDetector& { return listener; },
                                 .workers =
                                     [&](int count) {
                                       std::vector<DecoderModel*> models;
                                       for (int i = 0; i < count; ++i) {
                                         others.push_back(model.another(count));
                                         models.push_back(others.back().get());
                                       }
                                       return models;
                                     }};
  const Transcript transcript = transcribe_recording(tools, sound, options, {});
  EXPECT_GT(transcript.segments.size(), static_cast<size_t>(seconds) / 5);
  double most = std::max(model.most, megabytes_in_use());
  for (const auto& other : others) most = std::max(most, static_cast<Talker&>(*other).most);
  return most;
}

struct Case {
  std::string name;
  TranscribeOptions options;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Memory : public ::testing::TestWithParam<Case> {};

TEST_P(Memory, OfHoursIsLittleMoreThanThatOfAMinute) {
  const double minute = most_megabytes(60, GetParam().options);
  const double hours = most_megabytes(kHours * 3600, GetParam().options);
  EXPECT_LE(hours - minute, kMostMegabytes) << minute << " MB of a minute";
  RecordProperty("megabytes", std::to_string(hours - minute));
}

INSTANTIATE_TEST_SUITE_P(
    Options, Memory,
    ::testing::Values(
        Case{"plain", {}}, Case{"words", {.word_timestamps = true}},
        Case{"vad", {.vad_filter = true}}, Case{"batched", {.batch_size = 2}},
        Case{"multilingual", {.multilingual = true}},
        Case{"all", {.multilingual = true, .word_timestamps = true, .vad_filter = true}},
        Case{"all_batched", {.multilingual = true, .word_timestamps = true, .batch_size = 2}}));

}  // namespace
}  // namespace whisper_s4y
