#include <algorithm>
#include <initializer_list>

#include "common/fail.h"
#include "graph/ops.h"

namespace whisper_s4y {
namespace {

/// Types of which each number is one of whole bytes.
constexpr std::initializer_list<DType> kPlain{DType::f32, DType::i32, DType::i8, DType::u8,
                                              DType::boolean};

int rank_of(const Graph& g, Value a) { return static_cast<int>(g.shape(a).size()); }

size_t normalize_axis(const Graph& g, OpCode code, Value a, int axis) {
  const int rank = rank_of(g, a);
  const int positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank) {
    fail("{} has no axis {} in shape {}.", name_of(code), axis, to_string(g.shape(a)));
  }
  return static_cast<size_t>(positive);
}

void check_type(const Graph& g, OpCode code, Value a, std::initializer_list<DType> types) {
  if (std::ranges::find(types, g.dtype(a)) != types.end()) return;
  fail("{} cannot take {} of shape {}.", name_of(code), name_of(g.dtype(a)), to_string(g.shape(a)));
}

Value reduce(Graph& g, OpCode code, Value a, const std::vector<int>& axes, bool keep_dims) {
  check_type(g, code, a, {DType::f32});
  std::vector<bool> reduced(g.shape(a).size(), false);
  std::vector<int32_t> positive;
  for (const int axis : axes) {
    const size_t index = normalize_axis(g, code, a, axis);
    if (reduced[index]) fail("{} names axis {} twice.", name_of(code), axis);
    reduced[index] = true;
    positive.push_back(static_cast<int32_t>(index));
  }
  Shape shape;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) {
      shape.push_back(g.shape(a)[i]);
    } else if (keep_dims) {
      shape.push_back(1);
    }
  }
  return g.append(code, {a, g.constant_i32(std::move(positive))}, g.dtype(a), std::move(shape),
                  ReducerAttributes{keep_dims});
}

Value padded(Graph& g, OpCode code, Value a, const std::vector<std::pair<int, int>>& padding,
             Attributes attributes) {
  check_type(g, code, a, {DType::f32});
  if (padding.size() != g.shape(a).size()) {
    fail("{} of shape {} needs {} pairs, found {}.", name_of(code), to_string(g.shape(a)),
         g.shape(a).size(), padding.size());
  }
  Shape shape = g.shape(a);
  std::vector<int32_t> numbers;
  for (size_t i = 0; i < padding.size(); ++i) {
    const auto [before, after] = padding[i];
    if (code == OpCode::mirror_pad && std::max(before, after) >= shape[i]) {
      fail("MIRROR_PAD of {} by {} and {} reflects past the edge.", to_string(shape), before,
           after);
    }
    shape[i] += before + after;
    numbers.insert(numbers.end(), {before, after});
  }
  const Value amounts =
      g.constant_i32(std::move(numbers), {static_cast<int32_t>(padding.size()), 2});
  return g.append(code, {a, amounts}, g.dtype(a), std::move(shape), std::move(attributes));
}

void check_index_vector(const Graph& g, OpCode code, Value index, Value a) {
  if (g.dtype(index) != DType::i32 || g.shape(index) != Shape{rank_of(g, a)}) {
    fail("{} of shape {} needs int32 [{}] for its start, found {} {}.", name_of(code),
         to_string(g.shape(a)), rank_of(g, a), name_of(g.dtype(index)), to_string(g.shape(index)));
  }
}

}  // namespace

Value sum(Graph& g, Value a, const std::vector<int>& axes, bool keep_dims) {
  return reduce(g, OpCode::sum, a, axes, keep_dims);
}

Value mean(Graph& g, Value a, const std::vector<int>& axes, bool keep_dims) {
  return reduce(g, OpCode::mean, a, axes, keep_dims);
}

Value reduce_max(Graph& g, Value a, const std::vector<int>& axes, bool keep_dims) {
  return reduce(g, OpCode::reduce_max, a, axes, keep_dims);
}

Value arg_max(Graph& g, Value a) {
  check_type(g, OpCode::arg_max, a, {DType::f32});
  if (g.shape(a).empty()) fail("ARG_MAX needs at least one dimension.");
  Shape shape = g.shape(a);
  const auto axis = static_cast<int32_t>(shape.size()) - 1;
  shape.pop_back();
  return g.append(OpCode::arg_max, {a, g.constant_i32({axis}, {})}, DType::i32, std::move(shape),
                  ArgMaxAttributes{});
}

