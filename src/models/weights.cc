#include "models/weights.h"

#include <memory>
#include <utility>

#include "graph/ops.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

constexpr float kLayerNormEpsilon = 1e-5F;  // PyTorch's default; checkpoints do not carry it
constexpr std::string_view kEmbedding = "decoder.embed_tokens.weight";

/// A checkpoint's tensor as rows of float32.
class CheckpointRows : public RowSource {
 public:
  explicit CheckpointRows(const TensorView& view) : view_(view) {
    for (const int64_t size : view.shape) shape_.push_back(static_cast<int32_t>(size));
  }
  [[nodiscard]] const Shape& shape() const override { return shape_; }
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    view_.read_rows(first, count, out);
  }
  void release(int64_t first, int64_t count) const override { view_.release_rows(first, count); }
  [[nodiscard]] std::span<const std::byte> stored_as(DType type) const override {
    const bool same = (type == DType::f32 && view_.is_stored_as(StorageType::f32)) ||
                      (type == DType::f16 && view_.is_stored_as(StorageType::f16));
    return same ? view_.bytes : std::span<const std::byte>();
  }
  [[nodiscard]] const std::string& name() const override { return view_.name; }

 private:
  const TensorView& view_;
  Shape shape_;
};

}  // namespace

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
  fail("Unknown weight format \"{}\": expected none, fp16, int8 or int4.", name);
}

Rows Weights::rows(std::string_view name) const {
  return std::make_shared<CheckpointRows>(checkpoint_.tensor(name));
}

WeightFormat Weights::format_of(std::string_view prefix) const {
  if (const auto found = recipe_.exceptions.find(prefix); found != recipe_.exceptions.end()) {
    return found->second;
  }
  if (prefix == "decoder.embed_tokens") return recipe_.embedding;
  return prefix.starts_with("encoder.") ? recipe_.encoder : recipe_.decoder;
}

const QuantizedConstant& Weights::quantized(const Rows& source, WeightFormat format) {
  const std::string key = fmt::format("{}:{}", name_of(format), source->name());
  auto found = quantized_.find(key);
  if (found == quantized_.end()) {
    found =
        quantized_.emplace(key, format == WeightFormat::i8 ? int8_rows(source) : int4_rows(source))
            .first;
  }
  return found->second;
}

Value Weights::product(Graph& g, Value x, const Rows& source, WeightFormat format, Value bias) {
  switch (format) {
    case WeightFormat::f32:
      return fully_connected(g, x, g.constant(source), bias);
    case WeightFormat::f16:
      return fully_connected(g, x, dequantize(g, g.constant(source, DType::f16)), bias);
    case WeightFormat::i8:
    case WeightFormat::i4:
      break;
  }
  const QuantizedConstant& constant = quantized(source, format);
  if (compatibility_ == Compatibility::litert) {
    const Value weights =
        g.constant(source->name(), format == WeightFormat::i8 ? DType::i8 : DType::i4,
                   source->shape(), constant.data, constant.quantization);
    return fully_connected(g, x, weights, bias);
  }
  // TFLite 2.14 knows one scale a matrix: it multiplies by the integers, the scales come after.
  if (format == WeightFormat::i4) {
    fail("TensorFlow Lite 2.14 cannot compute with int4 weights: choose int8.");
  }
  static const auto kOne = std::make_shared<const Quantization>(Quantization{.scales = {1.0F}});
  const Value integers = g.constant(source->name() + ".integers_scale_1", DType::i8,
                                    source->shape(), constant.data, kOne);
  const Value scales = g.constant(
      rows_of(source->name() + ".scales", {source->shape()[0]}, constant.quantization->scales));
  const Value scaled = mul(g, fully_connected(g, x, integers), scales);
  return bias.valid() ? add(g, scaled, bias) : scaled;
}

Value Weights::linear(Graph& g, Value x, const std::string& prefix, float factor) {
  const auto source = [&](const std::string& name) {
    return factor == 1.0F ? rows(name) : scaled(rows(name), factor);
  };
  const bool has_bias = checkpoint_.has(prefix + ".bias");
  return product(g, x, source(prefix + ".weight"), format_of(prefix),
                 has_bias ? g.constant(source(prefix + ".bias")) : Value{});
}

Value Weights::layer_norm(Graph& g, Value x, const std::string& prefix) {
  const Value centred = sub(g, x, mean(g, x, {-1}));
  const Value variance = mean(g, square(g, centred), {-1});
  const Value inverse = rsqrt(g, add(g, variance, g.constant(kLayerNormEpsilon)));
  const Value scaled = mul(g, mul(g, centred, inverse), vector(g, prefix + ".weight"));
  return add(g, scaled, vector(g, prefix + ".bias"));
}

Value Weights::table(Graph& g, const Rows& source, WeightFormat side) {
  if (side == WeightFormat::f32) return g.constant(source);
  return dequantize(g, g.constant(source, DType::f16));
}

Value Weights::embed(Graph& g, Value tokens) {
  const Rows source = rows(kEmbedding);
  switch (recipe_.embedding) {
    case WeightFormat::f32:
      return gather(g, g.constant(source), tokens);
    case WeightFormat::f16: {
      const Value table = g.constant(source, DType::f16);
      // TFLite 2.14 gathers no float16; it converts the constant once.
      if (compatibility_ == Compatibility::tflite_2_14) {
        return gather(g, dequantize(g, table), tokens);
      }
      return dequantize(g, gather(g, table, tokens));
    }
    case WeightFormat::i8:
      break;
    case WeightFormat::i4:
      fail("An int4 token embedding is not supported yet.");
  }
  // GATHER knows no scales per row: it reads the stored integers through a second tensor over the
  // same buffer, and the scales through another GATHER.
  const QuantizedConstant& constant = quantized(source, recipe_.embedding);
  const Value integers =
      g.constant(std::string(kEmbedding) + ".integers", DType::i8, source->shape(), constant.data);
  const Rows scales = rows_of(std::string(kEmbedding) + ".scales", {source->shape()[0], 1},
                              constant.quantization->scales);
  const Value rows = cast(g, gather(g, integers, tokens), DType::f32);
  return mul(g, rows, gather(g, g.constant(scales), tokens));
}

Value Weights::logits(Graph& g, Value x) {
  return product(g, x, rows(kEmbedding), recipe_.embedding);
}

}  // namespace whisper_s4y
