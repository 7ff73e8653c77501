#include "config/model_info.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using testing::HasSubstr;

ModelInfo valid_info() {
  ModelInfo info;
  info.name = "test";
  info.config = {.vocab_size = 20,
                 .num_mel_bins = 80,
                 .d_model = 8,
                 .encoder_layers = 1,
                 .encoder_attention_heads = 2,
                 .encoder_ffn_dim = 32,
                 .decoder_layers = 2,
                 .decoder_attention_heads = 4,
                 .decoder_ffn_dim = 16};
  GenerationConfig& g = info.generation;
  g.is_multilingual = true;
  g.eos_token_id = 10;
  g.decoder_start_token_id = 11;
  g.translate_token_id = 14;
  g.transcribe_token_id = 15;
  g.no_timestamps_token_id = 16;
  g.lang_to_id = {{"en", 12}, {"zh", 13}};
  g.suppress_tokens = {1, 2};
  g.begin_suppress_tokens = {3, 10};
  g.alignment_heads = {{0, 1}, {1, 3}};
  info.vocabulary.tokens.resize(20);
  info.vocabulary.special.resize(20);
  info.vocabulary.ranks.resize(20, -1);
  return info;
}

TEST(ModelInfo, ValidatesAGoodModel) { EXPECT_NO_THROW(validate(valid_info(), "file")); }

struct Damage {
  const char* field;
  std::function<void(ModelInfo&)> apply;
};

