// The weights of one checkpoint as constants of a graph, in the number formats of a recipe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "checkpoint/checkpoint.h"
#include "graph/graph.h"
#include "graph/quantize.h"

namespace whisper_s4y {

/// Number format of stored weights.
enum class WeightFormat { f32, f16, i8, i4 };

[[nodiscard]] std::string_view name_of(WeightFormat format);
/// "none" or "fp32", "fp16", "int8", "int4"; throws Error for others.
[[nodiscard]] WeightFormat weight_format(std::string_view name);

/// Which weights are stored how. Norms and biases are always float32; convolutions and position
/// tables are float16 wherever anything else is smaller than float32.
struct WeightRecipe {
  WeightFormat encoder = WeightFormat::f32;    // matrices of the encoder's layers
  WeightFormat decoder = WeightFormat::f32;    // matrices of the decoder's layers
  WeightFormat embedding = WeightFormat::f32;  // token embedding, which is the output matrix too
  /// Exceptions for single matrices, by canonical name without ".weight".
  std::map<std::string, WeightFormat, std::less<>> exceptions;
};

/// The oldest interpreter that must run the file.
enum class Compatibility {
  litert,       // LiteRT, of which 2.3.0 is tested
  tflite_2_14,  // TensorFlow Lite 2.14, the last tflite-runtime
};

class Weights {
 public:
  Weights(const Checkpoint& checkpoint, WeightRecipe recipe,
          Compatibility compatibility = Compatibility::litert)
      : checkpoint_(checkpoint), recipe_(std::move(recipe)), compatibility_(compatibility) {}

  [[nodiscard]] const ModelConfig& config() const { return checkpoint_.info.config; }
  [[nodiscard]] const GenerationConfig& generation() const { return checkpoint_.info.generation; }
  [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoint_; }

  /// The tensor as float32 rows; throws Error when the checkpoint lacks it.
  [[nodiscard]] Rows rows(std::string_view name) const;

  /// x [..., k] through the matrix `prefix`.weight [n, k] and, if present, `prefix`.bias; both
  /// times `factor`.
  Value linear(Graph& g, Value x, const std::string& prefix, float factor = 1.0F);

  /// Normalises the last dimension; `prefix`.weight and .bias scale and shift it.
  Value layer_norm(Graph& g, Value x, const std::string& prefix);

  /// A float32 vector or table as it is.
  Value vector(Graph& g, const std::string& name) { return g.constant(rows(name)); }

  /// A table that is added to activations, or a convolution kernel: float32, or float16 followed
  /// by DEQUANTIZE.
  Value table(Graph& g, const Rows& source, WeightFormat side);

  /// Rows `tokens` i32[n] of the token embedding -> [n, d_model].
  Value embed(Graph& g, Value tokens);

  /// x [..., d_model] times the token embedding -> [..., vocab_size].
  Value logits(Graph& g, Value x);

  [[nodiscard]] const WeightRecipe& recipe() const { return recipe_; }

 private:
  [[nodiscard]] WeightFormat format_of(std::string_view prefix) const;
  /// x times the matrix, plus the bias if it is valid.
  Value product(Graph& g, Value x, const Rows& source, WeightFormat format, Value bias = {});
  const QuantizedConstant& quantized(const Rows& source, WeightFormat format);

  const Checkpoint& checkpoint_;
  WeightRecipe recipe_;
  Compatibility compatibility_;
  std::map<std::string, QuantizedConstant> quantized_;  // scales are computed once
};

}  // namespace whisper_s4y
