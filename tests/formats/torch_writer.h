// Files of torch.save put together from their parts, sound or not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Operations of a pickle (protocol 2), each leaving one value on the stack.
namespace pickle {
[[nodiscard]] std::string text(std::string_view value);
[[nodiscard]] std::string number(int64_t value);
[[nodiscard]] std::string tuple(const std::vector<std::string>& items);
[[nodiscard]] std::string dict(const std::vector<std::pair<std::string, std::string>>& items);
[[nodiscard]] std::string ordered_dict(
    const std::vector<std::pair<std::string, std::string>>& items);
[[nodiscard]] std::string global(std::string_view module, std::string_view name);
[[nodiscard]] std::string call(const std::string& function, const std::string& arguments);

/// ("storage", torch.CLASS, key, "cpu", elements) as a persistent id; `legacy` adds its sixth
/// field.
[[nodiscard]] std::string storage(std::string_view storage_class, std::string_view key,
                                  int64_t elements, bool legacy = false);
[[nodiscard]] std::string tensor(const std::string& storage, int64_t offset,
                                 const std::vector<int64_t>& shape,
                                 const std::vector<int64_t>& strides);
/// A whole pickle with one value.
[[nodiscard]] std::string document(const std::string& value);
}  // namespace pickle

struct ZipEntry {
  std::string name;
  std::string bytes;
  uint16_t method = 0;   // 0 = stored
  uint16_t flags = 0;    // 1 = encrypted
  uint32_t claimed = 0;  // size in the headers instead of the real one; 0 = the real one
};
[[nodiscard]] std::string zip_of(const std::vector<ZipEntry>& entries);

/// Tensors by name, each in a storage of its own; what the pickle says can be changed before the
/// file is made.
struct TorchParts {
  struct Tensor {
    std::string name;
    std::string storage_class;
    std::string bytes;
    int64_t offset = 0;
    std::vector<int64_t> shape, strides;
    int64_t stored = 0;  // elements of the storage
  };
  std::vector<Tensor> tensors;
  std::vector<std::pair<std::string, int64_t>> dims;  // OpenAI's; empty: a bare state dict

  /// All tensors of a checkpoint; with OpenAI's names and dims, or with `prefix` before HF's.
  static TorchParts openai(const Checkpoint& checkpoint);
  static TorchParts hugging_face(const Checkpoint& checkpoint, std::string_view prefix = "model.");

  /// The value of the pickle.
  [[nodiscard]] std::string pickle(bool legacy = false) const;
  [[nodiscard]] std::string zip() const;
  /// The form of torch before 1.6.
  [[nodiscard]] std::string legacy() const;
  [[nodiscard]] Tensor& find(std::string_view name);
};

}  // namespace whisper_s4y
