#include <algorithm>

#include "common/fail.h"
#include "graph/ops.h"

namespace whisper_s4y {
namespace {

Shape broadcast(const Graph& g, OpCode code, Value a, Value b) {
  const Shape& left = g.shape(a);
  const Shape& right = g.shape(b);
  Shape result(std::max(left.size(), right.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const int32_t l = i < left.size() ? left[left.size() - 1 - i] : 1;
    const int32_t r = i < right.size() ? right[right.size() - 1 - i] : 1;
    if (l != r && l != 1 && r != 1) {
      fail("{} cannot broadcast {} with {}.", name_of(code), to_string(left), to_string(right));
    }
    result[result.size() - 1 - i] = l == 1 ? r : l;
  }
  return result;
}

/// Two operands of one type, which is float32 or, unless `floats_only`, int32.
void check_numbers(const Graph& g, OpCode code, Value a, Value b, bool floats_only = false) {
  const DType type = g.dtype(a);
  if (type == g.dtype(b) && (type == DType::f32 || (type == DType::i32 && !floats_only))) return;
  fail("{} needs two operands of float32{}, found {} and {}.", name_of(code),
       floats_only ? "" : " or two of int32", name_of(type), name_of(g.dtype(b)));
}

void check_type(const Graph& g, OpCode code, Value a, DType type) {
  if (g.dtype(a) != type) {
    fail("{} needs {}, found {} of shape {}.", name_of(code), name_of(type), name_of(g.dtype(a)),
         to_string(g.shape(a)));
  }
}

Value binary(Graph& g, OpCode code, Value a, Value b) {
  check_numbers(g, code, a, b, code == OpCode::div || code == OpCode::squared_difference);
  return g.append(code, {a, b}, g.dtype(a), broadcast(g, code, a, b));
}

Value compare(Graph& g, OpCode code, Value a, Value b) {
  check_numbers(g, code, a, b);
  return g.append(code, {a, b}, DType::boolean, broadcast(g, code, a, b));
}

Value logical(Graph& g, OpCode code, Value a, Value b) {
  check_type(g, code, a, DType::boolean);
  check_type(g, code, b, DType::boolean);
  return g.append(code, {a, b}, DType::boolean, broadcast(g, code, a, b));
}

Value unary(Graph& g, OpCode code, Value a, Attributes attributes = {}) {
  check_type(g, code, a, DType::f32);
  return g.append(code, {a}, DType::f32, g.shape(a), std::move(attributes));
}

}  // namespace

Value add(Graph& g, Value a, Value b) { return binary(g, OpCode::add, a, b); }
Value sub(Graph& g, Value a, Value b) { return binary(g, OpCode::sub, a, b); }
Value mul(Graph& g, Value a, Value b) { return binary(g, OpCode::mul, a, b); }
Value div(Graph& g, Value a, Value b) { return binary(g, OpCode::div, a, b); }
Value maximum(Graph& g, Value a, Value b) { return binary(g, OpCode::maximum, a, b); }
Value minimum(Graph& g, Value a, Value b) { return binary(g, OpCode::minimum, a, b); }
Value squared_difference(Graph& g, Value a, Value b) {
  return binary(g, OpCode::squared_difference, a, b);
}

Value less(Graph& g, Value a, Value b) { return compare(g, OpCode::less, a, b); }
Value greater(Graph& g, Value a, Value b) { return compare(g, OpCode::greater, a, b); }
Value greater_equal(Graph& g, Value a, Value b) { return compare(g, OpCode::greater_equal, a, b); }
Value less_equal(Graph& g, Value a, Value b) { return compare(g, OpCode::less_equal, a, b); }
Value equal(Graph& g, Value a, Value b) { return compare(g, OpCode::equal, a, b); }
Value not_equal(Graph& g, Value a, Value b) { return compare(g, OpCode::not_equal, a, b); }

Value logical_and(Graph& g, Value a, Value b) { return logical(g, OpCode::logical_and, a, b); }
Value logical_or(Graph& g, Value a, Value b) { return logical(g, OpCode::logical_or, a, b); }

Value logical_not(Graph& g, Value a) {
  check_type(g, OpCode::logical_not, a, DType::boolean);
  return g.append(OpCode::logical_not, {a}, DType::boolean, g.shape(a));
}

Value select(Graph& g, Value condition, Value a, Value b) {
  check_type(g, OpCode::select_v2, condition, DType::boolean);
  check_numbers(g, OpCode::select_v2, a, b);
  const Shape values = broadcast(g, OpCode::select_v2, a, b);
  const Shape& mask = g.shape(condition);
  Shape shape(std::max(values.size(), mask.size()), 1);
  for (size_t i = 0; i < shape.size(); ++i) {
    const int32_t v = i < values.size() ? values[values.size() - 1 - i] : 1;
    const int32_t m = i < mask.size() ? mask[mask.size() - 1 - i] : 1;
    if (v != m && v != 1 && m != 1) {
      fail("SELECT_V2 cannot broadcast condition {} with {}.", to_string(mask), to_string(values));
    }
    shape[shape.size() - 1 - i] = v == 1 ? m : v;
  }
  return g.append(OpCode::select_v2, {condition, a, b}, g.dtype(a), std::move(shape));
}

Value square(Graph& g, Value a) { return unary(g, OpCode::square, a); }
Value sqrt(Graph& g, Value a) { return unary(g, OpCode::sqrt, a); }
Value rsqrt(Graph& g, Value a) { return unary(g, OpCode::rsqrt, a); }
Value floor(Graph& g, Value a) { return unary(g, OpCode::floor, a); }
Value log(Graph& g, Value a) { return unary(g, OpCode::log, a); }
Value exp(Graph& g, Value a) { return unary(g, OpCode::exp, a); }
Value relu(Graph& g, Value a) { return unary(g, OpCode::relu, a); }
Value tanh(Graph& g, Value a) { return unary(g, OpCode::tanh, a); }
Value logistic(Graph& g, Value a) { return unary(g, OpCode::logistic, a); }
Value gelu(Graph& g, Value a) { return unary(g, OpCode::gelu, a, GeluAttributes{}); }
Value softmax(Graph& g, Value a) { return unary(g, OpCode::softmax, a, SoftmaxAttributes{}); }

Value cast(Graph& g, Value a, DType to) {
  if (g.dtype(a) == to) return a;
  for (const DType type : {g.dtype(a), to}) {
    if (type == DType::string || type == DType::i4) {
      fail("CAST cannot turn {} into {}.", name_of(g.dtype(a)), name_of(to));
    }
  }
  return g.append(OpCode::cast, {a}, to, g.shape(a), CastAttributes{g.dtype(a), to});
}

Value dequantize(Graph& g, Value a) {
  check_type(g, OpCode::dequantize, a, DType::f16);
  return g.append(OpCode::dequantize, {a}, DType::f32, g.shape(a), {}, 3);
}

}  // namespace whisper_s4y
