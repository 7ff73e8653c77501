#include <algorithm>

#include "common/fail.h"
#include "graph/ops.h"

namespace whisper_s4y {

Value fully_connected(Graph& g, Value x, Value weights, Value bias) {
  const Shape& in = g.shape(x);
  const Shape& matrix = g.shape(weights);
  if (in.empty() || matrix.size() != 2 || in.back() != matrix[1] || g.dtype(x) != DType::f32) {
    fail("FULLY_CONNECTED cannot multiply {} {} by {} {}.", name_of(g.dtype(x)), to_string(in),
         name_of(g.dtype(weights)), to_string(matrix));
  }
  if (bias.valid() && (g.dtype(bias) != DType::f32 || g.shape(bias) != Shape{matrix[0]})) {
    fail("FULLY_CONNECTED by {} needs a float32 bias of [{}], found {} {}.", to_string(matrix),
         matrix[0], name_of(g.dtype(bias)), to_string(g.shape(bias)));
  }
  const DType type = g.dtype(weights);
  const bool quantized = type == DType::i8 || type == DType::i4;
  if (type != DType::f32 && !quantized) {
    fail("FULLY_CONNECTED takes float32, int8 or int4 weights, found {}.", name_of(type));
  }
  if (quantized && g.tensor(weights).quantization == nullptr) {
    fail("FULLY_CONNECTED needs scales for the weights {}.", g.tensor(weights).name);
  }
  Shape shape = in;
  shape.back() = matrix[0];
  // Versions of TFLite's register: 5 keeps the dimensions, 6 has no bias, 9 quantises the input
  // asymmetrically, 12 knows a scale per row, and readers of 13 know int4 in blocks. Interpreters
  // from before 12 would take the first row's scale for all.
  int version = bias.valid() ? 5 : 6;
  if (type == DType::i4) version = 13;
  if (type == DType::i8) version = g.tensor(weights).quantization->scales.size() == 1 ? 9 : 12;
  return g.append(OpCode::fully_connected, {x, weights, bias}, DType::f32, std::move(shape),
                  FullyConnectedAttributes{quantized}, version);
}

Value batch_matmul(Graph& g, Value a, Value b, bool transpose_a, bool transpose_b) {
  const Shape& left = g.shape(a);
  const Shape& right = g.shape(b);
  const auto mismatch = [&] {
    fail("BATCH_MATMUL cannot multiply {}{} by {}{}.", to_string(left),
         transpose_a ? " transposed" : "", to_string(right), transpose_b ? " transposed" : "");
  };
  if (g.dtype(a) != DType::f32 || g.dtype(b) != DType::f32) {
    fail("BATCH_MATMUL needs float32, found {} and {}.", name_of(g.dtype(a)), name_of(g.dtype(b)));
  }
  if (left.size() < 2 || left.size() != right.size()) mismatch();
  const size_t rank = left.size();
  const int32_t m = left[rank - (transpose_a ? 1 : 2)];
  const int32_t k = left[rank - (transpose_a ? 2 : 1)];
  const int32_t k2 = right[rank - (transpose_b ? 1 : 2)];
  const int32_t n = right[rank - (transpose_b ? 2 : 1)];
  if (k != k2) mismatch();
  Shape shape(rank);
  for (size_t i = 0; i + 2 < rank; ++i) {
    if (left[i] != right[i] && left[i] != 1 && right[i] != 1) mismatch();
    shape[i] = std::max(left[i], right[i]);
  }
  shape[rank - 2] = m;
  shape[rank - 1] = n;
  return g.append(OpCode::batch_matmul, {a, b}, DType::f32, std::move(shape),
                  BatchMatmulAttributes{transpose_a, transpose_b});
}

Value conv_2d(Graph& g, Value x, Value kernel, Value bias, int stride_h, int stride_w,
              bool same_padding) {
  const Shape& in = g.shape(x);
  const Shape& taps = g.shape(kernel);
  if (in.size() != 4 || taps.size() != 4 || in[3] != taps[3] || g.shape(bias) != Shape{taps[0]}) {
    fail("CONV_2D cannot apply kernel {} with bias {} to {}.", to_string(taps),
         to_string(g.shape(bias)), to_string(in));
  }
  for (const Value operand : {x, kernel, bias}) {
    if (g.dtype(operand) != DType::f32) {
      fail("CONV_2D needs float32, found {} of shape {}.", name_of(g.dtype(operand)),
           to_string(g.shape(operand)));
    }
  }
  if (!same_padding && (taps[1] > in[1] || taps[2] > in[2])) {
    fail("CONV_2D cannot apply a kernel {} that is larger than its input {}.", to_string(taps),
         to_string(in));
  }
  const auto size = [&](int32_t n, int32_t k, int stride) {
    return same_padding ? (n + stride - 1) / stride : (n - k) / stride + 1;
  };
  const Shape shape{in[0], size(in[1], taps[1], stride_h), size(in[2], taps[2], stride_w), taps[0]};
  return g.append(OpCode::conv_2d, {x, kernel, bias}, DType::f32, shape,
                  Conv2dAttributes{stride_h, stride_w, same_padding});
}

std::vector<Value> while_loop(Graph& g, const std::vector<Value>& state, const Graph& condition,
                              const Graph& body) {
  const auto check = [&](const Graph& sub, const std::vector<Value>& values,
                         std::string_view what) {
    if (values.size() != state.size()) {
      fail("WHILE carries {} values, its {} has {}.", state.size(), what, values.size());
    }
    for (size_t i = 0; i < state.size(); ++i) {
      if (sub.shape(values[i]) != g.shape(state[i]) || sub.dtype(values[i]) != g.dtype(state[i])) {
        fail("WHILE value {} is {} {}, in its {} {} {}.", i, name_of(g.dtype(state[i])),
             to_string(g.shape(state[i])), what, name_of(sub.dtype(values[i])),
             to_string(sub.shape(values[i])));
      }
    }
  };
  check(condition, condition.inputs(), "condition");
  check(body, body.inputs(), "body");
  check(body, body.outputs(), "body's outputs");
  if (condition.outputs().size() != 1 ||
      condition.dtype(condition.outputs()[0]) != DType::boolean) {
    fail("The condition of WHILE must give one bool.");
  }
  std::vector<Value> results;
  for (const Value value : state) results.push_back(g.new_tensor(g.dtype(value), g.shape(value)));
  g.append(
      Op{.code = OpCode::while_loop,
         .version = 1,
         .inputs = state,
         .outputs = results,
         .attributes = WhileAttributes{g.module().index_of(condition), g.module().index_of(body)}});
  return results;
}

}  // namespace whisper_s4y