Value reshape(Graph& g, Value a, Shape shape) {
  check_type(g, OpCode::reshape, a, kPlain);
  if (element_count(shape) != element_count(g.shape(a))) {
    fail("RESHAPE cannot turn {} into {}.", to_string(g.shape(a)), to_string(shape));
  }
  if (shape == g.shape(a)) return a;
  const Value target = g.constant_i32(shape);
  ReshapeAttributes attributes{shape};
  return g.append(OpCode::reshape, {a, target}, g.dtype(a), std::move(shape),
                  std::move(attributes));
}

Value transpose(Graph& g, Value a, const std::vector<int>& permutation) {
  check_type(g, OpCode::transpose, a, {DType::f32, DType::i32});
  const Shape& from = g.shape(a);
  std::vector<int> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != from.size() || sorted[i] != static_cast<int>(i)) {
      fail("TRANSPOSE of {} needs a permutation of its axes.", to_string(from));
    }
  }
  Shape shape;
  for (const int axis : permutation) shape.push_back(from[static_cast<size_t>(axis)]);
  const Value order = g.constant_i32({permutation.begin(), permutation.end()});
  return g.append(OpCode::transpose, {a, order}, g.dtype(a), std::move(shape));
}

Value concat(Graph& g, const std::vector<Value>& parts, int axis) {
  if (parts.empty()) fail("CONCATENATION needs at least one part.");
  check_type(g, OpCode::concatenation, parts[0], {DType::f32, DType::i32});
  const size_t index = normalize_axis(g, OpCode::concatenation, parts[0], axis);
  Shape shape = g.shape(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    Shape part = g.shape(parts[i]);
    if (part.size() != shape.size() || g.dtype(parts[i]) != g.dtype(parts[0])) {
      fail("CONCATENATION cannot join {} and {}.", to_string(shape), to_string(part));
    }
    const int32_t size = part[index];
    part[index] = shape[index];
    if (part != shape) {
      fail("CONCATENATION along {} cannot join {} and {}.", axis, to_string(shape),
           to_string(g.shape(parts[i])));
    }
    shape[index] += size;
  }
  return g.append(OpCode::concatenation, parts, g.dtype(parts[0]), std::move(shape),
                  ConcatenationAttributes{static_cast<int>(index)});
}

Value slice(Graph& g, Value a, const std::vector<int>& begin, const Shape& size) {
  for (size_t i = 0; i < begin.size() && i < size.size() && i < g.shape(a).size(); ++i) {
    if (begin[i] < 0 || size[i] < 0 || begin[i] + size[i] > g.shape(a)[i]) {
      fail("SLICE of {} at {} by {} leaves it in dimension {}.", to_string(g.shape(a)), begin[i],
           size[i], i);
    }
  }
  return slice(g, a, g.constant_i32({begin.begin(), begin.end()}), size);
}

Value slice(Graph& g, Value a, Value begin, const Shape& size) {
  check_type(g, OpCode::slice, a, kPlain);
  check_index_vector(g, OpCode::slice, begin, a);
  if (size.size() != g.shape(a).size()) {
    fail("SLICE of {} cannot have size {}.", to_string(g.shape(a)), to_string(size));
  }
  return g.append(OpCode::slice, {a, begin, g.constant_i32(size)}, g.dtype(a), size);
}

std::vector<Value> split(Graph& g, Value a, int axis, int count) {
  check_type(g, OpCode::split, a, {DType::f32, DType::i32});
  const size_t index = normalize_axis(g, OpCode::split, a, axis);
  Shape shape = g.shape(a);
  if (count < 1 || shape[index] % count != 0) {
    fail("SPLIT cannot cut axis {} of {} into {} equal parts.", axis, to_string(shape), count);
  }
  shape[index] /= count;
  std::vector<Value> parts;
  for (int i = 0; i < count; ++i) parts.push_back(g.new_tensor(g.dtype(a), shape));
  g.append(Op{.code = OpCode::split,
              .version = 1,
              .inputs = {g.constant_i32({static_cast<int32_t>(index)}, {}), a},
              .outputs = parts,
              .attributes = SplitAttributes{count}});
  return parts;
}

