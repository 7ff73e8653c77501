#include "vad/silero_model.h"

#include <algorithm>

#include "common/fail.h"
#include "config/dft_kernel.h"
#include "formats/safetensors.h"
#include "graph/ops.h"

extern "C" const std::byte kSileroWeights[];
extern "C" const std::byte kSileroWeightsEnd[];

namespace whisper_s4y {
namespace {

constexpr int kFft = 256;
constexpr int kHop = 128;
constexpr int kBins = kFft / 2 + 1;
constexpr int kHops = (kVadContext + kVadChunk + 64) / kHop;  // 64 reflected samples at the end

class SileroWeights {
 public:
  SileroWeights(const std::vector<TensorView>& tensors, std::string source)
      : tensors_(tensors), source_(std::move(source)) {}

  /// The numbers of a tensor, which must have `shape`.
  [[nodiscard]] std::vector<float> numbers(const std::string& name, const Shape& shape) const {
    const auto found = std::ranges::find(tensors_, name, &TensorView::name);
    if (found == tensors_.end())
      fail(ErrorCode::invalid_argument, "{} has no tensor {}.", source_, name);
    if (!std::ranges::equal(found->shape, shape)) {
      fail(ErrorCode::invalid_argument, "{}: tensor {} has shape {}, expected {}.", source_, name,
           fmt::join(found->shape, " x "), fmt::join(shape, " x "));
    }
    std::vector<float> numbers(static_cast<size_t>(found->elements()));
    found->read_rows(0, found->rows(), numbers);
    return numbers;
  }
  [[nodiscard]] Rows rows(const std::string& name, const Shape& shape) const {
    return rows_of(name, shape, numbers(name, shape));
  }

