// Which weights are stored in which number format.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace whisper_s4y {

/// Number format of a stored matrix; see docs/quantization.md.
enum class WeightFormat { f32, f16, i8, i4 };

[[nodiscard]] std::string_view name_of(WeightFormat format);
[[nodiscard]] bool has_integers(WeightFormat format);
/// What weight_format() takes, "fp32" apart, which is "none".
inline constexpr std::string_view kWeightFormatNames[] = {"none", "fp16", "int8", "int4"};
/// "none" or "fp32", "fp16", "int8", "int4"; throws Error for others.
[[nodiscard]] WeightFormat weight_format(std::string_view name);

/// Norms and biases are always float32. Convolutions and the encoder's positions are float16 where
/// their side is smaller than float32, the decoder's positions where it is float16. An exception
/// may make convolutions int8; then the encoder's positions too are computed instead of stored, if
/// they are sinusoids, and the decoder's are float16.
struct WeightRecipe {
  WeightFormat encoder = WeightFormat::f32;    // matrices of the encoder's layers
  WeightFormat decoder = WeightFormat::f32;    // matrices of the decoder's layers
  WeightFormat embedding = WeightFormat::f32;  // token embedding, and the output matrix
  /// Of an int4 embedding so many first ids, the most frequent tokens, and all from <|endoftext|>
  /// on are int8 instead.
  int embedding_int8_tokens = 0;
  /// Of an int8 embedding so many first ids are float16 instead.
  int embedding_fp16_tokens = 0;
  /// Exceptions for matrices of the layers and convolutions: canonical names without ".weight", in
  /// which * stands for anything ("decoder.layers.*.fc2") and layers may be counted from the end,
  /// where -1 is the last ("decoder.layers.-1.*"). Of several that match the last one holds.
  std::vector<std::pair<std::string, WeightFormat>> exceptions = {};

  /// The format of a matrix, "decoder.embed_tokens" and "proj_out" among them, of a model with so
  /// many layers on the matrix' side.
  [[nodiscard]] WeightFormat format_of(const std::string& matrix, int layers) const;
  /// The format of a convolution, "encoder.conv1" or "encoder.conv2".
  [[nodiscard]] WeightFormat format_of_convolution(const std::string& name) const;
  /// Whether convolutions are int8: such files must be small in everything.
  [[nodiscard]] bool is_small() const;
  /// Replace a side's format and what exceptions it has. An int8 encoder keeps the attention of its
  /// first layer in float16, which takes 1 to 2 % of the file and more than halves the encoder's
  /// error.
  void set_encoder(WeightFormat format);
  void set_decoder(WeightFormat format);
  void set_embedding(WeightFormat format);
  /// int8 for all that is int4, as interpreters have it that know no blocks.
  void replace_int4();
};

/// What `convert --quantize NAME` stands for, unless it is kMixed: a format for everything, but for
/// what set_encoder() leaves out and, of int4, for what bears it worst.
[[nodiscard]] WeightRecipe recipe_of_name(std::string_view name);
/// A recipe that is made for the checkpoint: models/recipe_search.h.
inline constexpr std::string_view kMixed = "mixed";
/// All that --quantize takes.
inline constexpr std::string_view kRecipeNames[] = {"none", "fp16", "int8", "int4", kMixed};
[[nodiscard]] const std::vector<std::string>& recipe_names();

/// {"encoder": "int8", "decoder": "int4", "embedding": "int4",
///  "exceptions": {"decoder.layers.*.fc2": "int8"}}; what is left out is float32. Throws Error
/// naming `source` and what is wrong with it.
[[nodiscard]] WeightRecipe recipe_from_json(std::string_view json, const std::string& source);
[[nodiscard]] WeightRecipe read_recipe(const std::filesystem::path& path);
/// The same form, without line breaks.
[[nodiscard]] std::string to_json(const WeightRecipe& recipe);

}  // namespace whisper_s4y
