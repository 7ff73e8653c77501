#include "common/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/fail.h"
#include "common/named_path.h"

namespace whisper_s4y {

namespace {

/// A descriptor that is open while it lives.
struct OpenFile {
  explicit OpenFile(const std::filesystem::path& path)
      // O_NONBLOCK: opening a pipe by mistake must not hang; regular files ignore it.
      : descriptor(::open(named(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor < 0)
      fail(ErrorCode::io, "Cannot open {}: {}.", path.string(), std::strerror(errno));
  }
  ~OpenFile() { ::close(descriptor); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor;
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path)
    : MappedFile(OpenFile(path).descriptor, path) {}

MappedFile::MappedFile(int descriptor, const std::filesystem::path& path) : path_(path) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    fail(ErrorCode::io, "{} is not a regular file.", path.string());
  }
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED)
    fail(ErrorCode::io, "Cannot map {}: {}.", path.string(), std::strerror(errno));
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::MappedFile(std::span<const std::byte> bytes, std::string_view name)
    : path_(name), size_(bytes.size()), is_copy_(true) {
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    fail(ErrorCode::out_of_memory, "There is not enough memory for the {} bytes of {}.", size_,
         name);
  }
  std::memcpy(data, bytes.data(), size_);
  ::mprotect(data, size_, PROT_READ);  // a safeguard: nobody writes there
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  if (part.empty() || is_copy_) return;
  // Only pages that lie wholly inside the part: the rest may be in use by its neighbours.
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(part.data()) + part.size()) / page * page;
  // Advice only: a refusal costs memory, never correctness.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace whisper_s4y
