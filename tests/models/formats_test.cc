// Every format of a genuine checkpoint becomes the same file, byte for byte.
#include <gtest/gtest.h>

#include <cmath>

#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "models/write_bundle.h"

namespace whisper_s4y {
namespace {

class Formats : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    checkpoints_ = genuine_checkpoint(GetParam());
    if (checkpoints_.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  }
  // The hash covers all bytes of the file.
  std::string hash_of(const std::filesystem::path& checkpoint, WeightFormat format) {
    BundleOptions options;
    options.recipe = {.encoder = format, .decoder = format, .embedding = format, .exceptions = {}};
    return write_bundle(*open_checkpoint(checkpoint), folder_ / "out.tflite", options).model_hash;
  }
  std::filesystem::path ggml(const std::string& suffix) const {
    return checkpoints_ / "ggml" / (std::string("ggml-") + GetParam() + suffix + ".bin");
  }

  std::filesystem::path checkpoints_;
  TemporaryFolder folder_;
};

TEST_P(Formats, GiveTheSameFile) {
  const std::string expected = hash_of(checkpoints_ / "hf", WeightFormat::i8);
  for (const char* format : {"hf-f32", "hf-sharded", "hf-bin", "openai", "ct2"}) {
    EXPECT_EQ(hash_of(checkpoints_ / format, WeightFormat::i8), expected) << format;
  }
  EXPECT_EQ(hash_of(ggml(""), WeightFormat::i8), expected);
  EXPECT_EQ(hash_of(checkpoints_ / "openai", WeightFormat::f32),
            hash_of(checkpoints_ / "hf", WeightFormat::f32));
}

TEST_P(Formats, QuantisedOnesHaveWeightsOfTheirOwn) {
  std::vector<std::string> hashes;
  for (const char* suffix : {"-q8_0", "-q5_1", "-q5_0", "-q4_1", "-q4_0"}) {
    hashes.push_back(hash_of(ggml(suffix), WeightFormat::i8));
    for (size_t i = 0; i + 1 < hashes.size(); ++i) EXPECT_NE(hashes[i], hashes.back());
  }
}

// From a bundle in float32 comes whatever comes from the checkpoint.
TEST_P(Formats, ABundleStandsForItsCheckpoint) {
  const auto checkpoint = open_checkpoint(checkpoints_ / "hf");
  const WriteResult first = write_bundle(*checkpoint, folder_ / "bundle.tflite");
  const auto bundle = open_checkpoint(folder_ / "bundle.tflite");
  EXPECT_EQ(bundle->format, "tflite");
  for (const WeightFormat format : {WeightFormat::f32, WeightFormat::f16, WeightFormat::i8}) {
    BundleOptions options;
    options.recipe = {.encoder = format, .decoder = format, .embedding = format, .exceptions = {}};
    options.defaults.max_length = 100;
    const auto from_bundle = write_bundle(*bundle, folder_ / "a.tflite", options);
    const auto from_checkpoint = write_bundle(*checkpoint, folder_ / "b.tflite", options);
    EXPECT_EQ(from_bundle.model_hash, from_checkpoint.model_hash) << name_of(format);
  }
  EXPECT_EQ(write_bundle(*bundle, folder_ / "a.tflite").model_hash, first.model_hash);
  EXPECT_EQ(write_part(*bundle, Part::encoder, folder_ / "a.tflite").model_hash,
            write_part(*checkpoint, Part::encoder, folder_ / "b.tflite").model_hash);
}

// Weights as stored: fp16 and int8 bundles convert to themselves, others keep their values.
TEST_P(Formats, AQuantisedBundleKeepsItsWeights) {
  for (const WeightFormat format : {WeightFormat::f16, WeightFormat::i8, WeightFormat::i4}) {
    const std::string hash = hash_of(checkpoints_ / "hf", format);
    std::filesystem::rename(folder_ / "out.tflite", folder_ / "bundle.tflite");
    const std::string again = hash_of(folder_ / "bundle.tflite", format);
    if (format != WeightFormat::i4) {
      EXPECT_EQ(again, hash) << name_of(format);
    }
    const auto original = open_checkpoint(checkpoints_ / "hf");
    const auto bundle = open_checkpoint(folder_ / "bundle.tflite");
    for (const char* name :
         {"encoder.conv2.weight", "encoder.embed_positions.weight", "decoder.embed_tokens.weight",
          "encoder.layers.0.fc1.weight", "decoder.layers.1.encoder_attn.q_proj.weight"}) {
      const std::vector<float> expected = values_of(original->tensor(name));
      const std::vector<float> actual = values_of(bundle->tensor(name));
      double error = 0;
      double size = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
        size += expected[i] * expected[i];
      }
      const double limit = format == WeightFormat::f16  ? 1e-3
                           : format == WeightFormat::i8 ? 0.05
                                                        : 0.2;
      EXPECT_LT(std::sqrt(error / size), limit) << name_of(format) << " " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Genuine, Formats, testing::Values("tiny.en", "base"));

}  // namespace
}  // namespace whisper_s4y
