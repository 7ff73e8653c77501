// What transformers' WhisperTokenizer does, from the goldens beside the checkout.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "standard_model.h"
#include "support/files.h"

namespace whisper_s4y {
namespace {

class Golden : public ::testing::TestWithParam<std::pair<const char*, int>> {
 protected:
  void SetUp() override {
    const auto path = shared_dir() / "goldens" / GetParam().first / "tokenizer.json";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no goldens beside the checkout";
    std::ifstream file(path);
    golden_ = nlohmann::json::parse(file);
    model_ = standard_model(GetParam().second);
  }

  nlohmann::json golden_;
  ModelInfo model_;
};

TEST_P(Golden, EncodesAndDecodes) {
  const Tokenizer tokenizer = tokenizer_of(model_);
  ASSERT_GT(golden_.at("strings").size(), 40U);
  for (const auto& entry : golden_.at("strings")) {
    const auto text = entry.at("text").get<std::string>();
    const auto ids = entry.at("ids").get<std::vector<int>>();
    EXPECT_EQ(tokenizer.encode(text), ids) << text;
    EXPECT_EQ(tokenizer.decode(ids), entry.at("decoded").get<std::string>());
  }
}

TEST_P(Golden, DecodesSpecialTokensAndTimestamps) {
  const Tokenizer tokenizer = tokenizer_of(model_);
  for (const auto& entry : golden_.at("decode_only")) {
    const auto ids = entry.at("ids").get<std::vector<int>>();
    EXPECT_EQ(tokenizer.decode(ids, {.special_tokens = true}),
              entry.at("decode").get<std::string>());
    EXPECT_EQ(tokenizer.decode(ids), entry.at("skip_special").get<std::string>());
    EXPECT_EQ(tokenizer.decode(ids, {.special_tokens = true, .timestamps = true}),
              entry.at("with_timestamps").get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Golden,
                         ::testing::Values(std::pair("whisper-tiny.en", 51864),
                                           std::pair("whisper-base", 51865)));

}  // namespace
}  // namespace whisper_s4y
