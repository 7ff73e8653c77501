// Text of tokens as they come.
#pragma once

#include <string>

#include "tokenizer/tokenizer.h"

namespace whisper_s4y {

/// Decodes one token after the other and holds back what is not yet a complete character. The
/// pieces together are what Tokenizer::decode gives for all tokens.
class StreamDecoder {
 public:
  /// `tokenizer` must live as long.
  explicit StreamDecoder(const Tokenizer& tokenizer, const DecodeOptions& options = {})
      : tokenizer_(tokenizer), options_(options) {}

  /// The text that is complete with this token; may be empty. Valid UTF-8.
  [[nodiscard]] std::string push(int id);
  /// What was held back, with U+FFFD for a character that never became complete.
  [[nodiscard]] std::string finish();

 private:
  const Tokenizer& tokenizer_;
  DecodeOptions options_;
  std::string pending_;  // the beginning of a character
};

}  // namespace whisper_s4y
