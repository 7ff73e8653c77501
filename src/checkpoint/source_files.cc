#include "checkpoint/source_files.h"

#include <sys/stat.h>

#include "checkpoint/side_file.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

// Side files may be read from its folder.
bool is_a_folder(const Checkpoint& checkpoint) {
  return checkpoint.format == "safetensors" || checkpoint.format == "pytorch" ||
         checkpoint.format == "ctranslate2";
}

}  // namespace

SourceFiles::SourceFiles(const Checkpoint& checkpoint) {
  add(checkpoint.path);
  for (const auto& [name, tensor] : checkpoint.tensors) add_weights(tensor);
  if (is_a_folder(checkpoint)) add_folder(folder_of(checkpoint.path));
}

std::optional<fs::path> SourceFiles::find(const fs::path& file) const {
  const auto identity = identity_of(file);
  if (!identity) return std::nullopt;
  const auto found = files_.find(*identity);
  return found == files_.end() ? std::nullopt : std::optional(found->second);
}

// Only of regular files, nothing for what is not there.
std::optional<SourceFiles::Identity> SourceFiles::identity_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return Identity(status.st_dev, status.st_ino);
}

void SourceFiles::add(const fs::path& file) {
  if (const auto identity = identity_of(file)) files_.emplace(*identity, file);
}

void SourceFiles::add_weights(const TensorView& tensor) {
  if (tensor.file != nullptr) add(tensor.file->path());
  for (const TensorView& part : tensor.parts) add_weights(part);
}

void SourceFiles::add_folder(const fs::path& folder) {
  std::error_code unreadable;  // then there is nothing in it that could have been read by its name
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, unreadable)) {
    if (entry.path().extension() != ".tflite") add(entry.path());
  }
}

}  // namespace whisper_s4y
