#include "transcribe/log_mel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr int kBins = 2;

// The front end with two bins instead of a mel matrix: the windowed energy and the windowed mean of
// every frame. Everything else is as specified: hop, reflected ends, log, clamp, scale.
std::vector<float> front_end(std::span<const float> audio) {
  const auto size = static_cast<int64_t>(audio.size());
  const int64_t frames = size / 160;
  std::vector<float> result(static_cast<size_t>(kBins * frames));
  std::array<double, 400> window{};
  for (size_t n = 0; n < 400; ++n) {
    window[n] = 0.5 - 0.5 * std::cos(2 * M_PI * static_cast<double>(n) / 400);
  }
  float maximum = -10.0F;
  for (int64_t t = 0; t < frames; ++t) {
    double energy = 0;
    double mean = 0;
    for (int64_t n = 0; n < 400; ++n) {
      int64_t i = 160 * t - 200 + n;
      if (i < 0) i = -i;
      if (i >= size) i = 2 * (size - 1) - i;
      const double x = window[static_cast<size_t>(n)] * audio[static_cast<size_t>(i)];
      energy += x * x;
      mean += x;
    }
    const double values[] = {energy, mean * mean};
    for (int64_t bin = 0; bin < kBins; ++bin) {
      const auto log = static_cast<float>(std::log10(std::max(values[bin], 1e-10)));
      result[static_cast<size_t>(bin * frames + t)] = log;
      maximum = std::max(maximum, log);
    }
  }
  for (float& value : result) value = (std::max(value, maximum - 8) + 4) / 4;
  return result;
}

class FrontEndModel : public DecoderModel {
 public:
  FrontEndModel() { info_.config.num_mel_bins = kBins; }
  [[nodiscard]] const ModelInfo& info() const override { return info_; }
  void features(std::span<const float> audio, std::span<float> logmel) override {
    ASSERT_EQ(audio.size(), 480000U);
    ++calls;
    const auto frames = front_end(audio);
    std::copy(frames.begin(), frames.end(), logmel.begin());
  }
  void encode(std::span<const float>) override { fail("not for this test"); }
  std::span<const float> decode(std::span<const int>, int) override { fail("not for this test"); }
  [[nodiscard]] int max_beams() const override { return 0; }
  void start_beams(int) override {}
  std::span<const float> decode_beams(std::span<const int>, std::span<const int>, int) override {
    fail("not for this test");
  }
  int calls = 0;

 private:
  ModelInfo info_;
};

std::vector<float> noise(size_t size, float loudness) {
  std::vector<float> audio(size);
  uint32_t state = 12345;
  for (float& sample : audio) {
    state = state * 1664525U + 1013904223U;
    sample = loudness * (static_cast<float>(state >> 8U) / 8388608.0F - 1.0F);
  }
  return audio;
}

// All frames of the recording, and of the 30 s of silence after it, must be those of the reference.
void expect_exact(const std::vector<float>& audio) {
  FrontEndModel model;
  MemorySound sound(audio);
  LogMel log_mel(model, sound);
  const int content = static_cast<int>(audio.size() / 160);
  EXPECT_EQ(log_mel.content_frames(), content);

  std::vector<float> padded = audio;
  padded.resize(audio.size() + 480000, 0.0F);
  const auto expected = front_end(padded);
  const size_t frames = padded.size() / 160;

  std::vector<float> window(kBins * kWindowFrames);
  for (int begin = 0; begin <= content; begin += kWindowFrames / 2) {
    log_mel.window(begin, window);
    int wrong = 0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      for (size_t t = 0; t < kWindowFrames && static_cast<size_t>(begin) + t < frames; ++t) {
        const float want = expected[bin * frames + static_cast<size_t>(begin) + t];
        const float got = window[bin * kWindowFrames + t];
        if (std::abs(want - got) > 1e-6F && ++wrong < 4) {
          ADD_FAILURE() << "frame " << begin + static_cast<int>(t) << " bin " << bin << ": " << got
                        << " instead of " << want << ", " << audio.size() << " samples";
        }
      }
    }
    EXPECT_EQ(wrong, 0);
  }
}

TEST(LogMel, ShortRecordingsAreExact) {
  for (const size_t size : {0, 1, 159, 160, 161, 200, 359, 1000, 16000}) {
    expect_exact(noise(size, 0.3F));
  }
}

TEST(LogMel, RecordingsAroundAWindowAreExact) {
  for (const size_t size : {479500, 479999, 480000, 480001, 480300, 500000}) {
    expect_exact(noise(size, 0.3F));
  }
}

TEST(LogMel, LongRecordingsAreExact) { expect_exact(noise(1500123, 0.3F)); }

TEST(LogMel, TheClampIsThatOfTheWholeRecording) {
  auto audio = noise(1100000, 1e-5F);
  for (size_t i = 20000; i < 30000; ++i) audio[i] *= 90000.0F;  // loud in the first window only
  expect_exact(audio);
  std::reverse(audio.begin(), audio.end());  // loud in the last window only
  expect_exact(audio);
}

TEST(LogMel, ClicksAtTheEdgesOfWindowsDoNotSpoilThem) {
  // The loudest sample lies where a window begins or ends and would be reflected there.
  for (const size_t click : {479119, 479400, 479440, 479560, 479679, 479880, 480000}) {
    auto audio = noise(900000, 2e-5F);
    audio[click] = 1.0F;
    expect_exact(audio);
  }
}

TEST(LogMel, CancellingHalvesAtAnEdgeAreExact) {
  // Two opposite steps cancel in the mean of every whole frame, but not in one that is cut off.
  auto audio = noise(900000, 2e-6F);
  for (size_t i = 0; i < audio.size(); ++i) audio[i] += (i / 10) % 2 == 0 ? 0.01F : -0.01F;
  expect_exact(audio);
}

TEST(LogMel, OneCallPerWindow) {
  FrontEndModel model;
  const auto audio = noise(16000 * 95, 0.1F);
  MemorySound sound(audio);
  LogMel log_mel(model, sound);
  std::vector<float> window(kBins * kWindowFrames);
  for (int begin = 0; begin < 9500; begin += kWindowFrames) log_mel.window(begin, window);
  EXPECT_EQ(model.calls, 4);
}

TEST(LogMel, PaddedWindowEndsInZeros) {
  FrontEndModel model;
  const auto audio = noise(160 * 100, 0.1F);
  MemorySound sound(audio);
  LogMel log_mel(model, sound);
  std::vector<float> window(kBins * kWindowFrames, 7.0F);
  std::vector<float> whole(kBins * kWindowFrames);
  log_mel.padded_window(20, 50, window);
  log_mel.window(0, whole);
  for (size_t bin = 0; bin < kBins; ++bin) {
    for (size_t t = 0; t < 50; ++t) {
      EXPECT_EQ(window[bin * kWindowFrames + t], whole[bin * kWindowFrames + 20 + t]);
    }
    for (size_t t = 50; t < kWindowFrames; ++t) EXPECT_EQ(window[bin * kWindowFrames + t], 0.0F);
  }
}

}  // namespace
}  // namespace whisper_s4y