 private:
  const std::vector<TensorView>& tensors_;
  std::string source_;
};

/// Magnitudes of the short-time Fourier transform: [n, 576] -> [n, 1, 4, 129].
Value spectrum(Graph& g, Value samples) {
  const int32_t n = g.shape(samples)[0];
  const Value reflected =
      mirror_pad(g, samples, {{0, 0}, {0, kHops * kHop - kVadContext - kVadChunk}});
  // A window of 256 samples is two hops side by side: a convolution over hops instead of samples.
  const Value kernel =
      g.constant(rows_of("dft_kernel", {2 * kBins, 1, kFft / kHop, kHop}, dft_kernel(kFft)));
  const Value no_bias =
      g.constant(rows_of("no_bias", {2 * kBins}, std::vector<float>(size_t{2} * kBins)));
  const Value hops = reshape(g, reflected, {n, 1, kHops, kHop});
  const Value power = square(g, conv_2d(g, hops, kernel, no_bias, 1, 1, false));
  const Shape half{n, 1, kHops - 1, kBins};
  const Value sines = slice(g, power, {0, 0, 0, kBins}, half);
  const Value cosines = slice(g, power, {0, 0, 0, 0}, half);
  return sqrt(g, add(g, cosines, sines));
}

/// Three taps, one zero on both sides: x [n, 1, t, in] -> relu [n, 1, t / stride, out].
Value convolution(Graph& g, const SileroWeights& weights, Value x, const std::string& name, int out,
                  int stride) {
  const int in = g.shape(x)[3];
  const Value kernel = g.constant(conv_kernel(weights.rows(name + ".weight", {out, in, 3})));
  const Value bias = g.constant(weights.rows(name + ".bias", {out}));
  const Value padded = pad(g, x, {{0, 0}, {0, 0}, {1, 1}, {0, 0}});
  return relu(g, conv_2d(g, padded, kernel, bias, 1, stride, false));
}

/// PyTorch keeps the gates in the order input, forget, cell, output. Here the cell gate comes last,
/// so that one LOGISTIC takes the other three at once.
std::vector<float> cell_gate_last(std::vector<float> gates) {
  const auto quarter = static_cast<std::ptrdiff_t>(gates.size() / 4);
  std::rotate(gates.begin() + 2 * quarter, gates.begin() + 3 * quarter, gates.end());
  return gates;
}

struct LstmState {
  Value h;
  Value c;
};

/// x [n, 128] is n steps in time; returns h of every step and moves `state` on.
std::vector<Value> lstm(Graph& g, const SileroWeights& weights, Value x, LstmState& state) {
  constexpr int kSize = kVadStateSize;
  const auto gate_rows = [&](const std::string& name, const Shape& shape) {
    return rows_of(name, shape, cell_gate_last(weights.numbers(name, shape)));
  };
  const Shape matrix{4 * kSize, kSize};
  std::vector<float> bias = weights.numbers("lstm_cell.bias_ih", {4 * kSize});
  const std::vector<float> more = weights.numbers("lstm_cell.bias_hh", {4 * kSize});
  std::ranges::transform(bias, more, bias.begin(), std::plus());
  const Value input_bias =
      g.constant(rows_of("lstm_cell.bias", {4 * kSize}, cell_gate_last(std::move(bias))));
  const Value from_input =
      fully_connected(g, x, g.constant(gate_rows("lstm_cell.weight_ih", matrix)), input_bias);
  const Value recurrent = g.constant(gate_rows("lstm_cell.weight_hh", matrix));

  std::vector<Value> outputs;
  for (int step = 0; step < g.shape(x)[0]; ++step) {
    const Value from_state = fully_connected(g, state.h, recurrent);
    const Value gates = add(g, slice(g, from_input, {step, 0}, {1, 4 * kSize}), from_state);
    const Value open = logistic(g, slice(g, gates, {0, 0}, {1, 3 * kSize}));
    const Value candidate = tanh(g, slice(g, gates, {0, 3 * kSize}, {1, kSize}));
    const Value input = slice(g, open, {0, 0}, {1, kSize});
    const Value forget = slice(g, open, {0, kSize}, {1, kSize});
    const Value output = slice(g, open, {0, 2 * kSize}, {1, kSize});
    const Value remembered = mul(g, forget, state.c);
    state.c = add(g, remembered, mul(g, input, candidate));
    state.h = mul(g, output, tanh(g, state.c));
    outputs.push_back(state.h);
  }
  return outputs;
}

}  // namespace

std::vector<TensorView> built_in_silero_weights() {
  return read_safetensors({kSileroWeights, kSileroWeightsEnd}, "the built-in Silero VAD");
}

void add_silero_vad(Module& module, const std::string& key, int chunks,
                    const std::vector<TensorView>& tensors, const std::string& source) {
  const SileroWeights weights(tensors, source);
  Graph& g = module.add_graph(key);
  const Value samples = g.input("samples", DType::f32, {chunks, kVadContext + kVadChunk});
  LstmState state{.h = g.input("h", DType::f32, {1, kVadStateSize}),
                  .c = g.input("c", DType::f32, {1, kVadStateSize})};
  Value x = spectrum(g, samples);
  x = convolution(g, weights, x, "conv1", 128, 1);
  x = convolution(g, weights, x, "conv2", 64, 2);
  x = convolution(g, weights, x, "conv3", 64, 2);
  x = convolution(g, weights, x, "conv4", 128, 1);
  const std::vector<Value> outputs =
      lstm(g, weights, reshape(g, x, {chunks, kVadStateSize}), state);
  x = relu(g, outputs.size() == 1 ? outputs[0] : concat(g, outputs, 0));
  const Rows last =
      reshaped(weights.rows("final_conv.weight", {1, kVadStateSize, 1}), {1, kVadStateSize});
  const Value row = g.constant(last);
  const Value bias = g.constant(weights.rows("final_conv.bias", {1}));
  x = logistic(g, fully_connected(g, x, row, bias));
  module.add_signature(key, g, {{"speech_probs", x}, {"hn", state.h}, {"cn", state.c}});
}

}  // namespace whisper_s4y
