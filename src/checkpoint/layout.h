// The tensors a Whisper model of given dimensions consists of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
};

/// Canonical names and shapes, in the order of the network.
[[nodiscard]] std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config);

/// Throws Error when a tensor is missing, has another shape, or is not part of the model.
void check_tensors(const Checkpoint& checkpoint);

/// Throws Error when a feed-forward layer is not four times as wide as the model: the formats of
/// OpenAI and whisper.cpp do not say how wide they are.
void check_four_times(const ModelConfig& config, std::string_view source);

/// The product of the extents. Throws Error naming `source` and `name` when an extent is negative
/// or the product passes what a file can hold.
[[nodiscard]] uint64_t checked_elements(std::span<const int64_t> shape, std::string_view source,
                                        std::string_view name);

/// More tensors than any Whisper has: files with more are refused before they cost memory.
inline constexpr uint64_t kMaxTensors = 1 << 16;

/// "[51865, 512]"
[[nodiscard]] std::string to_string(std::span<const int64_t> shape);

/// Whether two tensors hold the same values; both of the same shape.
[[nodiscard]] bool equal_values(const TensorView& a, const TensorView& b);

}  // namespace whisper_s4y
