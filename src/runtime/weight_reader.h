// The weights of a bundle for the kernels that read them where the file has them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "config/model_info.h"
#include "kernels/products.h"
#include "tflite/reader.h"

namespace whisper_s4y {

/// A matrix [outputs, inputs] with its bias.
struct LinearWeights {
  std::vector<StoredMatrix> parts;  // one after the other they are all rows
  std::vector<float> bias;          // empty: none
  size_t outputs = 0;
  size_t inputs = 0;

  /// Whether all numbers of the matrix are float32.
  [[nodiscard]] bool is_exact() const;
};

struct NormWeights {
  std::vector<float> gain;
  std::vector<float> bias;
};

/// Finds weights by their canonical names. What it gives are views into the file. All throw Error
/// when the file does not say where a weight is, or stores one in a way that the kernels do not
/// know.
class WeightReader {
 public:
  WeightReader(std::shared_ptr<const TfliteFile> file, const ModelConfig& config);

  [[nodiscard]] bool has(std::string_view name) const { return tensors_.contains(name); }
  [[nodiscard]] const TensorView& tensor(std::string_view name) const;
  [[nodiscard]] std::vector<float> vector(const std::string& name) const;
  /// `prefix`.weight and .bias.
  [[nodiscard]] NormWeights norm(const std::string& prefix) const;
  [[nodiscard]] LinearWeights matrix(std::string_view name) const;
  /// `prefix`.weight and, if there is one, .bias.
  [[nodiscard]] LinearWeights linear(const std::string& prefix) const;
  /// The kernel `prefix`.weight [n, inputs, taps] as a matrix [n, taps * inputs], and the bias.
  [[nodiscard]] LinearWeights convolution(const std::string& prefix) const;

 private:
  [[nodiscard]] WeightKind kind_of(const TensorView& view) const;
  [[nodiscard]] StoredMatrix stored(const TensorView& view) const;

  std::string source_;
  std::map<std::string, TensorView, std::less<>> tensors_;
};

}  // namespace whisper_s4y
