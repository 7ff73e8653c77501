// What users of one model cost, and that they leave nothing behind.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "cli/small_model.h"
#include "support/files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/session.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

std::vector<float> recording() { return load_audio(source_dir() / "examples" / "jfk.flac"); }

/// Resident memory in bytes, less what glibc keeps for later.
double resident() {
  ::malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator folder("/proc/self/fd");
  return std::distance(begin(folder), end(folder));
}

TranscribeOptions quick_options() {
  TranscribeOptions options;
  options.language = "en";
  options.temperatures = {0.0F};
  options.max_new_tokens = 4;
  return options;
}

TEST(ModelSharing, MemoryStaysFlat) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "The sanitizers keep what was freed.";
#endif
  constexpr double kMost = 2e6;
  const std::vector<float> audio = recording();
  Transcriber transcriber{Model(small_model())};
  const auto transcribe = [&](int times) {
    for (int i = 0; i < times; ++i) (void)transcriber.transcribe(audio, quick_options());
  };
  transcribe(20);
  const double before = resident();
  transcribe(200);
  EXPECT_LT(resident() - before, kMost);
}

TEST(ModelSharing, MakingAndLeavingTranscribersStaysFlat) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "The sanitizers keep what was freed.";
#endif
  constexpr double kMost = 2e6;
  const std::vector<float> audio = recording();
  const Model model(small_model());
  const auto transcribe = [&](int times) {
    for (int i = 0; i < times; ++i) {
      Transcriber transcriber(model);
      (void)transcriber.transcribe(audio, quick_options());
    }
  };
  transcribe(10);
  const double before = resident();
  transcribe(50);
  EXPECT_LT(resident() - before, kMost);
}

TEST(ModelSharing, LeavesNoDescriptorOpen) {
  const std::vector<float> audio = recording();
  { (void)Transcriber(Model(small_model())).transcribe(audio, quick_options()); }
  const std::ptrdiff_t before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    const Model model(small_model());
    Transcriber one(model);
    Transcriber other(model);
    (void)one.transcribe(audio, quick_options());
    (void)other.transcribe(audio, quick_options());
    EXPECT_THROW((void)Model("/no/such/model"), Error);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(ModelSharing, ASessionRunsTheSignaturesOfABundle) {
  const Model model(small_model());
  ASSERT_TRUE(model.info().can_transcribe);
  EXPECT_TRUE(model.info().can_align);
  EXPECT_EQ(model.info().max_beams, 5);
  EXPECT_TRUE(model.info().is_multilingual);
  EXPECT_EQ(model.info().languages.front(), "en");
  const std::vector<int> tokens = model.tokenize(" a b");
  EXPECT_FALSE(tokens.empty());
  EXPECT_EQ(model.detokenize(tokens), " a b");

  Session session(model);
  session.bind("encode", "input_features", "features", "logmel");
  session.bind("cross", "last_hidden_state", "encode", "last_hidden_state");
  for (const TensorInfo& cache : session.signature("cross").outputs) {
    session.bind("step", cache.name, "cross", cache.name);
  }
  for (const TensorInfo& cache : session.signature("step").outputs) {
    if (cache.name != "logits") session.bind("step", cache.name.substr(4), "step", cache.name);
  }
  const Span<float> window = session.input<float>("features", "normalized_audio");
  const std::vector<float> audio = recording();
  std::copy(audio.begin(), audio.end(), window.begin());
  for (const char* key : {"features", "encode", "cross"}) session.run(key);
  session.input<int32_t>("step", "token")[0] = model.info().generation.decoder_start_token_id;
  session.run("step");
  const Span<const float> logits = session.output<float>("step", "logits");
  EXPECT_EQ(logits.size(), static_cast<size_t>(model.info().config.vocab_size));

  // The same as a transcriber hears.
  Transcriber transcriber(model);
  float best = -1e9F;
  std::string language;
  for (const auto& [code, id] : model.info().generation.lang_to_id) {
    if (logits[static_cast<size_t>(id)] <= best) continue;
    best = logits[static_cast<size_t>(id)];
    language = code;
  }
  TranscribeOptions first;
  first.language_detection_segments = 1;
  EXPECT_EQ(transcriber.detect_language(audio, first).front().first, language);
}

}  // namespace
}  // namespace whisper_s4y
