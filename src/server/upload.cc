#include "server/upload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

ApiError no_room(int reason) {
  return {507, fmt::format("The server has no room for the upload: {}.", std::strerror(reason))};
}

std::filesystem::path usual_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

// A file without a name is gone with the process, however that ends.
int open_unnamed(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor;
  std::string name = (folder / "whisper-s4y-upload-XXXXXX").string();  // no O_TMPFILE there
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

void write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw no_room(errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

}  // namespace

Upload::Upload(std::filesystem::path folder)
    : folder_(folder.empty() ? usual_folder() : std::move(folder)) {}

Upload::~Upload() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Upload::append(std::span<const std::byte> bytes) {
  if (descriptor_ < 0 && memory_.size() + bytes.size() > kMostInMemory) move_to_file();
  if (descriptor_ >= 0) {
    write_all(descriptor_, bytes);
  } else {
    memory_.insert(memory_.end(), bytes.begin(), bytes.end());
  }
  size_ += static_cast<int64_t>(bytes.size());
}

void Upload::move_to_file() {
  descriptor_ = open_unnamed(folder_);
  if (descriptor_ < 0) throw no_room(errno);
  write_all(descriptor_, memory_);
  memory_ = {};
}

size_t Upload::read(int64_t position, Span<std::byte> bytes) {
  if (position >= size_) return 0;
  if (descriptor_ < 0) {
    const auto rest = std::span(memory_).subspan(static_cast<size_t>(position));
    const size_t count = std::min(rest.size(), bytes.size());
    std::copy_n(rest.begin(), count, bytes.data());
    return count;
  }
  for (;;) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) throw std::system_error(errno, std::generic_category());
  }
}

}  // namespace whisper_s4y::server