TEST(ModelInfo, NamesTheFieldThatIsWrong) {
  const Damage damages[] = {
      {"vocab_size", [](ModelInfo& i) { i.config.vocab_size = 0; }},
      {"vocab_size", [](ModelInfo& i) { i.config.vocab_size = 2'000'000'000; }},
      {"num_mel_bins", [](ModelInfo& i) { i.config.num_mel_bins = -80; }},
      {"d_model", [](ModelInfo& i) { i.config.d_model = 1 << 30; }},
      {"encoder_layers", [](ModelInfo& i) { i.config.encoder_layers = 0; }},
      {"encoder_ffn_dim", [](ModelInfo& i) { i.config.encoder_ffn_dim = -1; }},
      {"decoder_layers", [](ModelInfo& i) { i.config.decoder_layers = 100'000; }},
      {"decoder_ffn_dim", [](ModelInfo& i) { i.config.decoder_ffn_dim = 0; }},
      {"max_source_positions", [](ModelInfo& i) { i.config.max_source_positions = 0; }},
      {"max_target_positions", [](ModelInfo& i) { i.config.max_target_positions = -1; }},
      {"encoder_attention_heads", [](ModelInfo& i) { i.config.encoder_attention_heads = 3; }},
      {"decoder_attention_heads", [](ModelInfo& i) { i.config.decoder_attention_heads = 0; }},
      {"eos_token_id", [](ModelInfo& i) { i.generation.eos_token_id = -1; }},
      {"decoder_start_token_id", [](ModelInfo& i) { i.generation.decoder_start_token_id = 20; }},
      {"no_timestamps_token_id", [](ModelInfo& i) { i.generation.no_timestamps_token_id = -5; }},
      {"transcribe_token_id", [](ModelInfo& i) { i.generation.transcribe_token_id = -1; }},
      {"no_speech_token_id", [](ModelInfo& i) { i.generation.no_speech_token_id = 99; }},
      {"suppress_tokens", [](ModelInfo& i) { i.generation.suppress_tokens = {20}; }},
      {"begin_suppress_tokens", [](ModelInfo& i) { i.generation.begin_suppress_tokens = {-1}; }},
      {"lang_to_id", [](ModelInfo& i) { i.generation.lang_to_id[0].second = 50'000; }},
      {"language", [](ModelInfo& i) { i.generation.lang_to_id.clear(); }},
      {"max_initial_timestamp_index",
       [](ModelInfo& i) { i.generation.max_initial_timestamp_index = -1; }},
      {"alignment head (2, 0)",
       [](ModelInfo& i) {
         i.generation.alignment_heads = {{2, 0}};
       }},
      {"alignment head (0, 4)",
       [](ModelInfo& i) {
         i.generation.alignment_heads = {{0, 4}};
       }},
      {"vocabulary", [](ModelInfo& i) { i.vocabulary.tokens.pop_back(); }},
      {"vocabulary", [](ModelInfo& i) { i.vocabulary.ranks.clear(); }},
  };
  for (const Damage& damage : damages) {
    ModelInfo info = valid_info();
    damage.apply(info);
    const std::string message = message_of([&] { validate(info, "the file"); });
    EXPECT_THAT(message, HasSubstr(damage.field));
    EXPECT_THAT(message, testing::StartsWith("the file: "));
  }
}

TEST(ModelInfo, EnglishOnlyModelsNeedNoTasksOrLanguages) {
  ModelInfo info = valid_info();
  info.generation.is_multilingual = false;
  info.generation.lang_to_id.clear();
  info.generation.transcribe_token_id = -1;
  info.generation.translate_token_id = -1;
  EXPECT_NO_THROW(validate(info, "file"));
}

TEST(GenerationConfig, FindsLanguages) {
  const GenerationConfig g = valid_info().generation;
  EXPECT_EQ(g.language_token("zh"), 13);
  EXPECT_EQ(g.language_token("xx"), -1);
  EXPECT_EQ(g.language_of_token(12), "en");
  EXPECT_EQ(g.language_of_token(14), "");
  EXPECT_EQ(g.timestamp_begin(), 17);
}

TEST(ModelJson, RoundTrips) {
  const ModelInfo info = valid_info();
  ModelConfig config;
  GenerationConfig generation;
  from_json(to_json(info.config, info.generation), "file", config, generation);
  EXPECT_EQ(config, info.config);
  EXPECT_EQ(generation, info.generation);
}

TEST(ModelJson, ReportsBadInput) {
  const ModelInfo info = valid_info();
  const std::string good = to_json(info.config, info.generation);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const auto message = [](const std::string& json) {
    ModelConfig config;
    GenerationConfig generation;
    return message_of([&] { from_json(json, "file", config, generation); });
  };
  EXPECT_EQ(message(""), "file is not valid JSON: line 1, column 1.");
  EXPECT_EQ(message("[1]"), "file is not a JSON object.");
  EXPECT_EQ(message(good.substr(0, good.size() / 2)),
            fmt::format("file is not valid JSON: line 1, column {}.", good.size() / 2 + 1));
  EXPECT_EQ(message(replaced("\"d_model\"", "\"model\"")), "file: the field d_model is missing.");
  EXPECT_EQ(message(replaced("\"d_model\":8", "\"d_model\":8.5")),
            "file: the field d_model is not a whole number.");
  EXPECT_EQ(message(replaced("\"d_model\":8", "\"d_model\":99999999999")),
            "file: the field d_model is not a 32-bit number.");
  EXPECT_EQ(message(replaced("\"d_model\":8", "\"d_model\":18446744073709551615")),
            "file: the field d_model is not a 32-bit number.");
  EXPECT_EQ(message(replaced("[1,2]", "[1,\"2\"]")),
            "file: the field suppress_tokens is not a whole number.");
  EXPECT_EQ(message(replaced("[0,1]", "[0]")),
            "file: the field alignment_heads is not a list of pairs.");
  EXPECT_EQ(message(replaced("true", "1")),
            "file: the field is_multilingual is not true or false.");
}

Vocabulary sample_vocabulary() {
  return {.tokens = {"a", "", "ab", std::string("\xE2\x99"), std::string("\0\xFF", 2), "<|en|>"},
          .special = {0, 0, 0, 0, 0, 1},
          .ranks = {0, -1, 256, 7, 3, -1}};
}

TEST(VocabularyText, IsTheTiktokenFormat) {
  EXPECT_EQ(to_text(sample_vocabulary()),
            "YQ== 0\n= -1\nYWI= 256\n4pk= 7\nAP8= 3\nPHxlbnw+ special\n");
}

TEST(VocabularyText, RoundTrips) {
  const Vocabulary vocabulary = sample_vocabulary();
  EXPECT_EQ(vocabulary_from_text(to_text(vocabulary), "file"), vocabulary);
  EXPECT_EQ(vocabulary_from_text("", "file"), Vocabulary());
}

TEST(VocabularyText, ReportsBadLines) {
  for (const char* text :
       {"YQ== 0\nYQ= 1\n", "YQ== 0\nYQ==\n", "YQ== 0\nY=Q= 1\n", "YQ== 0\n=QQ= 1\n",
        "YQ== 0\nYQ== x\n", "YQ== 0\nYQ== -2\n", "YQ== 0\nYQ== 1x\n", "YQ== 0\nYQ== 99999999999\n",
        "YQ== 0\nYQ== 1", "YQ== 0\n 1\n", "YQ== 0\n====  1\n", "YQ== 0\nY\xFFQ= 1\n"}) {
    EXPECT_THAT(message_of([&] { static_cast<void>(vocabulary_from_text(text, "the file")); }),
                HasSubstr("the file: line 2"))
        << text;
  }
}

}  // namespace
}  // namespace whisper_s4y
