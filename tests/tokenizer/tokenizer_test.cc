#include "tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "standard_model.h"
#include "support/files.h"
#include "tokenizer/pre_split.h"
#include "tokenizer/stream_decoder.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

Strings pieces(std::string_view text) {
  Strings out;
  while (!text.empty()) {
    const size_t size = first_piece(text);
    out.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

TEST(PreSplit, KeepsASpaceWithWhatFollows) {
  EXPECT_EQ(pieces("Hello world 42 !!"), (Strings{"Hello", " world", " 42", " !!"}));
}

TEST(PreSplit, SpacesBeforeAWordLeaveItTheLast) {
  EXPECT_EQ(pieces("a   b"), (Strings{"a", "  ", " b"}));
  EXPECT_EQ(pieces("a\t\tb"), (Strings{"a", "\t", "\t", "b"}));
  EXPECT_EQ(pieces("a \nb"), (Strings{"a", " ", "\n", "b"}));
  EXPECT_EQ(pieces("a\n b"), (Strings{"a", "\n", " b"}));
}

TEST(PreSplit, SpacesAtTheEndStayTogether) {
  EXPECT_EQ(pieces("a  \n"), (Strings{"a", "  \n"}));
  EXPECT_EQ(pieces(" "), (Strings{" "}));
}

TEST(PreSplit, CutsContractionsOff) {
  EXPECT_EQ(pieces("I'd we'll they're 's"),
            (Strings{"I", "'d", " we", "'ll", " they", "'re", " '", "s"}));
  EXPECT_EQ(pieces("IT'S 'x"), (Strings{"IT", "'", "S", " '", "x"})) << "small letters only";
}

TEST(PreSplit, KnowsLettersAndNumbersOfAllScripts) {
  EXPECT_EQ(pieces("été42٤½Ⅷ"), (Strings{"été", "42٤½Ⅷ"}));
  EXPECT_EQ(pieces("日本語。テスト"), (Strings{"日本語", "。", "テスト"}));
  EXPECT_EQ(pieces("e\u0301x"), (Strings{"e", "\u0301", "x"})) << "marks are no letters";
  EXPECT_EQ(pieces("\u3000あ"), (Strings{"\u3000", "あ"})) << "only U+0020 joins a word";
}

TEST(PreSplit, InvalidBytesAreSymbols) {
  EXPECT_EQ(pieces("a\xFF\xE2\x99"
                   "b"),
            (Strings{"a", "\xFF\xE2\x99", "b"}));
}

TEST(Tokenizer, EveryByteHasAToken) {
  for (const ModelInfo* model : {&english_model(), &multilingual_model()}) {
    const Tokenizer tokenizer = tokenizer_of(*model);
    std::mt19937 random(5);
    std::string bytes;
    for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(random());
    EXPECT_EQ(tokenizer.decode_bytes(tokenizer.encode(bytes)), bytes);
  }
}

// The vector of the reference's own tests: longer in GPT-2's vocabulary than in the other.
TEST(Tokenizer, KoreanRoundTripsInBothVocabularies) {
  const std::string text = "다람쥐 헌 쳇바퀴에 타고파";
  const Tokenizer english = tokenizer_of(english_model());
  const Tokenizer multilingual = tokenizer_of(multilingual_model());
  EXPECT_EQ(english.decode(english.encode(text)), text);
  EXPECT_EQ(multilingual.decode(multilingual.encode(text)), text);
  EXPECT_GT(english.encode(text).size(), multilingual.encode(text).size());
}

// Made by make_reference.py with Hugging Face's tokenizers.
TEST(Tokenizer, EncodesAsHuggingFace) {
  std::ifstream file(source_dir() / "tests/tokenizer/reference.json");
  const auto reference = nlohmann::json::parse(file);
  ASSERT_GE(reference.at("texts").size(), 200U);
  const Tokenizer english = tokenizer_of(english_model());
  const Tokenizer multilingual = tokenizer_of(multilingual_model());
  for (const auto& text : reference.at("texts")) {
    const auto content = text.at("text").get<std::string>();
    EXPECT_EQ(english.encode(content), text.at("english").get<std::vector<int>>()) << content;
    EXPECT_EQ(multilingual.encode(content), text.at("multilingual").get<std::vector<int>>())
        << content;
  }
}

TEST(Tokenizer, NamesOfSpecialTokensInATextAreText) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  const auto ids = tokenizer.encode("<|en|><|endoftext|><|0.00|>");
  EXPECT_THAT(ids, ::testing::Each(::testing::Lt(multilingual_model().generation.eos_token_id)));
  EXPECT_EQ(tokenizer.decode(ids), "<|en|><|endoftext|><|0.00|>");
}

TEST(Tokenizer, DecodesWhatIsAskedFor) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  const std::vector<int> ids = {50258, 50259, 50359, 50364, 2425, 50414, 51864, 50257};
  EXPECT_EQ(tokenizer.decode(ids), " Hello");
  EXPECT_EQ(tokenizer.decode(ids, {.timestamps = true}), "<|0.00|> Hello<|1.00|><|30.00|>");
  EXPECT_EQ(tokenizer.decode(ids, {.special_tokens = true}),
            "<|startoftranscript|><|en|><|transcribe|> Hello<|endoftext|>");
}

