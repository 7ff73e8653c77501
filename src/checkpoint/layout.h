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

/// The output matrix, by its canonical name. A checkpoint has it only where it is not the token
/// embedding.
inline constexpr std::string_view kOutputMatrix = "proj_out.weight";
inline constexpr std::string_view kTokenEmbedding = "decoder.embed_tokens.weight";

/// Tensors that may be there as well: the output matrix, and biases of the keys, which change
/// nothing.
[[nodiscard]] std::vector<ExpectedTensor> optional_tensors(const ModelConfig& config);

/// Throws Error when a tensor is missing, has another shape or a type we do not read, and when
/// there are more layers than the dimensions say. Removes an output matrix that repeats the token
/// embedding, biases of keys and tensors of no part of a Whisper model; of the last two it warns.
void check_tensors(Checkpoint& checkpoint);

/// Adds the warning that these tensors, by their names in the file, are ignored. Throws Error when
/// one belongs to a layer beyond those of the config.
void ignore_tensors(Checkpoint& checkpoint, const std::vector<std::string>& names);

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

/// Whether a small tensor holds nothing but zeros.
[[nodiscard]] bool all_zero(const TensorView& tensor);

/// Whether two tensors hold the same values; both of the same shape.
[[nodiscard]] bool equal_values(const TensorView& a, const TensorView& b);

}  // namespace whisper_s4y
