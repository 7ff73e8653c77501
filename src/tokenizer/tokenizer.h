// Text to tokens and back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model_info.h"
#include "tokenizer/byte_pair_encoder.h"
#include "whisper_s4y/model.h"

namespace whisper_s4y {

/// A word and its tokens, for word timestamps.
struct WordTokens {
  std::string text;
  std::vector<int> tokens;

  bool operator==(const WordTokens&) const = default;
};

/// The byte-level BPE tokenizer of one model (openai/whisper tokenizer.py). Refers to the
/// vocabulary and generation config it is made from, which must live as long.
class Tokenizer {
 public:
  Tokenizer(const Vocabulary& vocabulary, const GenerationConfig& generation);

  /// The tokens of a text. "<|en|>" in a text is text, never a special token.
  [[nodiscard]] std::vector<int> encode(std::string_view text) const;

  /// The text of tokens as valid UTF-8; bytes that are none become U+FFFD. Throws Error for an id
  /// that is not in the vocabulary.
  [[nodiscard]] std::string decode(std::span<const int> ids,
                                   const DecodeOptions& options = {}) const;
  /// The same as the bytes that the tokens stand for, which may end inside a character.
  [[nodiscard]] std::string decode_bytes(std::span<const int> ids,
                                         const DecodeOptions& options = {}) const;

  [[nodiscard]] bool is_timestamp(int id) const;
  /// Whether a token is special: neither text nor a timestamp.
  [[nodiscard]] bool is_special(int id) const;

  /// Cuts text tokens into words. Languages written without spaces (zh, ja, th, lo, my, yue) are
  /// cut at every complete character, others before spaces, ASCII punctuation and special tokens.
  [[nodiscard]] std::vector<WordTokens> split_to_word_tokens(std::span<const int> ids,
                                                             std::string_view language) const;

  /// Tokens that annotate sounds rather than transcribe speech ("-1" of suppress_tokens,
  /// tokenizer.py: non_speech_tokens). Ascending ids.
  [[nodiscard]] std::vector<int> non_speech_tokens() const;

 private:
  [[nodiscard]] std::vector<WordTokens> split_on_characters(std::span<const int> ids) const;
  [[nodiscard]] std::vector<WordTokens> split_on_spaces(std::span<const int> ids) const;

  const Vocabulary* vocabulary_;
  const GenerationConfig* generation_;
  BytePairEncoder encoder_;
};

}  // namespace whisper_s4y
