// Passes of rows of tokens through the decoder by kernels of our own, which read the weights where
// the file has them. What the graphs of `step`, `prefill`, `step_beam` and `align` compute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/column_spreading.h"
#include "decoding/window_positions.h"
#include "kernels/attention.h"
#include "kernels/products.h"
#include "kernels/task_team.h"
#include "runtime/decoder_weights.h"

namespace whisper_s4y {

/// Not thread-safe. Keys and values of tokens lie in slots, whose numbers the caller chooses.
class DecoderPass {
 public:
  static constexpr size_t kMostRows = 64;  // of one pass

  struct Row {
    int token = 0;
    int position = 0;
    std::span<const uint32_t> slots;  // of the positions 0 to `position`; the last is written
  };
  /// Wants what goes into the softmax over the window.
  struct Capture {
    std::span<const std::pair<int, int>> heads;  // (layer, head)
    float* scores = nullptr;                     // [heads, rows, positions], strides as follows
    size_t head_stride = 0;
    size_t row_stride = 0;
  };

  /// The team outlives it.
  DecoderPass(std::shared_ptr<const DecoderWeights> weights, TaskTeam& team);

  [[nodiscard]] size_t slots() const { return slots_; }
  /// Makes room for more of them.
  void add_slots(size_t count);

  /// What tokens attend to from now on is so many of the window's positions; null: all.
  void use(const WindowPositions* positions);
  /// That by layer, for the encoder to set.
  [[nodiscard]] std::span<WindowCache> windows() { return windows_; }

  /// Computes the rows, which see one another where their slots say so. Returns the logits of the
  /// rows from `first_logits` on, [rows - first_logits, vocab_size]; valid until the next call.
  std::span<const float> run(std::span<const Row> rows, size_t first_logits,
                             const Capture* capture = nullptr);

 private:
  /// Memory that is not written before it is used takes no room until then.
  struct SlotCache {
    std::unique_ptr<float[]> keys;  // [slots, d_model]
    std::unique_ptr<float[]> values;
  };
  /// A product that goes to out[row * linear.outputs + output].
  struct Product {
    const LinearWeights* linear;
    std::vector<float>* out;
  };
  enum class Then { nothing, gelu };
  enum class Into { fresh, sum };  // `sum` adds to what is there

  void reserve(size_t rows);
  void embed(std::span<const Row> rows);
  /// Norm of all rows, ready for products with `users`.
  void normalise(size_t rows, const NormWeights& norm,
                 std::initializer_list<const LinearWeights*> users);
  void prepare(PreparedRows& prepared, const std::vector<float>& from, size_t rows,
               const LinearWeights& user);
  /// Products with the same rows.
  void multiply_all(std::initializer_list<Product> products, const PreparedRows& in, size_t rows,
                    Into into = Into::fresh, Then then = Then::nothing);
  void self_attention(size_t layer, std::span<const Row> rows);
  void cross_attention(size_t layer, size_t rows, const Capture* capture);
  void cross_attention_of(size_t layer, size_t head, size_t begin, size_t count, float* scores,
                          const Capture* capture);
  void compute_logits(size_t rows, size_t first);

  std::shared_ptr<const DecoderWeights> weights_;
  TaskTeam& team_;
  AttentionShape shape_;
  float query_factor_;
  size_t slots_ = 0;
  std::vector<SlotCache> caches_;     // by layer
  std::vector<WindowCache> windows_;  // by layer
  size_t contiguous_;                 // positions of the window that are there one after the other
  std::vector<float> bias_;           // [positions]: what scores get; empty: nothing

  ColumnSpreading spreading_;  // of what the matrix of logits takes

  size_t reserved_ = 0;  // rows there is room for
  std::vector<float> x_, q_, k_, v_, mixed_, inner_;
  std::vector<std::vector<float>> row_;     // by member of the team: a row, for norms
  std::vector<std::vector<float>> scores_;  // by member
  std::unique_ptr<PreparedRows> narrow_, wide_;
  std::vector<float> logits_;
};

}  // namespace whisper_s4y
