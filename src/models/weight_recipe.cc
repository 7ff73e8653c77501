#include "models/weight_recipe.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/fail.h"
#include "common/mapped_file.h"
#include "common/parse_json.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order of the exceptions

constexpr std::string_view kEncoderPrefix = "encoder.";
constexpr std::string_view kDecoderPrefix = "decoder.";
constexpr std::string_view kConvolution = "encoder.conv";
constexpr std::string_view kEmbedding = "decoder.embed_tokens";
constexpr std::string_view kOutput = "proj_out";
constexpr uint64_t kMostTokens = 1 << 30;

/// What the encoder's first layer loses in its attention, all later layers carry on: in int8 more
/// than half of the encoder's error comes from there. Measured; see docs/quantization.md.
constexpr std::string_view kFirstAttention = "encoder.layers.0.self_attn.*_proj";

/// Four bits for all but what bears them worst. Measured; see docs/quantization.md.
WeightRecipe int4_recipe() {
  using enum WeightFormat;
  return {.encoder = i4,
          .decoder = i4,
          .embedding = i4,
          .embedding_int8_tokens = 1500,
          .exceptions = {{"encoder.conv*", i8},
                         {"encoder.layers.*.v_proj", i8},
                         {"encoder.layers.*.out_proj", i8},
                         {"encoder.layers.-1.fc2", i8},
                         {"decoder.layers.0.self_attn.v_proj", i8},
                         {"decoder.layers.-1.encoder_attn.v_proj", i8},
                         {"decoder.layers.-1.fc2", i8}}};
}

/// "decoder.layers.3.fc1" of four layers -> "decoder.layers.-1.fc1".
std::string counted_from_end(const std::string& matrix, int layers) {
  constexpr std::string_view kLayers = ".layers.";
  const size_t at = matrix.find(kLayers);
  if (at == std::string::npos) return matrix;
  const char* digits = matrix.data() + at + kLayers.size();
  int layer = 0;
  const auto [end, error] = std::from_chars(digits, matrix.data() + matrix.size(), layer);
  if (error != std::errc()) return matrix;
  return fmt::format("{}{}{}{}", matrix.substr(0, at), kLayers, layer - layers, end);
}

/// The last exception that matches one of a matrix' names.
std::optional<WeightFormat> exception_for(const WeightRecipe& recipe,
                                          const std::vector<std::string>& names) {
  for (auto exception = recipe.exceptions.rbegin(); exception != recipe.exceptions.rend();
       ++exception) {
    const bool matches = std::ranges::any_of(names, [&](const std::string& name) {
      return ::fnmatch(exception->first.c_str(), name.c_str(), 0) == 0;
    });
    if (matches) return exception->second;
  }
  return std::nullopt;
}

void drop_exceptions(WeightRecipe& recipe, std::string_view prefix) {
  std::erase_if(recipe.exceptions,
                [&](const auto& exception) { return exception.first.starts_with(prefix); });
}

WeightFormat format_in(const Json& value, const std::string& source, const std::string& key) {
  if (!value.is_string()) fail("{}: \"{}\" must be a string, found {}.", source, key, value.dump());
  try {
    return weight_format(value.get_ref<const std::string&>());
  } catch (const Error& error) {
    fail("{}: \"{}\": {}", source, key, error.what());
  }
}

int tokens_in(const Json& value, const std::string& source, const std::string& key) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kMostTokens) {
    fail("{}: \"{}\" must be a number of tokens, found {}.", source, key, value.dump());
  }
  return value.get<int>();
}

/// Throws Error for rows of the embedding that would not be as they are asked for.
void check_tokens(const WeightRecipe& recipe, const std::string& source) {
  const auto check = [&](std::string_view key, int tokens, WeightFormat divided) {
    if (tokens > 0 && recipe.embedding != divided) {
      fail("{}: \"{}\" is for an embedding in {}, and this one is in {}.", source, key,
           name_of(divided), name_of(recipe.embedding));
    }
  };
  check("embedding_int8_tokens", recipe.embedding_int8_tokens, WeightFormat::i4);
  check("embedding_fp16_tokens", recipe.embedding_fp16_tokens, WeightFormat::i8);
}

}  // namespace

bool has_integers(WeightFormat format) {
  return format == WeightFormat::i8 || format == WeightFormat::i4;
}

std::string_view name_of(WeightFormat format) {
  switch (format) {
    case WeightFormat::f32:
      return "fp32";
    case WeightFormat::f16:
      return "fp16";
    case WeightFormat::i8:
      return "int8";
    case WeightFormat::i4:
      return "int4";
  }
  return "unknown";
}

WeightFormat weight_format(std::string_view name) {
  if (name == "none" || name == "fp32") return WeightFormat::f32;
  if (name == "fp16") return WeightFormat::f16;
  if (name == "int8") return WeightFormat::i8;
  if (name == "int4") return WeightFormat::i4;
  fail(ErrorCode::invalid_argument,
       "Unknown weight format \"{}\": expected none, fp16, int8 or int4.", name);
}

