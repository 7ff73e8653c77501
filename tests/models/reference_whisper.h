// Whisper written out in double precision, slow and plain: what the graphs are compared with.
#pragma once

#include <span>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y::testing {

/// Row-major numbers.
struct Matrix {
  int rows = 0;
  int columns = 0;
  std::vector<double> numbers;

  Matrix() = default;
  Matrix(int r, int c) : rows(r), columns(c), numbers(static_cast<size_t>(r) * c, 0.0) {}
  double& at(int r, int c) { return numbers[static_cast<size_t>(r) * columns + c]; }
  [[nodiscard]] double at(int r, int c) const {
    return numbers[static_cast<size_t>(r) * columns + c];
  }
};

/// input_features [mels, 3000] -> last_hidden_state [1500, d_model].
Matrix reference_encode(const Checkpoint& checkpoint, const Matrix& input_features);

/// What the decoder makes of a row of tokens.
struct ReferencePass {
  Matrix logits;                                  // [tokens, vocab_size], after each token
  std::vector<std::vector<Matrix>> cross_scores;  // [layer][head]: [tokens, 1500], before softmax
};

ReferencePass reference_decode(const Checkpoint& checkpoint, const Matrix& last_hidden_state,
                               std::span<const int> tokens);

}  // namespace whisper_s4y::testing
