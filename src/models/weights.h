// The weights of one checkpoint as constants of a graph, in the number formats of a recipe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "graph/graph.h"
#include "graph/quantize.h"
#include "models/weight_recipe.h"
#include "tflite/stored_weights.h"

namespace whisper_s4y {

/// The oldest interpreter that must run the file.
enum class Compatibility {
  litert,       // LiteRT, of which 2.3.0 is tested
  tflite_2_14,  // TensorFlow Lite 2.14, the last tflite-runtime
};

class Weights {
 public:
  /// Throws Error when an exception of the recipe matches no matrix of the checkpoint.
  Weights(const Checkpoint& checkpoint, WeightRecipe recipe,
          Compatibility compatibility = Compatibility::litert);

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
  Value vector(Graph& g, const std::string& name) { return floats(g, rows(name)); }

  /// x [..., taps * inputs] through the kernel `prefix`.weight as an int8 matrix, plus
  /// `prefix`.bias.
  Value kernel_product(Graph& g, Value x, const std::string& prefix);

  /// A table that is added to activations, or a convolution kernel: float32, or float16 followed
  /// by DEQUANTIZE.
  Value table(Graph& g, const Rows& source, WeightFormat side);

  /// Rows `tokens` i32[n] of the token embedding -> [n, d_model].
  Value embed(Graph& g, Value tokens);

  /// x [..., d_model] times the output matrix, which is the token embedding unless the checkpoint
  /// has another -> [..., vocab_size].
  Value logits(Graph& g, Value x);

  /// Says that graphs compute this table instead: the sinusoids of positions.
  void compute(const std::string& name);

  [[nodiscard]] const WeightRecipe& recipe() const { return recipe_; }
  /// Which constants hold which weights, as far as they do not by their names alone.
  [[nodiscard]] std::vector<StoredWeight> stored() const;

 private:
  /// Names of the constants that have the scales of another.
  struct Scales {
    std::string rows, blocks;
  };
  /// Notes that a constant holds the numbers of `source`; gives the constant.
  Value keep(Graph& g, Value constant, const Rows& source, const Scales& scales = {});
  /// The source as a constant of float32 or float16.
  Value floats(Graph& g, const Rows& source, DType type = DType::f32);
  /// The recipe's format; int8 instead of int4 where rows are no whole number of blocks, and for
  /// interpreters without int4.
  [[nodiscard]] WeightFormat format_of(const std::string& prefix, const Rows& source) const;
  /// x times the matrix, plus the bias if it is valid.
  Value product(Graph& g, Value x, const Rows& source, WeightFormat format, Value bias = {});
  /// The matrix in int8 with a scale for each row, and in int4 with one for each block.
  Value int8_constant(Graph& g, const Rows& source);
  Value int4_constant(Graph& g, const Int4Blocks& stored);
  Value product_int8(Graph& g, Value x, const Rows& source, Value bias);
  /// Rows of the token embedding, or of the output matrix, that are stored alike.
  struct TokenRows {
    Rows rows;
    WeightFormat format;
  };
  /// One after the other they are the whole matrix.
  [[nodiscard]] std::vector<TokenRows> parts_of(const std::string& matrix) const;
  /// Rows `indices` i32[n] of one part.
  Value embed_part(Graph& g, const TokenRows& part, Value indices);
  Value gather_int8(Graph& g, const Rows& source, Value indices);
  const Int8Rows& int8(const Rows& source);
  const Int4Blocks& int4(const Rows& source);
  /// How numbers of the token embedding, or of the output matrix, come from its integers: spread,
  /// times factors, plus offsets.
  struct TokenColumns {
    bool are_spread = false;
    Rows factors;  // [d_model]
    Rows offsets;  // [1, d_model]; null: none
  };
  const TokenColumns& columns_of(const std::string& matrix);
  /// Whether the checkpoint has the whole matrix in such an int8 form already: it stays as it is.
  [[nodiscard]] bool keeps_integers(const std::string& matrix) const;
  /// Rows of the matrix as they are to become integers.
  Rows integers_of(const std::string& matrix, const TokenRows& part);

  const Checkpoint& checkpoint_;
  WeightRecipe recipe_;
  Compatibility compatibility_;
  // By the source's name: scales are computed once.
  std::map<std::string, Int8Rows> int8_;
  std::map<std::string, Int4Blocks> int4_;
  std::map<std::string, TokenColumns> token_columns_;  // by the matrix' name
  std::map<std::string, TensorView> kept_;             // the same
  std::map<std::string, StoredWeight> stored_;         // by the constant's name
};

}  // namespace whisper_s4y
