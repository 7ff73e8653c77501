#include "audio/byte_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr int kBuffer = 1 << 15;
constexpr size_t kHead = 4096;  // bytes of a pipe that stay to be looked at

struct stat checked_stat(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    fail(ErrorCode::io, "Cannot read {}: {}.", path.string(), std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) fail(ErrorCode::io, "Cannot read {}: it is a folder.", path.string());
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    fail(ErrorCode::io, "Cannot read {}: it is neither a file nor a pipe.", path.string());
  }
  return info;
}

}  // namespace

void ByteStream::IoFreer::operator()(AVIOContext* io) const {
  av_freep(&io->buffer);
  avio_context_free(&io);
}

ByteStream::ByteStream(const std::filesystem::path& path)
    : name_(path == "-" ? "standard input" : path.string()),
      file_name_(path == "-" ? "" : path.filename().string()) {
  open_descriptor(path);
  try {
    make_io();
  } catch (...) {
    if (owned_) ::close(descriptor_);
    throw;
  }
}

ByteStream::ByteStream(std::span<const std::byte> file, std::string_view name)
    : name_(name),
      file_name_(name),
      memory_(file),
      seekable_(true),
      size_(static_cast<int64_t>(file.size())) {
  if (file.empty()) fail(ErrorCode::io, "Cannot read {}: the file is empty.", name_);
  make_io();
}

ByteStream::~ByteStream() {
  io_.reset();
  if (owned_) ::close(descriptor_);
}

void ByteStream::open_descriptor(const std::filesystem::path& path) {
  struct stat info {};
  if (path == "-") {
    descriptor_ = STDIN_FILENO;
    if (::isatty(descriptor_) != 0) {
      fail(ErrorCode::io,
           "Cannot read audio from standard input: it is a terminal, not a file or a pipe.");
    }
    if (::fstat(descriptor_, &info) != 0) {
      fail(ErrorCode::io, "Cannot read standard input: {}.", std::strerror(errno));
    }
  } else {
    info = checked_stat(path);
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail(ErrorCode::io, "Cannot read {}: {}.", name_, std::strerror(errno));
    owned_ = true;
  }
  // A redirected file can be sought, which formats with the index at the end need.
  seekable_ = S_ISREG(info.st_mode);
  if (!seekable_) return;
  if (!owned_) origin_ = std::max<int64_t>(0, ::lseek(descriptor_, 0, SEEK_CUR));
  size_ = info.st_size - origin_;
  if (size_ <= 0) {
    if (owned_) ::close(descriptor_);
    owned_ = false;
    fail(ErrorCode::io, "Cannot read {}: the file is empty.", name_);
  }
}

void ByteStream::make_io() {
  auto* buffer = static_cast<unsigned char*>(allocated(av_malloc(kBuffer)));
  io_.reset(avio_alloc_context(buffer, kBuffer, 0, this, &ByteStream::read, nullptr,
                               seekable_ ? &ByteStream::seek : nullptr));
  if (io_ == nullptr) {
    av_free(buffer);
    throw std::bad_alloc();
  }
  io_->seekable = seekable_ ? AVIO_SEEKABLE_NORMAL : 0;
}

void ByteStream::rewind() {
  io_.reset();
  position_ = 0;
  make_io();
}

std::vector<uint8_t> ByteStream::peek(int64_t offset, size_t count) const {
  if (!seekable_) {
    const auto from = std::min(static_cast<size_t>(offset), head_.size());
    const auto to = std::min(from + count, head_.size());
    return {head_.begin() + static_cast<ptrdiff_t>(from),
            head_.begin() + static_cast<ptrdiff_t>(to)};
  }
  if (offset < 0 || offset >= size_) return {};
  std::vector<uint8_t> bytes(
      static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(count), size_ - offset)));
  if (descriptor_ < 0) {
    std::memcpy(bytes.data(), memory_.data() + offset, bytes.size());
    return bytes;
  }
  const ssize_t got =
      ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(origin_ + offset));
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

int ByteStream::read(void* self, uint8_t* out, int size) {
  auto& stream = *static_cast<ByteStream*>(self);
  if (stream.descriptor_ < 0) {
    const auto left = stream.size_ - stream.position_;
    const auto count = std::min<int64_t>(size, left);
    if (count <= 0) return AVERROR_EOF;
    std::memcpy(out, stream.memory_.data() + stream.position_, static_cast<size_t>(count));
    stream.position_ += count;
    return static_cast<int>(count);
  }
  for (;;) {
    const ssize_t got = stream.seekable_
                            ? ::pread(stream.descriptor_, out, static_cast<size_t>(size),
                                      static_cast<off_t>(stream.origin_ + stream.position_))
                            : ::read(stream.descriptor_, out, static_cast<size_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return AVERROR(errno);
    if (got == 0) return AVERROR_EOF;
    stream.position_ += got;
    if (!stream.seekable_ && stream.head_.size() < kHead) {
      const auto kept = std::min(static_cast<size_t>(got), kHead - stream.head_.size());
      stream.head_.insert(stream.head_.end(), out, out + kept);
    }
    return static_cast<int>(got);
  }
}

int64_t ByteStream::seek(void* self, int64_t offset, int whence) {
  auto& stream = *static_cast<ByteStream*>(self);
  int64_t base = 0;
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return stream.size_;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      base = stream.position_;
      break;
    case SEEK_END:
      base = stream.size_;
      break;
    default:
      return AVERROR(EINVAL);
  }
  int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target)) return AVERROR(EINVAL);
  if (target < 0 || target > stream.size_) return AVERROR(EINVAL);
  stream.position_ = target;
  return target;
}

}  // namespace whisper_s4y
