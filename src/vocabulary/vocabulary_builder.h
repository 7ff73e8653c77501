// Collects tokens, added tokens and merges in any form and makes the Vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "checkpoint/warnings.h"
#include "config/model_info.h"

namespace whisper_s4y {

/// "<|...|>", the form of all of Whisper's special tokens.
[[nodiscard]] bool has_special_form(std::string_view text);

class VocabularyBuilder {
 public:
  /// `source` names the file in messages.
  VocabularyBuilder(int vocab_size, std::string source);

  /// A token written in GPT-2's byte alphabet.
  void add_token(std::string_view text, uint64_t id);
  /// A token written as plain text. Special when `special` is set or the text is <|...|>.
  void add_added_token(std::string_view text, uint64_t id, bool special);
  /// The next merge in the order of priority; its result must be a token.
  void add_merge(std::string_view left, std::string_view right);
  /// Ranks of single bytes are 0 to 255, those of merges follow. Without any merges the order of
  /// the ids is taken for the order of the merges, as in the standard vocabularies. Tokens that the
  /// model has no row for were left out, of which this warns.
  [[nodiscard]] Vocabulary finish(Warnings& warnings);

 private:
  bool has_row(std::string_view text, uint64_t id);
  void index_tokens();
  size_t find_token(const std::string& bytes);

  std::string source_;
  Vocabulary vocabulary_;
  std::unordered_map<std::string_view, size_t> ids_;  // text tokens, built when needed
  std::string left_, right_;
  int32_t merges_ = 0;
  uint64_t left_out_ = 0;
  std::string first_left_out_;
};

}  // namespace whisper_s4y
