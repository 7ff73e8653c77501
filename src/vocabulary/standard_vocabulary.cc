#include "vocabulary/standard_vocabulary.h"

#include <zlib.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/fail.h"
#include "tokenizer/languages.h"
#include "vocabulary/byte_alphabet.h"
#include "vocabulary/embedded_data.h"

namespace whisper_s4y {
namespace {

constexpr size_t kBytes = 256;
constexpr size_t kMerges = 50000;
constexpr int kEnglishOnly = 51864;
constexpr int kMultilingual = 51865;  // 99 languages
constexpr int kLargeV3 = 51866;       // 100 languages
constexpr std::array<std::string_view, 2> kBeforeLanguages = {"<|endoftext|>",
                                                              "<|startoftranscript|>"};
constexpr std::array<std::string_view, 6> kAfterLanguages = {"<|translate|>", "<|transcribe|>",
                                                             "<|startoflm|>", "<|startofprev|>",
                                                             "<|nospeech|>",  "<|notimestamps|>"};

// See scripts/make_vocabulary_data.py for the layout.
std::vector<uint8_t> inflate_merges(std::span<const unsigned char> packed) {
  std::vector<uint8_t> planes(4 * kMerges);
  uLongf size = planes.size();
  const int result = ::uncompress(planes.data(), &size, packed.data(), packed.size());
  if (result != Z_OK || size != planes.size()) {
    fail("The built-in vocabulary is damaged; this program was built wrongly.");
  }
  return planes;
}

void add_text_tokens(Vocabulary& vocabulary, std::span<const unsigned char> packed) {
  for (int byte = 0; byte < static_cast<int>(kBytes); ++byte) {
    const auto id = static_cast<size_t>(byte_rank(static_cast<uint8_t>(byte)));
    vocabulary.tokens[id] = std::string(1, static_cast<char>(byte));
  }
  const std::vector<uint8_t> planes = inflate_merges(packed);
  for (size_t i = 0; i < kMerges; ++i) {
    const size_t left = planes[i] | planes[kMerges + i] << 8;
    const size_t right = planes[2 * kMerges + i] | planes[3 * kMerges + i] << 8;
    vocabulary.tokens[kBytes + i] = vocabulary.tokens.at(left) + vocabulary.tokens.at(right);
  }
  for (size_t id = 0; id < kBytes + kMerges; ++id) {
    vocabulary.ranks[id] = static_cast<int32_t>(id);
  }
}

}  // namespace

void name_special_tokens(Vocabulary& vocabulary, size_t first, std::string_view source) {
  const size_t size = vocabulary.tokens.size();
  const size_t others = kBeforeLanguages.size() + kAfterLanguages.size() + kTimestampTokens;
  const auto known = languages();
  if (first + others >= size || size - first - others > known.size()) {
    fail(
        "{}: of {} tokens, {} are text and {} special; what is left is not 1 to {} languages, so "
        "the special tokens cannot be told. Use the Hugging Face form of this model.",
        source, size, first, others, known.size());
  }
  const size_t count = size - first - others;
  size_t id = first;
  const auto add = [&](std::string name) {
    vocabulary.tokens[id] = std::move(name);
    vocabulary.special[id] = 1;
    vocabulary.ranks[id] = -1;
    ++id;
  };
  for (const std::string_view name : kBeforeLanguages) add(std::string(name));
  for (const Language& language : known.first(count)) add(fmt::format("<|{}|>", language.code));
  for (const std::string_view name : kAfterLanguages) add(std::string(name));
  for (int i = 0; i < kTimestampTokens; ++i) add(fmt::format("<|{}.{:02}|>", i / 50, i % 50 * 2));
}

bool has_standard_vocabulary(int vocab_size) {
  return vocab_size == kEnglishOnly || vocab_size == kMultilingual || vocab_size == kLargeV3;
}

Vocabulary standard_vocabulary(int vocab_size, std::string_view source) {
  const bool english_only = vocab_size == kEnglishOnly;
  if (!has_standard_vocabulary(vocab_size)) {
    fail(
        "{} has {} tokens and brings no vocabulary; the built-in ones have {}, {} and {}. Use the "
        "Hugging Face form of this model.",
        source, vocab_size, kEnglishOnly, kMultilingual, kLargeV3);
  }
  Vocabulary vocabulary;
  vocabulary.tokens.resize(static_cast<size_t>(vocab_size));
  vocabulary.special.resize(vocabulary.tokens.size());
  vocabulary.ranks.resize(vocabulary.tokens.size(), -1);
  add_text_tokens(vocabulary,
                  english_only ? embedded_gpt2_merges() : embedded_multilingual_merges());
  // The multilingual vocabulary has an empty token after the merges.
  name_special_tokens(vocabulary, kBytes + kMerges + (english_only ? 0 : 1), source);
  return vocabulary;
}

}  // namespace whisper_s4y
