#include "audio/byte_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "common/boundary.h"
#include "common/fail.h"
#include "common/named_path.h"

namespace whisper_s4y {
namespace {

constexpr int kBuffer = 1 << 15;
constexpr size_t kHead = 4096;  // bytes of a pipe that stay to be looked at

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::optional<int64_t> size() const override {
    return static_cast<int64_t>(bytes_.size());
  }
  size_t read(int64_t position, Span<std::byte> out) override {
    const auto rest = bytes_.subspan(std::min(static_cast<size_t>(position), bytes_.size()));
    const size_t count = std::min(rest.size(), out.size());
    std::copy_n(rest.begin(), count, out.data());
    return count;
  }

 private:
  std::span<const std::byte> bytes_;
};

class DescriptorSource : public ByteSource {
 public:
  /// A file is read from where the descriptor stands.
  DescriptorSource(int descriptor, bool owned) : descriptor_(descriptor), owned_(owned) {
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) {
      const std::error_code reason(errno, std::generic_category());
      close();
      throw std::system_error(reason);
    }
    // A redirected file can be sought, which formats with the index at the end need.
    if (!S_ISREG(info.st_mode)) return;
    if (!owned) origin_ = std::max<int64_t>(0, ::lseek(descriptor, 0, SEEK_CUR));
    size_ = std::max<int64_t>(0, info.st_size - origin_);
  }
  ~DescriptorSource() override { close(); }
  DescriptorSource(const DescriptorSource&) = delete;
  DescriptorSource& operator=(const DescriptorSource&) = delete;

  [[nodiscard]] std::optional<int64_t> size() const override { return size_; }
  size_t read(int64_t position, Span<std::byte> out) override {
    for (;;) {
      const ssize_t got = size_ ? ::pread(descriptor_, out.data(), out.size(),
                                          static_cast<off_t>(origin_ + position))
                                : ::read(descriptor_, out.data(), out.size());
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) throw std::system_error(errno, std::generic_category());
    }
  }

 private:
  void close() const {
    if (owned_) ::close(descriptor_);
  }

  int descriptor_;
  bool owned_;
  int64_t origin_ = 0;           // where the file begins for us
  std::optional<int64_t> size_;  // of a file
};

std::shared_ptr<ByteSource> standard_input() {
  if (::isatty(STDIN_FILENO) != 0) {
    fail(ErrorCode::io,
         "Cannot read audio from standard input: it is a terminal, not a file or a pipe.");
  }
  try {
    return std::make_shared<DescriptorSource>(STDIN_FILENO, /*owned=*/false);
  } catch (const std::system_error& error) {
    fail(ErrorCode::io, "Cannot read standard input: {}.", std::strerror(error.code().value()));
  }
}

std::shared_ptr<ByteSource> opened(const std::filesystem::path& path) {
  if (path == "-") return standard_input();
  struct stat info {};
  if (::stat(named(path).c_str(), &info) != 0) {
    fail(ErrorCode::io, "Cannot read {}: {}.", path.string(), std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) fail(ErrorCode::io, "Cannot read {}: it is a folder.", path.string());
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    fail(ErrorCode::io, "Cannot read {}: it is neither a file nor a pipe.", path.string());
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    fail(ErrorCode::io, "Cannot read {}: {}.", path.string(), std::strerror(errno));
  }
  try {
    return std::make_shared<DescriptorSource>(descriptor, /*owned=*/true);
  } catch (const std::system_error& error) {
    fail(ErrorCode::io, "Cannot read {}: {}.", path.string(), std::strerror(error.code().value()));
  }
}

}  // namespace

void ByteStream::IoFreer::operator()(AVIOContext* io) const {
  av_freep(&io->buffer);
  avio_context_free(&io);
}

ByteStream::ByteStream(const std::filesystem::path& path)
    : name_(path == "-" ? "standard input" : path.string()),
      file_name_(path == "-" ? "" : path.filename().string()),
      source_(opened(path)) {
  measure();
}

ByteStream::ByteStream(std::span<const std::byte> file, std::string_view name)
    : ByteStream(std::make_shared<MemorySource>(file), name) {}

ByteStream::ByteStream(std::shared_ptr<ByteSource> file, std::string_view name)
    : name_(name), file_name_(name), source_(std::move(file)) {
  measure();
}

void ByteStream::measure() {
  const std::optional<int64_t> size = source_->size();
  seekable_ = size.has_value();
  size_ = size.value_or(0);
  if (seekable_ && size_ <= 0) {
    fail("Cannot read {}: the file is empty.", name_);
  }
  make_io();
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

void ByteStream::rethrow() const {
  if (failure_) throw CallbackFailure{failure_};
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
  try {
    const Span<std::byte> out(reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
    bytes.resize(source_->read(offset, out));
  } catch (const std::system_error&) {
    bytes.clear();  // who reads the file learns why
  }
  return bytes;
}

int ByteStream::read(void* self, uint8_t* out, int size) {
  auto& stream = *static_cast<ByteStream*>(self);
  size_t got = 0;
  try {
    const Span<std::byte> bytes(reinterpret_cast<std::byte*>(out), static_cast<size_t>(size));
    got = stream.failure_ ? 0 : stream.source_->read(stream.position_, bytes);
  } catch (const std::system_error& error) {
    return AVERROR(error.code().value());
  } catch (...) {  // thrown again by rethrow(): it must not cross FFmpeg
    stream.failure_ = std::current_exception();
  }
  if (got == 0) return AVERROR_EOF;
  stream.position_ += static_cast<int64_t>(got);
  if (!stream.seekable_ && stream.head_.size() < kHead) {
    const auto kept = std::min(got, kHead - stream.head_.size());
    stream.head_.insert(stream.head_.end(), out, out + kept);
  }
  return static_cast<int>(got);
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
