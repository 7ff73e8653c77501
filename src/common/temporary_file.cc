#include "common/temporary_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/fail.h"

namespace whisper_s4y {

TemporaryFile::TemporaryFile(const std::string& purpose) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  std::string name = (folder / ("whisper-s4y-" + purpose + ".XXXXXX")).string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0) {
    fail(ErrorCode::io, "Cannot create a temporary file in {}: {}.", folder.string(),
         std::strerror(errno));
  }
  ::close(fd);
  try {
    path_ = name;
    unfinished_.emplace(name);
  } catch (...) {
    ::unlink(name.c_str());  // no destructor runs for an object that is not made
    throw;
  }
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;  // a file left in the temporary folder harms nothing
  std::filesystem::remove(path_, ignored);
}

}  // namespace whisper_s4y
