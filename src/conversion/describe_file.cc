#include "common/boundary.h"
#include "common/mapped_file.h"
#include "conversion/describe.h"
#include "formats/open_checkpoint.h"
#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {

FileContent content_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) return FileContent::checkpoint;
  if (is_tflite(MappedFile(path).bytes())) return FileContent::tflite;
  return is_recording(path) ? FileContent::recording : FileContent::checkpoint;
}

std::string to_text(const Json& description) {
  return description.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string describe_file(const std::filesystem::path& path) {
  return with_errors([&] {
    switch (content_of(path)) {
      case FileContent::tflite:
        return to_text(describe_tflite(TfliteFile(path)));
      case FileContent::recording:
        return to_text(describe_audio(path, inspect_audio(path)));
      case FileContent::checkpoint:
        break;
    }
    return to_text(describe_checkpoint(*open_checkpoint(path)));
  });
}

}  // namespace whisper_s4y
