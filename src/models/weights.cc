#include "models/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "checkpoint/tensor_rows.h"
#include "common/column_spreading.h"
#include "common/fail.h"
#include "graph/ops.h"

namespace whisper_s4y {
namespace {

constexpr float kLayerNormEpsilon = 1e-5F;  // PyTorch's default; checkpoints do not carry it
constexpr std::string_view kWeightSuffix = ".weight";
const std::string kEmbedding = "decoder.embed_tokens";
const std::string kOutput = "proj_out";

/// "q_proj" of "decoder.layers.0.self_attn.q_proj".
std::string_view last_part(std::string_view prefix) { return prefix.substr(prefix.rfind('.') + 1); }

/// How many layers the side of a matrix has.
int layers_beside(const std::string& matrix, const ModelConfig& config) {
  return matrix.starts_with("encoder.") ? config.encoder_layers : config.decoder_layers;
}

constexpr float kPartOfDeviation = 0.7F;  // of columns that are divided, as an exponent

/// x [..., d] after ColumnSpreading.
Value spread(Graph& g, Value x) {
  const Scope scope(g, "spread");
  const Shape shape = g.shape(x);
  const int32_t width = shape.back();
  const ColumnSpreading spreading(static_cast<size_t>(width));
  ColumnSpreading::Factors factors = spreading.factors();
  const auto inner = static_cast<int32_t>(factors.inner_width);
  const int32_t outer = width / inner;
  const auto rows = static_cast<int32_t>(element_count(shape) / width);
  const auto matrix = [&](std::string_view name, int32_t size, std::vector<float> numbers) {
    return g.constant(
        rows_of(fmt::format("spread.{}_{}", name, width), {size, size}, std::move(numbers)));
  };
  const Value of_neighbours = matrix("inner", inner, std::move(factors.inner));
  const Value of_groups = matrix("outer", outer, std::move(factors.outer));
  // Signs as the groups have them: the columns lie the other way round between the transformations.
  std::vector<float> signs(static_cast<size_t>(width));
  for (size_t i = 0; i < signs.size(); ++i) {
    const auto groups = static_cast<size_t>(outer);
    signs[i] = spreading.signs()[i % groups * factors.inner_width + i / groups];
  }
  const Value changes =
      g.constant(rows_of(fmt::format("spread.signs_{}", width), {inner, outer}, std::move(signs)));
  Value y = fully_connected(g, reshape(g, x, {rows, outer, inner}), of_neighbours);
  y = fully_connected(g, transpose(g, y, {0, 2, 1}), of_groups);
  y = fully_connected(g, mul(g, y, changes), of_groups);
  y = fully_connected(g, transpose(g, y, {0, 2, 1}), of_neighbours);
  return reshape(g, y, shape);
}

}  // namespace

Weights::Weights(const Checkpoint& checkpoint, WeightRecipe recipe, Compatibility compatibility)
    : checkpoint_(checkpoint), recipe_(std::move(recipe)), compatibility_(compatibility) {
  for (const auto& exception : recipe_.exceptions) {
    WeightRecipe only{.encoder = {}, .decoder = {}, .embedding = {}, .exceptions = {exception}};
    only.exceptions[0].second = WeightFormat::i8;
    const bool matches = std::ranges::any_of(checkpoint_.tensors, [&](const auto& tensor) {
      const auto& [name, view] = tensor;
      if (view.shape.size() < 2 || !name.ends_with(kWeightSuffix)) return false;
      const std::string matrix = name.substr(0, name.size() - kWeightSuffix.size());
      const WeightFormat format = view.shape.size() == 3
                                      ? only.format_of_convolution(matrix)
                                      : only.format_of(matrix, layers_beside(matrix, config()));
      return format == WeightFormat::i8;
    });
    if (!matches) {
      fail("The quantisation recipe has an exception for \"{}\", but no matrix of {} is called so.",
           exception.first, checkpoint_.info.name);
    }
  }
}

Rows Weights::rows(std::string_view name) const { return rows_of(checkpoint_.tensor(name)); }

Value Weights::keep(Graph& g, Value constant, const Rows& source, const Scales& scales) {
  const std::optional<Origin> origin = source->origin();
  const std::string& name = g.tensor(constant).name;
  if (origin && (origin->tensor != name || !scales.rows.empty())) {
    stored_.try_emplace(name, StoredWeight{.weight = origin->tensor,
                                           .constant = name,
                                           .first_row = origin->first_row,
                                           .factor = origin->factor,
                                           .taps_first = origin->taps_first,
                                           .row_scales = scales.rows,
                                           .block_scales = scales.blocks,
                                           .spread = origin->spread,
                                           .column_factors = origin->divisors,
                                           .column_offsets = origin->offsets});
  }
  return constant;
}

Value Weights::floats(Graph& g, const Rows& source, DType type) {
  return keep(g, g.constant(source, type), source);
}

void Weights::compute(const std::string& name) {
  stored_.try_emplace(name, StoredWeight{.weight = name, .constant = {}});
}

std::vector<StoredWeight> Weights::stored() const {
  std::vector<StoredWeight> all;
  for (const auto& [name, stored] : stored_) all.push_back(stored);
  return all;
}

WeightFormat Weights::format_of(const std::string& prefix, const Rows& source) const {
  const WeightFormat format = recipe_.format_of(prefix, layers_beside(prefix, config()));
  // TFLite 2.14 cannot compute with int4.
  const bool possible =
      source->row_size() % kInt4Block == 0 && compatibility_ == Compatibility::litert;
  return format == WeightFormat::i4 && !possible ? WeightFormat::i8 : format;
}

const Int8Rows& Weights::int8(const Rows& source) {
  auto found = int8_.find(source->name());
  if (found == int8_.end()) found = int8_.emplace(source->name(), int8_rows(source)).first;
  return found->second;
}

const Int4Blocks& Weights::int4(const Rows& source) {
  auto found = int4_.find(source->name());
  if (found == int4_.end()) found = int4_.emplace(source->name(), int4_blocks(source)).first;
  return found->second;
}

Value Weights::product(Graph& g, Value x, const Rows& source, WeightFormat format, Value bias) {
  switch (format) {
    case WeightFormat::f32:
      return fully_connected(g, x, floats(g, source), bias);
    case WeightFormat::f16:
      return fully_connected(g, x, dequantize(g, floats(g, source, DType::f16)), bias);
    case WeightFormat::i8:
      return product_int8(g, x, source, bias);
    case WeightFormat::i4:
      break;
  }
  return fully_connected(g, x, int4_constant(g, int4(source)), bias);
}

Value Weights::int8_constant(Graph& g, const Rows& source) {
  const Int8Rows& stored = int8(source);
  return keep(
      g, g.constant(source->name(), DType::i8, source->shape(), stored.data, stored.quantization),
      source);
}

Value Weights::int4_constant(Graph& g, const Int4Blocks& stored) {
  const auto quantization = std::make_shared<Quantization>();
  quantization->block_scales = g.constant(stored.scales, DType::f16);
  quantization->block_size = kInt4Block;
  const Shape blocks = stored.scales->shape();
  const Value weights = g.constant(stored.scales->name() + ".int4", DType::i4,
                                   {blocks[0], blocks[1] * kInt4Block}, stored.data, quantization);
  return keep(g, weights, stored.scales, {.rows = {}, .blocks = stored.scales->name()});
}

Value Weights::product_int8(Graph& g, Value x, const Rows& source, Value bias) {
  if (compatibility_ == Compatibility::litert) {
    return fully_connected(g, x, int8_constant(g, source), bias);
  }
  const Int8Rows& stored = int8(source);
  // TFLite 2.14 knows one scale a matrix: it multiplies by the integers, the scales come after.
  static const auto one = std::make_shared<const Quantization>(Quantization{.scales = {1.0F}});
  const Value integers = g.constant(source->name() + ".integers_scale_1", DType::i8,
                                    source->shape(), stored.data, one);
  const Rows factors =
      rows_of(source->name() + ".scales", {source->shape()[0]}, stored.quantization->scales);
  const Value scales = g.constant(factors);
  keep(g, integers, source, {.rows = factors->name(), .blocks = {}});
  const Value scaled = mul(g, fully_connected(g, x, integers), scales);
  return bias.valid() ? add(g, scaled, bias) : scaled;
}

Value Weights::linear(Graph& g, Value x, const std::string& prefix, float factor) {
  const Scope scope(g, last_part(prefix));
  const auto source = [&](const std::string& name) {
    return factor == 1.0F ? rows(name) : scaled(rows(name), factor);
  };
  const Rows numbers = source(prefix + ".weight");
  const bool has_bias = checkpoint_.has(prefix + ".bias");
  return product(g, x, numbers, format_of(prefix, numbers),
                 has_bias ? floats(g, source(prefix + ".bias")) : Value{});
}

Value Weights::layer_norm(Graph& g, Value x, const std::string& prefix) {
  const Scope scope(g, last_part(prefix));
  const Value centred = sub(g, x, mean(g, x, {-1}));
  const Value variance = mean(g, square(g, centred), {-1});
  const Value inverse = rsqrt(g, add(g, variance, g.constant(kLayerNormEpsilon)));
  const Value gain = vector(g, prefix + ".weight");
  const Value scaled = mul(g, mul(g, centred, inverse), gain);
  return add(g, scaled, vector(g, prefix + ".bias"));
}

Value Weights::kernel_product(Graph& g, Value x, const std::string& prefix) {
  const Rows kernel = conv_kernel(rows(prefix + ".weight"));
  const auto outputs = static_cast<int32_t>(kernel->rows());
  const auto width = static_cast<int32_t>(kernel->row_size());
  return product_int8(g, x, reshaped(kernel, {outputs, width}), vector(g, prefix + ".bias"));
}

Value Weights::table(Graph& g, const Rows& source, WeightFormat side) {
  if (side == WeightFormat::f32) return floats(g, source);
  return dequantize(g, floats(g, source, DType::f16));
}

Value Weights::embed(Graph& g, Value tokens) {
  const Scope scope(g, last_part(kEmbedding));
  Value embedded;
  int32_t first = 0;
  for (const TokenRows& part : parts_of(kEmbedding)) {
    const auto count = static_cast<int32_t>(part.rows->rows());
    if (count == config().vocab_size) return embed_part(g, part, tokens);
    const Value place = sub(g, tokens, g.constant_i32({first}));
    const Value last = g.constant_i32({count - 1});
    const Value inside = minimum(g, maximum(g, place, g.constant_i32({0})), last);
    const Value found = embed_part(g, part, inside);
    const Value before = reshape(g, less(g, place, g.constant_i32({0})), {g.shape(tokens)[0], 1});
    embedded = embedded.valid() ? select(g, before, embedded, found) : found;
    first += count;
  }
  return embedded;
}

Value Weights::embed_part(Graph& g, const TokenRows& part, Value indices) {
  const Rows& source = part.rows;
  switch (part.format) {
    case WeightFormat::f32:
      return gather(g, floats(g, source), indices);
    case WeightFormat::f16: {
      const Value table = floats(g, source, DType::f16);
      // TFLite 2.14 gathers no float16; it converts the constant once.
      if (compatibility_ == Compatibility::tflite_2_14) {
        return gather(g, dequantize(g, table), indices);
      }
      return dequantize(g, gather(g, table, indices));
    }
    case WeightFormat::i8:
    case WeightFormat::i4:
      break;
  }
  const TokenColumns& columns = columns_of(kEmbedding);
  const Rows integers = integers_of(kEmbedding, part);
  Value found;
  if (part.format == WeightFormat::i4) {
    found = embedding_lookup(g, int4_constant(g, int4(integers)), indices);
  } else if (compatibility_ == Compatibility::litert) {
    found = embedding_lookup(g, int8_constant(g, integers), indices);
  } else {
    found = gather_int8(g, integers, indices);
  }
  if (columns.are_spread) found = spread(g, found);
  found = mul(g, found, g.constant(columns.factors));
  return columns.offsets == nullptr ? found : add(g, found, g.constant(columns.offsets));
}

/// For interpreters whose EMBEDDING_LOOKUP knows no scales of rows: GATHER reads the stored bytes
/// through a second tensor over the same buffer, and the scales apart. GPU delegates get it wrong.
Value Weights::gather_int8(Graph& g, const Rows& source, Value indices) {
  const Int8Rows& stored = int8(source);
  const Value integers =
      g.constant(source->name() + ".integers", DType::i8, source->shape(), stored.data);
  const Rows scales =
      rows_of(source->name() + ".scales", {source->shape()[0], 1}, stored.quantization->scales);
  keep(g, integers, source, {.rows = scales->name(), .blocks = {}});
  const Value row = cast(g, gather(g, integers, indices), DType::f32);
  return mul(g, row, gather(g, g.constant(scales), indices));
}

// Most of an embedding is what all its rows have in common, and some columns are far larger than
// the others: rows would get steps too coarse for what makes tokens differ. So the mean row is
// taken out, columns are divided by a part of what is left of them, and what remains is spread
// evenly by an orthogonal transformation. docs/quantization.md has the figures.

const Weights::TokenColumns& Weights::columns_of(const std::string& matrix) {
  const auto [found, is_new] = token_columns_.try_emplace(matrix);
  TokenColumns& columns = found->second;
  if (!is_new) return columns;
  const std::string name = matrix + ".weight";
  const int32_t width = config().d_model;
  if (keeps_integers(matrix)) {
    const TensorView& view = checkpoint_.tensor(name);
    columns.are_spread = view.spread;
    columns.factors = rows_of(name + ".factors", {width}, view.column_factors);
    if (!view.column_offsets.empty()) {
      columns.offsets = rows_of(name + ".offsets", {1, width}, view.column_offsets);
    }
    return columns;
  }
  columns.are_spread = true;
  ColumnMoments moments = column_moments(*rows(name));
  for (float& factor : moments.deviations) {
    factor = factor > 0 ? std::pow(factor, kPartOfDeviation) : 1.0F;
  }
  columns.factors = rows_of(name + ".factors", {width}, std::move(moments.deviations));
  columns.offsets = rows_of(name + ".offsets", {1, width}, std::move(moments.means));
  return columns;
}

bool Weights::keeps_integers(const std::string& matrix) const {
  const TensorView& tensor = checkpoint_.tensor(matrix + ".weight");
  const std::vector<TokenRows> parts = parts_of(matrix);
  return parts.size() == 1 && parts[0].format == WeightFormat::i8 &&
         tensor.type == StorageType::i8 && tensor.parts.empty() && !tensor.column_factors.empty();
}

Rows Weights::integers_of(const std::string& matrix, const TokenRows& part) {
  const TokenColumns& columns = columns_of(matrix);
  if (!keeps_integers(matrix)) {
    return columns_spread(
        columns_divided(columns_shifted(part.rows, columns.offsets), columns.factors));
  }
  const auto [found, is_new] = kept_.try_emplace(matrix, checkpoint_.tensor(matrix + ".weight"));
  TensorView& view = found->second;
  view.spread = false;
  view.column_factors.clear();
  view.column_offsets.clear();
  return columns_changed_before(rows_of(view), columns.offsets, columns.factors,
                                columns.are_spread);
}

// The most frequent tokens have the lowest ids, since byte pairs are numbered as they were merged.
// Their rows decide nearly all that four bits spoil.

std::vector<Weights::TokenRows> Weights::parts_of(const std::string& matrix) const {
  const Rows all = rows(matrix + ".weight");
  const WeightFormat format = format_of(matrix, all);
  if (format == WeightFormat::i8 && recipe_.embedding_fp16_tokens > 0) {
    const int32_t halves = recipe_.embedding_fp16_tokens;
    const int32_t others = config().vocab_size - halves;
    if (others <= 0) return {{all, WeightFormat::f16}};
    return {{row_range(all, 0, halves), WeightFormat::f16},
            {row_range(all, halves, others), WeightFormat::i8}};
  }
  const int32_t frequent = recipe_.embedding_int8_tokens;
  const int32_t special = generation().eos_token_id;
  if (format != WeightFormat::i4 || frequent == 0) return {{all, format}};
  if (frequent >= special) return {{all, WeightFormat::i8}};
  return {{row_range(all, 0, frequent), WeightFormat::i8},
          {row_range(all, frequent, special - frequent), WeightFormat::i4},
          {row_range(all, special, config().vocab_size - special), WeightFormat::i8}};
}

Value Weights::logits(Graph& g, Value x) {
  const Scope scope(g, kOutput);
  const std::string& matrix = checkpoint_.has(kOutput + ".weight") ? kOutput : kEmbedding;
  const std::vector<TokenRows> all = parts_of(matrix);
  const auto is_integers = [](const TokenRows& part) { return has_integers(part.format); };
  Value even;    // x as products with integers take it
  Value common;  // what the mean row gives, [..., 1]
  if (std::ranges::any_of(all, is_integers)) {
    const TokenColumns& columns = columns_of(matrix);
    even = mul(g, x, g.constant(columns.factors));
    if (columns.are_spread) even = spread(g, even);
    if (columns.offsets != nullptr) {
      common = fully_connected(g, x, g.constant(columns.offsets));
    }
  }
  std::vector<Value> parts;
  for (const TokenRows& part : all) {
    if (!is_integers(part)) {
      parts.push_back(product(g, x, part.rows, part.format));
      continue;
    }
    const Value multiplied = product(g, even, integers_of(matrix, part), part.format);
    parts.push_back(common.valid() ? add(g, multiplied, common) : multiplied);
  }
  return parts.size() == 1 ? parts[0] : concat(g, parts, static_cast<int>(g.shape(x).size()) - 1);
}

}  // namespace whisper_s4y
