// A window's way through the encoder by kernels of our own, which read the weights where the file
// has them. What the graphs of `encode` and `cross` compute.
#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "common/cancellation.h"
#include "decoding/window_positions.h"
#include "kernels/attention.h"
#include "kernels/panels.h"
#include "kernels/task_team.h"
#include "kernels/window_attention.h"
#include "runtime/encoder_weights.h"

namespace whisper_s4y {

/// Not thread-safe.
class EncoderPass {
 public:
  /// The team outlives it.
  EncoderPass(std::shared_ptr<const EncoderWeights> weights, TaskTeam& team);

  /// Makes last_hidden_state() of input_features [num_mel_bins, 2 * max_source_positions], at
  /// `positions` of the window alone; null: at all. Throws Cancelled, see Cancellation; null: no
  /// one asks.
  void encode(std::span<const float> input_features, const WindowPositions* positions,
              Cancellation* cancellation);
  /// [positions, d_model].
  [[nodiscard]] std::span<const float> last_hidden_state() const {
    return std::span(x_).first(rows_ * d_);
  }
  /// Of that, keys and values of the window for each layer of the decoder. Throws as encode().
  void set_windows(std::span<WindowCache> windows, Cancellation* cancellation);

 private:
  /// A product that goes to out[row * linear.outputs + output].
  struct Product {
    const LinearWeights* linear;
    float* out;
  };
  struct Then {
    bool gelu = false;
    bool add = false;  // to what is there
  };

  /// TaskTeam::for_each() that ends when the caller has had enough.
  template <typename Work>
  void for_each(size_t count, const Work& work);
  void pad_features(std::span<const float> input_features, size_t frames);
  void embed(std::span<const float> input_features, const WindowPositions* positions);
  /// Rows of three neighbours, `stride` numbers apart, through a kernel.
  void convolve(const LinearWeights& kernel, const float* padded, size_t rows, size_t stride,
                float* out, bool add);
  void self_attention(const EncoderLayerWeights& layer);
  void feed_forward(const EncoderLayerWeights& layer);
  /// Rows [first, first + rows) of `from`, each changed by the norm if there is one, become
  /// `prepared`, ready for products with `users`.
  void prepare(PanelRows& prepared, const float* from, size_t rows, const NormWeights* norm,
               std::initializer_list<const LinearWeights*> users);
  void multiply_all(std::initializer_list<Product> products, const RowsView& in, size_t rows,
                    Then then);

  std::shared_ptr<const EncoderWeights> weights_;
  TaskTeam& team_;
  Cancellation* cancellation_ = nullptr;  // of the call
  std::atomic<bool> stopped_ = false;
  size_t positions_, d_, ffn_, bins_;
  size_t rows_;  // positions of the window that are computed
  WindowAttention attention_;

  std::vector<float> x_;  // [positions, d_model]; before that the padded features
  // 2 x [positions, d_model], or [kRowsOfPiece, ffn]; before that what conv1 gives, padded.
  std::vector<float> between_;
  PanelRows narrow_, wide_;
  struct Member {  // of the team
    Panel panel;
    WindowAttention::Scratch scratch;
    std::vector<float> row;
  };
  std::vector<Member> members_;
};

}  // namespace whisper_s4y
