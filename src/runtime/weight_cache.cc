#include "runtime/weight_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "common/content_hash.h"
#include "common/fail.h"
#include "common/output_file.h"

namespace whisper_s4y {
namespace {

// XNNPackCacheHeader in tflite/delegates/xnnpack/weight_cache.h; the packed weights begin at 128.
struct CacheHeader {
  uint64_t version;
  uint64_t buffer_list_offset;
  uint64_t buffer_list_size;
  uint8_t stale;
};
constexpr uint64_t kCacheVersion = 4;
constexpr size_t kFirstBuffer = 128;

// Ours, in the unused bytes between LiteRT's header and the first buffer.
struct Seal {
  std::array<char, 16> magic;
  uint64_t size;              // of the whole file
  std::array<char, 32> hash;  // ContentHash of the whole file with this seal as zeros
};
constexpr std::array<char, 16> kMagic = {'w', 'h', 'i', 's', 'p', 'e', 'r', '-',
                                         's', '4', 'y', ' ', 'c', 'a', 'c', '1'};
constexpr size_t kSealOffset = 64;
static_assert(sizeof(CacheHeader) <= kSealOffset && kSealOffset + sizeof(Seal) <= kFirstBuffer);

constexpr size_t kChunk = 1 << 20;
constexpr uint64_t kSpareDiskSpace = 64 << 20;

bool read_exactly(int descriptor, std::span<std::byte> out, uint64_t offset) {
  while (!out.empty()) {
    const ssize_t count = ::pread(descriptor, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    out = out.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return true;
}

uint64_t size_of_file(int descriptor) {
  struct stat info {};
  return ::fstat(descriptor, &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

/// Calls visit(part) for the whole file in order, with zeros in place of the seal. The file
/// is read, not mapped, so that it does not count as memory of this process. False when it cannot
/// be read.
template <typename Visit>
bool for_each_part(int descriptor, uint64_t size, Visit visit) {
  const auto chunk = std::make_unique_for_overwrite<std::byte[]>(kChunk);
  for (uint64_t offset = 0; offset < size; offset += kChunk) {
    const std::span part(chunk.get(), std::min<uint64_t>(kChunk, size - offset));
    if (!read_exactly(descriptor, part, offset)) return false;
    if (offset == 0) std::memset(part.data() + kSealOffset, 0, sizeof(Seal));
    visit(std::span<const std::byte>(part));
  }
  return true;
}

std::array<char, 32> digits_of(const ContentHash& hash) {
  const std::string digest = hash.digest();
  std::array<char, 32> digits{};
  std::copy_n(digest.begin(), digits.size(), digits.begin());
  return digits;
}

bool is_sealed(int descriptor) {
  const uint64_t size = size_of_file(descriptor);
  Seal seal{};
  if (size < kFirstBuffer ||
      !read_exactly(descriptor, std::as_writable_bytes(std::span(&seal, 1)), kSealOffset) ||
      seal.magic != kMagic || seal.size != size) {
    return false;
  }
  ContentHash hash;
  const bool read =
      for_each_part(descriptor, size, [&](std::span<const std::byte> part) { hash.update(part); });
  return read && digits_of(hash) == seal.hash;
}

/// Whether LiteRT finished packing and left the place of our seal unused.
bool is_complete(int descriptor) {
  std::array<std::byte, kFirstBuffer> start{};
  CacheHeader header{};
  if (!read_exactly(descriptor, start, 0)) return false;
  std::memcpy(&header, start.data(), sizeof(header));
  return header.version == kCacheVersion && header.stale == 0 && header.buffer_list_size > 0 &&
         header.buffer_list_offset + header.buffer_list_size == size_of_file(descriptor) &&
         std::all_of(start.begin() + sizeof(header), start.end(),
                     [](std::byte value) { return value == std::byte{0}; });
}

void write_sealed(int descriptor, const std::filesystem::path& path) {
  const uint64_t size = size_of_file(descriptor);
  OutputFile file(path);
  ContentHash hash;
  const bool read = for_each_part(descriptor, size, [&](std::span<const std::byte> part) {
    hash.update(part);
    file.write(part);
  });
  if (!read)
    fail(ErrorCode::runtime, "Cannot read back the packed weights: {}.", std::strerror(errno));
  const Seal seal{kMagic, size, digits_of(hash)};
  file.write_at(kSealOffset, std::as_bytes(std::span(&seal, 1)));
  file.commit();
}

}  // namespace

WeightCache::WeightCache(std::filesystem::path folder, std::string name, uint64_t model_bytes,
                         WarningCallback warn)
    : folder_(std::move(folder)), name_(std::move(name)), warn_(std::move(warn)) {
  found_ = !folder_.empty() && load(/*trusted=*/false);
  if (!found_) pack_into_memory(model_bytes);
}

WeightCache::~WeightCache() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

WeightCache::WeightCache(WeightCache&& other) noexcept { *this = std::move(other); }

WeightCache& WeightCache::operator=(WeightCache&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(name_, other.name_);
  std::swap(warn_, other.warn_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(found_, other.found_);
  std::swap(loaded_, other.loaded_);
  return *this;
}

bool WeightCache::load(bool trusted) {
  const std::filesystem::path path = folder_ / name_;
  // Read-only: LiteRT must not be able to change a file that other processes have mapped.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    if (errno != ENOENT) {
      warn(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
    }
    return false;
  }
  if (!trusted && !is_sealed(descriptor)) {
    ::close(descriptor);
    warn(fmt::format("{} is damaged and is made anew", path.string()));
    return false;
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = descriptor;
  loaded_ = true;
  return true;
}

void WeightCache::pack_into_memory(uint64_t model_bytes) {
  // LiteRT ends the process when it cannot write, and a limit on file sizes holds for memfds too.
  // Packed weights are at most four times as large as stored ones (int4, float16 -> float32).
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur / 8 < model_bytes) {
    warn(
        fmt::format("the limit of {} bytes on file sizes leaves no room; weights are packed once "
                    "per signature",
                    static_cast<uint64_t>(limit.rlim_cur)));
    return;
  }
  descriptor_ = ::memfd_create("whisper-s4y packed weights", MFD_CLOEXEC);
  if (descriptor_ < 0) {
    warn(fmt::format("no memory file: {}; weights are packed once per signature",
                     std::strerror(errno)));
  }
}

int WeightCache::duplicate_descriptor() const {
  return descriptor_ < 0 ? -1 : ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 3);
}

bool WeightCache::publish() {
  if (loaded_ || descriptor_ < 0 || folder_.empty()) return false;
  if (!is_complete(descriptor_)) {
    warn("LiteRT's packed weights have an unknown layout and are not kept");
    return false;
  }
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    warn(fmt::format("cannot create the folder {}: {}", folder_.string(), error.message()));
    return false;
  }
  const uint64_t size = size_of_file(descriptor_);
  const std::filesystem::space_info space = std::filesystem::space(folder_, error);
  if (!error && space.available < size + kSpareDiskSpace) {
    warn(fmt::format("{} has no room for {} MB of packed weights", folder_.string(), size >> 20));
    return false;
  }
  try {
    write_sealed(descriptor_, folder_ / name_);
  } catch (const Error& failure) {
    // A cache saves time only: without it the next run packs again.
    warn(failure.what());
    return false;
  }
  return load(/*trusted=*/true);
}

void WeightCache::warn(std::string_view what) const {
  if (what.ends_with('.')) what.remove_suffix(1);
  if (warn_) warn_(fmt::format("Weight cache: {}.", what));
}

std::filesystem::path default_cache_folder() {
  // XDG Base Directory Specification: a relative XDG_CACHE_HOME is invalid and ignored.
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/') {
    return std::filesystem::path(cache) / "whisper-s4y";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return std::filesystem::path(home) / ".cache" / "whisper-s4y";
  }
  return {};
}

}  // namespace whisper_s4y
