#include "checkpoint/text_file.h"

#include "common/fail.h"
#include "common/file_kind.h"

namespace whisper_s4y {

TextFile::TextFile(const std::filesystem::path& path, uint64_t limit) : file_(path) {
  if (file_.bytes().size() > limit) {
    fail("{} has {} bytes, more than the {} such a file may have.", path.string(),
         file_.bytes().size(), limit);
  }
  if (kind_of(file_.bytes()) == FileKind::json) return;
  if (const auto meaning = what_else(file_.bytes()); !meaning.empty()) {
    fail("{} {}.", path.string(), meaning);
  }
}

std::string_view TextFile::text() const {
  return {reinterpret_cast<const char*>(file_.bytes().data()), file_.bytes().size()};
}

}  // namespace whisper_s4y