TEST(Tokenizer, RefusesIdsOutsideTheVocabulary) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  EXPECT_THROW((void)tokenizer.decode(std::vector{-1}), Error);
  ModelInfo small;
  small.vocabulary = {.tokens = {"a", "b"}, .special = {0, 0}, .ranks = {0, 1}};
  const Tokenizer tiny = tokenizer_of(small);
  EXPECT_EQ(tiny.decode(std::vector{1, 0}), "ba");
  try {
    (void)tiny.decode(std::vector{2});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "The token id 2 is not in the vocabulary of 2 tokens.");
  }
  try {
    (void)tiny.encode("abc");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no token for the byte 0x63"));
  }
}

TEST(Tokenizer, MergesTheLowestRankFirstAndEqualOnesFromTheLeft) {
  ModelInfo model;
  model.vocabulary = {.tokens = {"a", "b", "bb", "ab", "abb"},
                      .special = {0, 0, 0, 0, 0},
                      .ranks = {0, 1, 2, 3, 4}};
  const Tokenizer tokenizer = tokenizer_of(model);
  EXPECT_THAT(tokenizer.encode("abb"), ElementsAre(4)) << "the whole piece is a token";
  EXPECT_THAT(tokenizer.encode("abbb"), ElementsAre(4, 1)) << "a bb b";
  EXPECT_THAT(tokenizer.encode("bbbbb"), ElementsAre(2, 2, 1));
  EXPECT_THAT(tokenizer.encode("aab"), ElementsAre(0, 3));
}

TEST(Tokenizer, NonSpeechTokensAreThoseOfTheReference) {
  // transformers configuration_whisper.py without the special tokens at the end.
  const std::vector<int> english = {
      1,     2,     7,     8,     9,     10,    14,    25,    26,    27,    28,    29,
      31,    58,    59,    60,    61,    62,    63,    90,    91,    92,    93,    357,
      366,   438,   532,   685,   705,   796,   930,   1058,  1220,  1267,  1279,  1303,
      1343,  1377,  1391,  1635,  1782,  1875,  2162,  2361,  2488,  3467,  4008,  4211,
      4600,  4808,  5299,  5855,  6329,  7203,  9609,  9959,  10563, 10786, 11420, 11709,
      11907, 13163, 13697, 13700, 14808, 15306, 16410, 16791, 17992, 19203, 19510, 20724,
      22305, 22935, 27007, 30109, 30420, 33409, 34949, 40283, 40493, 40549, 47282, 49146};
  const std::vector<int> multilingual = {
      1,     2,     7,     8,     9,     10,    14,    25,    26,    27,    28,    29,
      31,    58,    59,    60,    61,    62,    63,    90,    91,    92,    93,    359,
      503,   522,   542,   873,   893,   902,   918,   922,   931,   1350,  1853,  1982,
      2460,  2627,  3246,  3253,  3268,  3536,  3846,  3961,  4183,  4667,  6585,  6647,
      7273,  9061,  9383,  10428, 10929, 11938, 12033, 12331, 12562, 13793, 14157, 14635,
      15265, 15618, 16553, 16604, 18362, 18956, 20075, 21675, 22520, 26130, 26161, 26435,
      28279, 29464, 31650, 32302, 32470, 36865, 42863, 47425, 49870, 50254};
  EXPECT_EQ(tokenizer_of(english_model()).non_speech_tokens(), english);
  EXPECT_EQ(tokenizer_of(multilingual_model()).non_speech_tokens(), multilingual);
}

