// The files that a checkpoint consists of, so that nothing is written over them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// The files that hold the weights; of a model that is a folder also what lies beside them but for
/// .tflite files. A file is the same under any name: behind symbolic links, as a hard link.
class SourceFiles {
 public:
  explicit SourceFiles(const Checkpoint& checkpoint);

  /// The name that the checkpoint knows this file by; nothing when it is none of these.
  [[nodiscard]] std::optional<std::filesystem::path> find(const std::filesystem::path& file) const;

 private:
  using Identity = std::pair<dev_t, ino_t>;
  static std::optional<Identity> identity_of(const std::filesystem::path& path);
  void add(const std::filesystem::path& file);
  void add_weights(const TensorView& tensor);
  void add_folder(const std::filesystem::path& folder);

  std::map<Identity, std::filesystem::path> files_;
};

}  // namespace whisper_s4y
