// Checkpoints of a few kilobytes with random weights, for tests of readers and writers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "support/files.h"

namespace whisper_s4y {

struct TinyOptions {
  /// The vocabulary of 51865 tokens instead of one of some 1800: .pt files know no other.
  bool standard_vocabulary = false;
  StorageType type = StorageType::f16;  // f16, bf16 or f32
  int d_model = 8;
  uint32_t seed = 1;
  std::vector<std::string> more_tokens = {};  // added behind the timestamps, none of them special
};

/// A whole checkpoint in memory: 2 encoder layers, 1 decoder layer, 2 heads, 80 mel bins.
[[nodiscard]] Checkpoint tiny_checkpoint(const TinyOptions& options = {});

/// Little-endian bytes of a number.
template <typename Number>
[[nodiscard]] std::string bytes_of(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

/// The stored bytes of a tensor.
[[nodiscard]] inline std::string bytes_of(const TensorView& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

/// All values as float32.
[[nodiscard]] std::vector<float> values_of(const TensorView& tensor);

/// Fails the test unless both hold the same model: ModelInfo but for the name, and all values.
void expect_same_model(const Checkpoint& actual, const Checkpoint& expected);

/// A way to spoil a file, and what the message must say.
struct Damage {
  std::string name;
  std::function<void(std::string&)> apply;
  std::string expected;
};

/// Writes each damaged form of `path`, opens `checkpoint` (a file or folder) and expects one
/// sentence with the text wanted. Restores the file.
void expect_damages_reported(const std::filesystem::path& path,
                             const std::filesystem::path& checkpoint,
                             const std::vector<Damage>& damages);

/// Cuts the file off in many places and flips bytes in its first `header` bytes: every result must
/// be an Error or, for flips, a checkpoint. Restores the file.
void expect_robust(const std::filesystem::path& path, const std::filesystem::path& checkpoint,
                   size_t header);

/// Replaces the one occurrence of `from`; fails the test when there is none.
void replace_once(std::string& bytes, std::string_view from, std::string_view to);
/// Overwrites bytes at `offset`.
void overwrite(std::string& bytes, size_t offset, std::string_view with);

}  // namespace whisper_s4y
