// Attention of single rows: to the window's keys and values, and to those of the tokens before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace whisper_s4y {

/// The numbers of an attention. d = heads * head_size.
struct AttentionShape {
  size_t heads = 0;
  size_t head_size = 0;
  [[nodiscard]] size_t width() const { return heads * head_size; }
};

/// Keys and values of one layer for a window of `positions`, as attention reads them fastest: from
/// one end to the other. Reading them is most of what a token costs, so they can be halves, whose
/// rounding (2^-11) is far below that of integer weights.
class WindowCache {
 public:
  /// Makes room for `positions`, and is of so many until use().
  WindowCache(AttentionShape shape, size_t positions, bool halves);

  /// From now on there are `positions`, no more than there is room for; what was set before is
  /// gone.
  void use(size_t positions);

  [[nodiscard]] size_t positions() const { return positions_; }
  [[nodiscard]] const AttentionShape& shape() const { return shape_; }

  /// Takes those of one head from keys and values [positions, heads * head_size]. Several threads
  /// may each take heads of their own.
  void set(size_t head, const float* keys, const float* values);

  /// scores[r * stride + t] = queries row r . keys of position t; queries are `rows` rows of
  /// head_size numbers, `query_stride` apart. Of each row stride() numbers are written; those past
  /// the positions mean nothing.
  void scores(size_t head, const float* queries, size_t query_stride, size_t rows,
              float* scores) const;
  /// out row r = sum over t of probabilities[r * stride() + t] * values of position t.
  /// Probabilities past the positions must be 0.
  void mix(size_t head, const float* probabilities, size_t rows, float* out,
           size_t out_stride) const;

  /// Positions filled up to whole blocks.
  [[nodiscard]] size_t stride() const { return stride_; }

 private:
  template <typename Number>
  void set_head(std::vector<Number>& keys, std::vector<Number>& values, size_t head,
                const float* from_keys, const float* from_values);

  AttentionShape shape_;
  size_t positions_;
  size_t stride_;
  bool halves_;
  // keys [heads, stride / block, head_size, block]: a block of positions is whole vectors for each
  // number of the query; values [heads, head_size, stride]. One of the two types is empty.
  std::vector<float> keys_;
  std::vector<float> values_;
  std::vector<uint16_t> half_keys_;
  std::vector<uint16_t> half_values_;
};

/// One head's attention of one query [head_size] to the tokens before: position t has its keys at
/// keys + slots[t] * width, its values alike. `scores` is room for slots.size() numbers.
void attend(std::span<const float> query, const float* keys, const float* values, size_t width,
            std::span<const uint32_t> slots, std::span<float> scores, std::span<float> out);

}  // namespace whisper_s4y