Value pad(Graph& g, Value a, const std::vector<std::pair<int, int>>& padding) {
  return padded(g, OpCode::pad, a, padding, {});
}

Value mirror_pad(Graph& g, Value a, const std::vector<std::pair<int, int>>& padding) {
  return padded(g, OpCode::mirror_pad, a, padding, MirrorPadAttributes{});
}

Value gather(Graph& g, Value a, Value indices, int axis) {
  if (g.dtype(indices) != DType::i32) {
    fail("GATHER needs int32 indices, found {}.", name_of(g.dtype(indices)));
  }
  check_type(g, OpCode::gather, a,
             {DType::f32, DType::f16, DType::i32, DType::i8, DType::u8, DType::string});
  const size_t index = normalize_axis(g, OpCode::gather, a, axis);
  const Shape& from = g.shape(a);
  const auto place = static_cast<Shape::difference_type>(index);
  Shape shape(from.begin(), from.begin() + place);
  shape.insert(shape.end(), g.shape(indices).begin(), g.shape(indices).end());
  shape.insert(shape.end(), from.begin() + place + 1, from.end());
  const int version = g.dtype(a) == DType::i8 ? 2 : 1;
  return g.append(OpCode::gather, {a, indices}, g.dtype(a), std::move(shape),
                  GatherAttributes{static_cast<int>(index)}, version);
}

Value embedding_lookup(Graph& g, Value table, Value indices) {
  const Shape& rows = g.shape(table);
  if (g.dtype(indices) != DType::i32 || g.shape(indices).size() != 1 || rows.size() != 2) {
    fail("EMBEDDING_LOOKUP takes a table [n, k] and int32 indices [m], found {} and {} {}.",
         to_string(rows), name_of(g.dtype(indices)), to_string(g.shape(indices)));
  }
  check_type(g, OpCode::embedding_lookup, table, {DType::f32, DType::i8, DType::i4});
  const bool quantized = g.dtype(table) != DType::f32;
  if (quantized && g.tensor(table).quantization == nullptr) {
    fail("EMBEDDING_LOOKUP needs scales for the table {}.", g.tensor(table).name);
  }
  // Readers from before version 4 would take the first row's scale for all.
  return g.append(OpCode::embedding_lookup, {indices, table}, DType::f32,
                  {g.shape(indices)[0], rows[1]}, {}, quantized ? 4 : 1);
}

Value dynamic_update_slice(Graph& g, Value a, Value update, Value start) {
  check_type(g, OpCode::dynamic_update_slice, a, {DType::f32, DType::i32});
  const Shape& whole = g.shape(a);
  const Shape& part = g.shape(update);
  bool fits = whole.size() == part.size() && g.dtype(a) == g.dtype(update);
  for (size_t i = 0; fits && i < whole.size(); ++i) fits = part[i] <= whole[i];
  if (!fits) {
    fail("DYNAMIC_UPDATE_SLICE cannot write {} into {}.", to_string(part), to_string(whole));
  }
  check_index_vector(g, OpCode::dynamic_update_slice, start, a);
  return g.append(OpCode::dynamic_update_slice, {a, update, start}, g.dtype(a), whole);
}

Value broadcast_to(Graph& g, Value a, const Shape& shape) {
  check_type(g, OpCode::broadcast_to, a, {DType::f32, DType::i32});
  const Shape& from = g.shape(a);
  bool fits = from.size() <= shape.size();
  for (size_t i = 1; fits && i <= from.size(); ++i) {
    fits = from[from.size() - i] == 1 || from[from.size() - i] == shape[shape.size() - i];
  }
  if (!fits) fail("BROADCAST_TO cannot turn {} into {}.", to_string(from), to_string(shape));
  return g.append(OpCode::broadcast_to, {a, g.constant_i32(shape)}, g.dtype(a), shape, {}, 2);
}

Value fill(Graph& g, const Shape& shape, float number) {
  return g.append(OpCode::fill, {g.constant_i32(shape), g.constant(number)}, DType::f32, shape);
}

}  // namespace whisper_s4y
