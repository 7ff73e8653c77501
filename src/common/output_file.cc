#include "common/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

constexpr size_t kPendingLimit = 1 << 20;

void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("Cannot write {}: {}.", path.string(), std::strerror(errno));
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path) : path_(path) {
  // Past RLIMIT_FSIZE a write must fail with EFBIG, not kill the process.
  std::signal(SIGXFSZ, SIG_IGN);
  if (std::filesystem::is_directory(path)) fail("Cannot write {}: it is a folder.", path.string());
  // Renaming onto /dev/null or a pipe would replace it.
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) {
    fail("Cannot write {}: it is not a regular file.", path.string());
  }
  temporary_ = path.string() + ".XXXXXX";
  fd_ = ::mkstemp(temporary_.data());
  if (fd_ < 0) {
    const int error = errno;
    temporary_.clear();
    fail("Cannot create {}: {}.", path.string(), std::strerror(error));
  }
  unfinished_.emplace(temporary_);
  // mkstemp creates private files; the result gets the permissions any new file would get.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd_, 0666 & ~mask) != 0) {
    const int error = errno;
    ::close(fd_);
    ::unlink(temporary_.c_str());
    fail("Cannot create {}: {}.", path.string(), std::strerror(error));
  }
  pending_.reserve(kPendingLimit);
}

OutputFile::OutputFile(int descriptor, const std::filesystem::path& path)
    : path_(path), fd_(descriptor) {}

OutputFile::~OutputFile() {
  if (temporary_.empty()) return;  // committed, or not ours
  if (fd_ >= 0) ::close(fd_);
  ::unlink(temporary_.c_str());
}

void OutputFile::write(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  if (pending_.size() + bytes.size() > kPendingLimit) flush();
  if (bytes.size() >= kPendingLimit) {
    write_all(fd_, bytes, path_);
  } else {
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  }
}

void OutputFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void OutputFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  flush();
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("Cannot write {}: {}.", path_.string(), std::strerror(errno));
    }
    offset += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void OutputFile::flush() {
  write_all(fd_, pending_, path_);
  pending_.clear();
}

void OutputFile::commit() {
  flush();
  if (temporary_.empty()) return;  // not ours to close
  const int fd = fd_;
  fd_ = -1;
  // close() reports what a network or quota file system could not store.
  if (::close(fd) != 0) fail("Cannot write {}: {}.", path_.string(), std::strerror(errno));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail("Cannot rename {} to {}: {}.", temporary_, path_.string(), std::strerror(errno));
  }
  temporary_.clear();
  unfinished_.reset();
}

}  // namespace whisper_s4y
