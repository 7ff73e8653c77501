// Byte pair encoding by ranks.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model_info.h"

namespace whisper_s4y {

/// Turns pieces of text into tokens of a vocabulary, whose strings it refers to.
class BytePairEncoder {
 public:
  explicit BytePairEncoder(const Vocabulary& vocabulary);

  /// Appends the ids of `piece`: beginning with single bytes, the neighbours whose concatenation
  /// has the lowest rank are merged until none is a token; of equal ones the first. Throws Error
  /// when a byte that remains has no token.
  void encode(std::string_view piece, std::vector<int>& ids) const;

 private:
  struct Token {
    int id;
    int32_t rank;
  };
  [[nodiscard]] const Token* find(std::string_view bytes) const;
  void merge(std::string_view piece, std::vector<int>& ids) const;

  std::unordered_map<std::string_view, Token> tokens_;
  std::array<int, 256> byte_ids_{};
  size_t longest_ = 0;  // bytes of the longest token
};

}  // namespace whisper_s4y
