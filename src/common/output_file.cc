#include "common/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <system_error>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr size_t kPendingLimit = 1 << 20;
constexpr mode_t kPermissions = 07777;
constexpr int kMostLinks = 40;        // as many as Linux follows
constexpr int kMostNames = 100;       // tried until one is free
constexpr size_t kLongestStem = 200;  // of a temporary file's name, which may have 255 bytes

void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(ErrorCode::io, "Cannot write {}: {}.", path.string(), std::strerror(errno));
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

/// What a path means when symbolic links are followed; the last of them may point to nothing yet.
std::filesystem::path behind_links(const std::filesystem::path& path) {
  std::filesystem::path target = path;
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(target, error); ++links) {
    if (links == kMostLinks) {
      fail(ErrorCode::io, "Cannot write {}: more than {} symbolic links follow one another.",
           path.string(), kMostLinks);
    }
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error)
      fail(ErrorCode::io, "Cannot follow the link {}: {}.", target.string(), error.message());
    target = target.parent_path() / next;  // an absolute one replaces the folder
  }
  return target;
}

std::string random_letters() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::uniform_int_distribution<size_t> any(0, kLetters.size() - 1);
  std::string letters;
  for (int i = 0; i < 8; ++i) letters += kLetters[any(random)];
  return letters;
}

/// Some file systems have nothing to synchronise and say so; all else is a failure to store.
bool sync(int fd) {
  while (::fsync(fd) != 0) {
    if (errno == EINTR) continue;
    return errno == EINVAL || errno == ENOTSUP || errno == ENOSYS;
  }
  return true;
}

/// After a rename the folder has changed. The file is in place already, so this only hastens what
/// the system does by itself; a folder may be writable and not readable.
void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  sync(fd);
  ::close(fd);
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), target_(behind_links(path)) {
  pending_.reserve(kPendingLimit);  // throws before there is anything to clean up
  create();
}

OutputFile::OutputFile(int descriptor, const std::filesystem::path& path)
    : path_(path), fd_(descriptor) {}

OutputFile::~OutputFile() {
  if (temporary_.empty()) return;  // committed, or not ours
  if (fd_ >= 0) ::close(fd_);
  ::unlink(temporary_.c_str());
}

void OutputFile::refuse_folder(const std::filesystem::path& path) {
  std::error_code missing;  // then it is none
  if (std::filesystem::is_directory(path, missing)) {
    fail(ErrorCode::io, "Cannot write {}: it is a folder.", path.string());
  }
}

void OutputFile::create() {
  refuse_folder(path_);
  struct stat former {};
  const bool exists = ::stat(target_.c_str(), &former) == 0;
  if (target_.filename().empty()) {
    fail(ErrorCode::invalid_argument, "\"{}\" is not the name of a file to write.", path_.string());
  }
  // Renaming onto /dev/null or a pipe would replace it.
  if (exists && !S_ISREG(former.st_mode)) {
    fail(ErrorCode::io, "Cannot write {}: it is not a regular file.", path_.string());
  }
  const std::string stem = target_.filename().string().substr(0, kLongestStem);
  for (int names = 0; fd_ < 0; ++names) {
    std::string name = (target_.parent_path() / (stem + "." + random_letters())).string();
    unfinished_.emplace(name);
    // open() applies the process's umask; asking for the mask is to change it for all threads.
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    fd_ = ::open(name.c_str(), flags, exists ? S_IRUSR | S_IWUSR : 0666);
    if (fd_ >= 0) {
      temporary_ = std::move(name);
      break;
    }
    const int error = errno;
    unfinished_.reset();
    if (error != EINTR && (error != EEXIST || names >= kMostNames)) {
      fail(ErrorCode::io, "Cannot create {}: {}.", path_.string(), std::strerror(error));
    }
  }
  if (exists && ::fchmod(fd_, former.st_mode & kPermissions) != 0) {
    const int error = errno;
    ::close(fd_);
    ::unlink(temporary_.c_str());  // no destructor runs for an object that is not made
    fail(ErrorCode::io, "Cannot create {}: {}.", path_.string(), std::strerror(error));
  }
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
      fail(ErrorCode::io, "Cannot write {}: {}.", path_.string(), std::strerror(errno));
    }
    offset += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void OutputFile::flush() {
  write_all(fd_, pending_, path_);
  pending_.clear();
}

void OutputFile::commit(const Check& check) {
  flush();
  if (check) check(fd_);
  if (temporary_.empty()) return;  // not ours to close
  // A full disk or a quota may show only now, and after a crash the name must not stand for less
  // than the whole file.
  if (!sync(fd_)) fail(ErrorCode::io, "Cannot write {}: {}.", path_.string(), std::strerror(errno));
  const int fd = fd_;
  fd_ = -1;
  if (::close(fd) != 0)
    fail(ErrorCode::io, "Cannot write {}: {}.", path_.string(), std::strerror(errno));
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(ErrorCode::io, "Cannot rename {} to {}: {}.", temporary_, target_.string(),
         std::strerror(errno));
  }
  temporary_.clear();
  unfinished_.reset();
  sync_folder(target_.parent_path());
}

}  // namespace whisper_s4y
