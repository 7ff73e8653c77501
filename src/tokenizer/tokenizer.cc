#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "common/fail.h"
#include "common/utf8.h"
#include "config/front_end.h"
#include "tokenizer/pre_split.h"

namespace whisper_s4y {
namespace {

constexpr DecodeOptions kEverything = {.special_tokens = true, .timestamps = true};

// Python's string.punctuation.
constexpr std::string_view kPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

constexpr std::array<std::string_view, 6> kWithoutSpaces = {"zh", "ja", "th", "lo", "my", "yue"};

// tokenizer.py: non_speech_tokens.
constexpr auto kNonSpeech = std::to_array<std::string_view>(
    {"\"",  "#",  "(",  ")",   "*",   "+",   "/",   ":",  ";",   "<",  "=",  ">",
     "@",   "[",  "\\", "]",   "^",   "_",   "`",   "{",  "|",   "}",  "~",  "「",
     "」",  "『", "』", "<<",  ">>",  "<<<", ">>>", "--", "---", "-(", "-[", "('",
     "(\"", "((", "))", "(((", ")))", "[[",  "]]",  "{{", "}}",  "♪♪", "♪♪♪"});
constexpr auto kMusic = std::to_array<std::string_view>({"♩", "♪", "♫", "♬", "♭", "♮", "♯"});

}  // namespace

Tokenizer::Tokenizer(const Vocabulary& vocabulary, const GenerationConfig& generation)
    : vocabulary_(&vocabulary), generation_(&generation), encoder_(vocabulary) {}

std::vector<int> Tokenizer::encode(std::string_view text) const {
  std::vector<int> ids;
  while (!text.empty()) {
    const size_t size = first_piece(text);
    encoder_.encode(text.substr(0, size), ids);
    text.remove_prefix(size);
  }
  return ids;
}

bool Tokenizer::is_timestamp(int id) const {
  return generation_->no_timestamps_token_id >= 0 && id >= generation_->timestamp_begin();
}

bool Tokenizer::is_special(int id) const {
  const auto index = static_cast<size_t>(id);
  return id >= 0 && !is_timestamp(id) && index < vocabulary_->special.size() &&
         vocabulary_->special[index] != 0;
}

std::string Tokenizer::decode(std::span<const int> ids, const DecodeOptions& options) const {
  std::string bytes = decode_bytes(ids, options);
  return options.keep_bytes ? bytes : valid_utf8(bytes);
}

std::string Tokenizer::decode_bytes(std::span<const int> ids, const DecodeOptions& options) const {
  std::string bytes;
  for (const int id : ids) {
    if (id < 0 || static_cast<size_t>(id) >= vocabulary_->tokens.size()) {
      fail(ErrorCode::invalid_argument, "The token id {} is not in the vocabulary of {} tokens.",
           id, vocabulary_->tokens.size());
    }
    if (is_timestamp(id)) {
      if (!options.timestamps) continue;
      const double seconds = (id - generation_->timestamp_begin()) * kTimePrecision;
      fmt::format_to(std::back_inserter(bytes), "<|{:.2f}|>", seconds);
      continue;
    }
    if (!is_special(id) || options.special_tokens) {
      bytes += vocabulary_->tokens[static_cast<size_t>(id)];
    }
  }
  return bytes;
}

std::vector<WordTokens> Tokenizer::split_to_word_tokens(std::span<const int> ids,
                                                        std::string_view language) const {
  const bool spaces =
      std::find(kWithoutSpaces.begin(), kWithoutSpaces.end(), language) == kWithoutSpaces.end();
  return spaces ? split_on_spaces(ids) : split_on_characters(ids);
}

// tokenizer.py: split_tokens_on_unicode. A run of tokens is complete when no character of it is
// cut, or when the whole text has U+FFFD at the same place: then it is really there.
std::vector<WordTokens> Tokenizer::split_on_characters(std::span<const int> ids) const {
  const std::u32string whole = code_points(decode(ids, kEverything));
  std::vector<WordTokens> words;
  size_t characters = 0;
  std::vector<int> run;
  for (const int id : ids) {
    run.push_back(id);
    std::string text = decode(run, kEverything);
    const std::u32string codes = code_points(text);
    const size_t replaced = codes.find(kReplacementCharacter);
    const size_t place = characters + replaced;
    if (replaced == std::u32string::npos ||
        (place < whole.size() && whole[place] == kReplacementCharacter)) {
      words.push_back({std::move(text), std::move(run)});
      run.clear();
      characters += codes.size();
    }
  }
  return words;
}

// tokenizer.py: split_tokens_on_spaces.
std::vector<WordTokens> Tokenizer::split_on_spaces(std::span<const int> ids) const {
  std::vector<WordTokens> words;
  for (WordTokens& part : split_on_characters(ids)) {
    const bool special = part.tokens.front() >= generation_->eos_token_id;
    // As in the reference a search for the stripped text, so "" and "()" are found too.
    const bool punctuation = kPunctuation.find(trimmed(part.text)) != std::string_view::npos;
    if (words.empty() || special || part.text.starts_with(' ') || punctuation) {
      words.push_back(std::move(part));
    } else {
      words.back().text += part.text;
      words.back().tokens.insert(words.back().tokens.end(), part.tokens.begin(), part.tokens.end());
    }
  }
  return words;
}

std::vector<int> Tokenizer::non_speech_tokens() const {
  // " -" and " '" as tokens of their own; hyphens and quotes inside words remain possible.
  std::set<int> ids = {encode(" -").front(), encode(" '").front()};
  const auto add = [&](std::string_view symbol, bool always) {
    for (const std::string& text : {std::string(symbol), fmt::format(" {}", symbol)}) {
      const auto tokens = encode(text);
      if (always || tokens.size() == 1) ids.insert(tokens.front());
    }
  };
  for (const std::string_view symbol : kNonSpeech) add(symbol, false);
  for (const std::string_view sign : kMusic) add(sign, true);
  return {ids.begin(), ids.end()};
}

}  // namespace whisper_s4y