WeightFormat WeightRecipe::format_of(const std::string& matrix, int layers) const {
  if (matrix == kEmbedding || matrix == kOutput) return embedding;
  const WeightFormat side = matrix.starts_with(kEncoderPrefix) ? encoder : decoder;
  return exception_for(*this, {matrix, counted_from_end(matrix, layers)}).value_or(side);
}

WeightFormat WeightRecipe::format_of_convolution(const std::string& name) const {
  const WeightFormat usual = encoder == WeightFormat::f32 ? WeightFormat::f32 : WeightFormat::f16;
  return exception_for(*this, {name}).value_or(usual);
}

bool WeightRecipe::is_small() const { return has_integers(format_of_convolution("encoder.conv2")); }

void WeightRecipe::set_encoder(WeightFormat format) {
  encoder = format;
  drop_exceptions(*this, kEncoderPrefix);
  if (format == WeightFormat::i8) exceptions.emplace_back(kFirstAttention, WeightFormat::f16);
}

void WeightRecipe::set_decoder(WeightFormat format) {
  decoder = format;
  drop_exceptions(*this, kDecoderPrefix);
}

void WeightRecipe::set_embedding(WeightFormat format) {
  embedding = format;
  embedding_int8_tokens = 0;
  embedding_fp16_tokens = 0;
}

void WeightRecipe::replace_int4() {
  const auto replace = [](WeightFormat& format) {
    if (format == WeightFormat::i4) format = WeightFormat::i8;
  };
  replace(encoder);
  replace(decoder);
  if (embedding == WeightFormat::i4) set_embedding(WeightFormat::i8);
  for (auto& [pattern, format] : exceptions) replace(format);
}

WeightRecipe recipe_of_name(std::string_view name) {
  const WeightFormat format = weight_format(name);
  if (format == WeightFormat::i4) return int4_recipe();
  WeightRecipe recipe = {.decoder = format, .embedding = format};
  recipe.set_encoder(format);
  return recipe;
}

const std::vector<std::string>& recipe_names() {
  static const std::vector<std::string> names(std::begin(kRecipeNames), std::end(kRecipeNames));
  return names;
}

WeightRecipe recipe_from_json(std::string_view json, const std::string& source) {
  const Json root = parse_json_object<Json>(json, source);
  WeightRecipe recipe;
  for (const auto& [key, value] : root.items()) {
    if (key == "encoder") {
      recipe.encoder = format_in(value, source, key);
    } else if (key == "decoder") {
      recipe.decoder = format_in(value, source, key);
    } else if (key == "embedding") {
      recipe.embedding = format_in(value, source, key);
    } else if (key == "embedding_int8_tokens") {
      recipe.embedding_int8_tokens = tokens_in(value, source, key);
    } else if (key == "embedding_fp16_tokens") {
      recipe.embedding_fp16_tokens = tokens_in(value, source, key);
    } else if (key == "exceptions") {
      if (!value.is_object()) fail("{}: \"exceptions\" must be an object.", source);
      for (const auto& [pattern, format] : value.items()) {
        if (!pattern.starts_with(kEncoderPrefix) && !pattern.starts_with(kDecoderPrefix)) {
          fail("{}: the exception \"{}\" must begin with \"{}\" or \"{}\".", source, pattern,
               kEncoderPrefix, kDecoderPrefix);
        }
        const WeightFormat wanted = format_in(format, source, pattern);
        if (pattern.starts_with(kConvolution) && wanted == WeightFormat::i4) {
          fail("{}: the exception \"{}\": convolutions can be int8, not int4.", source, pattern);
        }
        recipe.exceptions.emplace_back(pattern, wanted);
      }
    } else {
      fail(
          "{}: unknown key \"{}\": expected encoder, decoder, embedding, embedding_int8_tokens, "
          "embedding_fp16_tokens or exceptions.",
          source, key);
    }
  }
  check_tokens(recipe, source);
  return recipe;
}

WeightRecipe read_recipe(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return recipe_from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                          path.string());
}

std::string to_json(const WeightRecipe& recipe) {
  Json json = {{"encoder", name_of(recipe.encoder)},
               {"decoder", name_of(recipe.decoder)},
               {"embedding", name_of(recipe.embedding)}};
  if (recipe.embedding_int8_tokens > 0) {
    json["embedding_int8_tokens"] = recipe.embedding_int8_tokens;
  }
  if (recipe.embedding_fp16_tokens > 0) {
    json["embedding_fp16_tokens"] = recipe.embedding_fp16_tokens;
  }
  for (const auto& [pattern, format] : recipe.exceptions) {
    json["exceptions"][pattern] = name_of(format);
  }
  return json.dump();
}

}  // namespace whisper_s4y
