// An orthogonal transformation of rows that leaves no column larger than the others.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace whisper_s4y {

/// Q = T S T, its own inverse. S changes the signs of some columns, as if by chance. T, for a width
/// of m * p with p a power of two and m odd, is the Kronecker product of the reflection
/// I - 2 / m * (ones) of m and of Hadamard's matrix of p in Sylvester's order, divided by sqrt(p).
class ColumnSpreading {
 public:
  explicit ColumnSpreading(size_t width);

  /// Replaces each row x by Q x; `rows` holds whole rows.
  void apply(std::span<float> rows) const;

  /// T is the Kronecker product of two symmetric matrices, for graphs: `inner` [n, n], which
  /// concerns n neighbours, and `outer` [width / n, width / n].
  struct Factors {
    std::vector<float> outer, inner;
    size_t inner_width = 0;  // n
  };
  [[nodiscard]] Factors factors() const;
  [[nodiscard]] const std::vector<float>& signs() const { return signs_; }

 private:
  void transform(std::span<float> row) const;

  size_t odd_;    // m
  size_t power_;  // p
  std::vector<float> signs_;
};

}  // namespace whisper_s4y
