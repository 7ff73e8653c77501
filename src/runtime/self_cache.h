// Keys and values of the decoder's self-attention for one or more hypotheses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/aligned_buffer.h"
#include "runtime/litert_model.h"

namespace whisper_s4y {

/// The tensors "self_..." of a signature, each with a first dimension for the hypotheses and one
/// dimension for the positions, in whatever order the model likes them. The signature updates them
/// in place.
///
/// Remembers for each hypothesis which computed row stands at which position, so that making one
/// hypothesis a copy of another copies only the positions in which they differ.
class SelfCache {
 public:
  /// For the inputs "self_..." of `signature`: float32, all with the same first dimension, of the
  /// others exactly one of the size `positions`. Throws Error when that is not so.
  SelfCache(LiteRtSignature& signature, int positions);

  [[nodiscard]] int hypotheses() const { return static_cast<int>(rows_.size()); }
  [[nodiscard]] int positions() const { return positions_; }
  /// Positions of the hypothesis that hold something computed.
  [[nodiscard]] int length(int hypothesis) const {
    return static_cast<int>(rows_.at(static_cast<size_t>(hypothesis)).size());
  }

  /// Binds the tensors to `signature`, "self_x" as input and "new_self_x" as output of the same
  /// memory.
  void bind(LiteRtSignature& signature);

  /// Says that the signature wrote `count` new rows from `position` on; what was there and after
  /// is gone. Throws Error when that leaves a gap or passes the last position.
  void wrote(int hypothesis, int position, int count);
  /// Forgets what is at `position` and after.
  void truncate(int hypothesis, int position);

  /// Hypothesis i becomes what hypothesis parents[i] was, up to `length` positions; those past
  /// parents.size() keep what they have. Throws Error when a parent has fewer positions.
  void reorder(std::span<const int> parents, int length);
  /// Every hypothesis becomes a copy of the first one of `source`, up to `length` positions. Throws
  /// Error when `source` has fewer, or tensors of other names or shapes.
  void copy_from(const SelfCache& source, int length);

 private:
  /// One tensor [hypotheses, ..., positions, ...] as outer x positions x inner per hypothesis.
  struct Part {
    std::string name;
    AlignedBuffer buffer;
    size_t outer = 1;
    size_t positions = 1;
    size_t inner = 1;

    [[nodiscard]] float* hypothesis(size_t index);
    [[nodiscard]] const float* hypothesis(size_t index) const;
    /// Whether a hypothesis of one can be copied to one of the other.
    [[nodiscard]] bool is_like(const Part& other) const;
  };
  using Rows = std::vector<uint64_t>;  // by position: a number of its own for every computed row

  [[nodiscard]] static int first_difference(const Rows& a, const Rows& b, int length);
  static void copy(const Part& from, size_t from_hypothesis, Part& to, size_t to_hypothesis,
                   int first, int last);
  [[nodiscard]] std::vector<float> save(size_t hypothesis, int first, int last) const;
  void restore(std::span<const float> saved, size_t hypothesis, int first, int last);

  int positions_ = 0;
  std::vector<Part> parts_;
  std::vector<Rows> rows_;  // by hypothesis
};

}  // namespace whisper_s4y
