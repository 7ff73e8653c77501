// Attention of all positions of a window to one another, without the matrix of their scores: what
// an encoder does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/attention.h"
#include "kernels/panel_layout.h"
#include "kernels/panels.h"

namespace whisper_s4y {

/// Keys and values of the heads of one layer. In integers a key has twelve bits or so for its
/// largest number, a column of the values thirteen, a probability fifteen: products of integers of
/// 16 bits are twice as fast as those of float32 where the processor has VNNI, and more where it
/// has AMX.
class WindowAttention {
 public:
  /// What one thread needs to compute.
  class Scratch {
   private:
    friend class WindowAttention;
    CacheLines queries_, scores_, probabilities_;
    std::vector<float> query_scales_;
  };

  /// Rows that attend() takes at once.
  static constexpr size_t kMostRows = 4 * kTileRows;

  /// Makes room for `positions`, and is of so many until use(). `form` is one of floats, shorts and
  /// tiled_shorts, the last two to the same bits.
  WindowAttention(AttentionShape shape, size_t positions, NumberForm form);

  /// From now on there are `positions`, no more than there is room for; what was set before is
  /// gone. Each counts as often as its multiplicity says, as if its row were there so many times;
  /// no multiplicities: once.
  void use(size_t positions, std::span<const float> multiplicities = {});

  /// Takes those of one head from keys and values [positions, heads * head_size]. Several threads
  /// may each take heads of their own.
  void set(size_t head, const float* keys, const float* values);

  /// Attention of up to kMostRows rows from `begin` on of queries [positions, heads * head_size],
  /// of which softmax(query . key / sqrt(head_size)) is taken. Goes to the head's columns of the
  /// same rows of `out`, which may be the queries.
  void attend(size_t head, const float* queries, size_t begin, size_t rows, Scratch& scratch,
              float* out) const;

 private:
  AttentionShape shape_;
  size_t positions_;
  size_t stride_;  // positions filled up to whole panels
  size_t depth_;   // numbers of a head filled up to whole steps of a product
  size_t width_;   // numbers of a head filled up to whole panels
  NumberForm form_;
  CacheLines keys_;                  // of each head panels of positions
  CacheLines values_;                // of each head panels of columns, whose steps are positions
  std::vector<float> key_scales_;    // [heads, stride]
  std::vector<float> value_scales_;  // [heads, width]
  std::vector<float> bias_;          // [stride]: what scores get, powers of two; empty: nothing
};

}  // namespace whisper_s4y
