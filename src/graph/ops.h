// One function per op. Each checks types and shapes, appends the op to the graph and returns its
// output; a wrong graph fails here with both shapes in the message.
//
// C++ does not say which argument of a call is computed first. Where two of them append anything,
// constants included, one gets a name before, so that the file is the same with every compiler.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace whisper_s4y {

// Element by element, with broadcasting of dimensions of size 1 and of missing leading ones.
// Both operands have the same type: float32 or int32.
Value add(Graph& g, Value a, Value b);
Value sub(Graph& g, Value a, Value b);
Value mul(Graph& g, Value a, Value b);
Value div(Graph& g, Value a, Value b);
Value maximum(Graph& g, Value a, Value b);
Value minimum(Graph& g, Value a, Value b);
Value squared_difference(Graph& g, Value a, Value b);
// Comparisons give bool.
Value less(Graph& g, Value a, Value b);
Value greater(Graph& g, Value a, Value b);
Value greater_equal(Graph& g, Value a, Value b);
Value less_equal(Graph& g, Value a, Value b);
Value equal(Graph& g, Value a, Value b);
Value not_equal(Graph& g, Value a, Value b);
// bool
Value logical_and(Graph& g, Value a, Value b);
Value logical_or(Graph& g, Value a, Value b);
Value logical_not(Graph& g, Value a);
/// condition ? a : b; all broadcast.
Value select(Graph& g, Value condition, Value a, Value b);

// float32, one operand
Value square(Graph& g, Value a);
Value sqrt(Graph& g, Value a);
Value rsqrt(Graph& g, Value a);
Value floor(Graph& g, Value a);
Value log(Graph& g, Value a);
Value exp(Graph& g, Value a);
Value relu(Graph& g, Value a);
Value tanh(Graph& g, Value a);
Value logistic(Graph& g, Value a);
/// Exact (erf) form.
Value gelu(Graph& g, Value a);
/// Over the last dimension.
Value softmax(Graph& g, Value a);
Value cast(Graph& g, Value a, DType to);
/// float16 -> float32.
Value dequantize(Graph& g, Value a);

// Reductions over `axes` (negative ones count from the end).
Value sum(Graph& g, Value a, const std::vector<int>& axes, bool keep_dims = true);
Value mean(Graph& g, Value a, const std::vector<int>& axes, bool keep_dims = true);
Value reduce_max(Graph& g, Value a, const std::vector<int>& axes, bool keep_dims = true);
/// int32 index of the largest number along the last dimension, which goes away.
Value arg_max(Graph& g, Value a);

// Shapes.
Value reshape(Graph& g, Value a, Shape shape);
/// Dimension i of the result is dimension permutation[i] of `a`.
Value transpose(Graph& g, Value a, const std::vector<int>& permutation);
Value concat(Graph& g, const std::vector<Value>& parts, int axis);
Value slice(Graph& g, Value a, const std::vector<int>& begin, const Shape& size);
/// Slice whose begin is an int32 tensor [rank of a].
Value slice(Graph& g, Value a, Value begin, const Shape& size);
/// Equal parts along `axis`.
std::vector<Value> split(Graph& g, Value a, int axis, int count);
/// Zeros around; padding[i] = {before, after}.
Value pad(Graph& g, Value a, const std::vector<std::pair<int, int>>& padding);
/// Reflection around the edge samples, which are not repeated.
Value mirror_pad(Graph& g, Value a, const std::vector<std::pair<int, int>>& padding);
/// Rows of `a` along `axis` at int32 `indices`; shape a[:axis] + indices + a[axis+1:].
Value gather(Graph& g, Value a, Value indices, int axis = 0);
/// `a` with `update` written at `start`, int32 [rank of a].
Value dynamic_update_slice(Graph& g, Value a, Value update, Value start);
Value broadcast_to(Graph& g, Value a, const Shape& shape);
/// A tensor of float32 that is `number` everywhere.
Value fill(Graph& g, const Shape& shape, float number);

/// Rows of a constant table [n, k] at int32 `indices` [m] -> float32 [m, k]. The table is float32,
/// or int8 / int4 with scales, of which the rows asked for alone are unpacked.
Value embedding_lookup(Graph& g, Value table, Value indices);

// Products.
/// x [..., k] times weights [n, k] transposed, plus bias [n] if valid -> [..., n]. Weights are
/// float32, or int8 / int4 with scales (then x is quantised row by row at run time).
Value fully_connected(Graph& g, Value x, Value weights, Value bias = {});
/// [..., m, k] x [..., k, n] -> [..., m, n]; a transposed operand has its last two dimensions
/// swapped. Leading dimensions broadcast.
Value batch_matmul(Graph& g, Value a, Value b, bool transpose_a = false, bool transpose_b = false);
/// x [b, h, w, c], kernel [out, kh, kw, c], bias [out].
Value conv_2d(Graph& g, Value x, Value kernel, Value bias, int stride_h, int stride_w,
              bool same_padding);

/// Runs `body` while `condition` holds. Both are subgraphs of the module whose inputs have the
/// types and shapes of `state`; the condition's one output is bool [1], the body's outputs are the
/// next state.
std::vector<Value> while_loop(Graph& g, const std::vector<Value>& state, const Graph& condition,
                              const Graph& body);

}  // namespace whisper_s4y