Strings texts_of(const std::vector<WordTokens>& words) {
  Strings texts;
  for (const WordTokens& word : words) texts.push_back(word.text);
  return texts;
}

// The vector of the reference's tests: a character whose bytes belong to two tokens, after a
// real U+FFFD.
TEST(SplitToWords, CutsAtCompleteCharacters) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  const std::vector<int> ids = {8404, 871, 287, 6, 246, 526, 3210, 20378};
  const auto words = tokenizer.split_to_word_tokens(ids, "ja");
  EXPECT_EQ(texts_of(words), (Strings{" elle", " est", " l", "'", "\uFFFD", "é", "rit", "oire"}));
  std::vector<int> joined;
  for (const auto& word : words)
    joined.insert(joined.end(), word.tokens.begin(), word.tokens.end());
  EXPECT_EQ(joined, ids);
}

TEST(SplitToWords, JoinsPartsUntilASpace) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  const auto words = [&](std::string_view text, std::string_view language) {
    return texts_of(tokenizer.split_to_word_tokens(tokenizer.encode(text), language));
  };
  EXPECT_EQ(words(" Antidisestablishmentarianism, he said.", "en"),
            (Strings{" Antidisestablishmentarianism", ",", " he", " said", "."}));
  EXPECT_EQ(words("don't", "en"), (Strings{"don't"}));
  EXPECT_EQ(words(" (yes)", "en"), (Strings{" (yes", ")"}));
  EXPECT_EQ(words("今日は。", "ja").back(), "。");
  EXPECT_GT(words("今日は良い天気", "ja").size(), 2U);
  EXPECT_EQ(words("今日は良い天気", "en").size(), 1U);
}

TEST(SplitToWords, SpecialTokensStandAlone) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  EXPECT_EQ(texts_of(tokenizer.split_to_word_tokens(std::vector{2425, 50257}, "en")),
            (Strings{" Hello", "<|endoftext|>"}));
  EXPECT_THAT(tokenizer.split_to_word_tokens({}, "en"), IsEmpty());
}

TEST(StreamDecoder, HoldsBackUnfinishedCharacters) {
  const Tokenizer tokenizer = tokenizer_of(english_model());
  const std::string text = " It costs 5 € 😀 naïve 日本";
  const auto ids = tokenizer.encode(text);
  StreamDecoder decoder(tokenizer);
  std::string sum;
  bool held = false;
  for (const int id : ids) {
    const std::string piece = decoder.push(id);
    EXPECT_EQ(piece.find("\uFFFD"), std::string::npos);
    held = held || piece.empty();
    sum += piece;
  }
  EXPECT_TRUE(held) << "some character is cut in this vocabulary";
  EXPECT_EQ(decoder.finish(), "");
  EXPECT_EQ(sum, text);
}

TEST(StreamDecoder, PiecesMakeUpTheWholeForAnyTokens) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<int> ids;
    for (int i = 0; i < 12; ++i) ids.push_back(static_cast<int>(random() % (i % 2 ? 256 : 50256)));
    StreamDecoder decoder(tokenizer);
    std::string sum;
    for (const int id : ids) sum += decoder.push(id);
    sum += decoder.finish();
    ASSERT_EQ(sum, tokenizer.decode(ids));
  }
}

// Takes 0.1 s; the limits leave room for slow machines and sanitizers, not for an algorithm that is
// quadratic in the length of a piece.
TEST(Tokenizer, EncodesLongTextsFast) {
  const Tokenizer tokenizer = tokenizer_of(multilingual_model());
  const auto seconds = [&](const std::string& text) {
    const auto start = std::chrono::steady_clock::now();
    const auto ids = tokenizer.encode(text);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(tokenizer.decode_bytes(ids), text);
    return taken.count();
  };
  std::string prose;
  while (prose.size() < 1'000'000) prose += " The quick brown fox jumps over Ångström's lazy dögs;";
  EXPECT_LT(seconds(prose), 10);
  EXPECT_LT(seconds(std::string(100'000, 'a')), 10);
  EXPECT_LT(seconds(std::string(100'000, ' ')), 10);
}

}  // namespace
}  // namespace whisper_s4y
