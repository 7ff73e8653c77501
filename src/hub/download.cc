#include "hub/download.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <thread>

#include "common/ascii.h"
#include "common/fail.h"
#include "common/output_file.h"
#include "hub/file_hash.h"

namespace whisper_s4y {
namespace {

constexpr size_t kTextLimit = size_t{64} << 20;
constexpr std::chrono::seconds kLongestBackoff{60};
constexpr std::chrono::seconds kLongestWait{300};  // that a server may ask for
constexpr std::chrono::milliseconds kLongestNap{50};

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The SHA-256 a hub names for files in its large-file storage; for others an ETag is something
/// else and no hash of the content.
std::string hash_in(const HttpResponse& response) {
  for (const char* name : {"x-linked-etag", "etag"}) {
    std::string value = response.header(name);
    std::erase(value, '"');
    if (value.size() == 64 && std::all_of(value.begin(), value.end(),
                                          [](unsigned char c) { return std::isxdigit(c) != 0; })) {
      return lower_case(value);
    }
  }
  return {};
}

[[noreturn]] void refuse(const std::string& url, const HttpResponse& response, bool had_token) {
  if (!response.problem.empty())
    fail(ErrorCode::network, "Cannot download {}: {}.", url, response.problem);
  switch (response.status) {
    case 401:
      if (had_token)
        fail(ErrorCode::network,
             "Cannot download {}: the server does not accept the token in HF_TOKEN.", url);
      fail(ErrorCode::network,
           "Cannot download {}: there is no such model, or it is private and needs a token in "
           "HF_TOKEN.",
           url);
    case 403:
      fail(ErrorCode::network,
           "Cannot download {}: access is not granted; accept the model's terms on its web page "
           "and give a token in HF_TOKEN.",
           url);
    case 404:
      fail(ErrorCode::not_found, "Cannot download {}: the server has no such file (404).", url);
    default:
      fail(ErrorCode::network, "Cannot download {}: the server answered {}.", url, response.status);
  }
}

/// The hash that is known of a file, in small letters; empty when none is.
std::string hash_of(const ExpectedFile& expected) {
  return lower_case(expected.sha256.empty() ? expected.blob_id : expected.sha256);
}

/// Counts failures in a row and sleeps between them.
class Retries {
 public:
  Retries(const std::string& url, const DownloadOptions& options) : url_(url), options_(options) {}
  void succeeded_partly() { failures_ = 0; }
  /// Waits before the next attempt, or throws when the response leaves no hope for one.
  void wait_after(const HttpResponse& response) {
    if (!response.transient || failures_ >= options_.retries) {
      refuse(url_, response, !options_.bearer_token.empty());
    }
    if (response.retry_after > kLongestWait) {
      fail(ErrorCode::network,
           "Cannot download {}: the server answered {} and asks to wait {} s; try again then.",
           url_, response.status, response.retry_after.count());
    }
    const std::chrono::milliseconds backoff = std::min<std::chrono::milliseconds>(
        options_.retry_delay * (1 << std::min(failures_, 10)), kLongestBackoff);
    const std::chrono::milliseconds asked = response.retry_after;
    const auto wait = std::max(backoff, asked);
    if (options_.notice && wait >= std::chrono::seconds(1)) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
      options_.notice(asked >= backoff
                          ? fmt::format("the hub asks to wait {} s ({})", seconds, response.problem)
                          : fmt::format("trying again in {} s: {}", seconds, response.problem));
    }
    sleep(wait);
    ++failures_;
  }

 private:
  /// In short pieces, so that it can be cancelled.
  void sleep(std::chrono::milliseconds wait) const {
    const auto end = std::chrono::steady_clock::now() + wait;
    for (auto now = std::chrono::steady_clock::now(); now < end;
         now = std::chrono::steady_clock::now()) {
      if (options_.cancelled && options_.cancelled()) {
        fail(ErrorCode::cancelled, "The download of {} was cancelled.", url_);
      }
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(end - now, kLongestNap));
    }
  }

  const std::string& url_;
  const DownloadOptions& options_;
  int failures_ = 0;
};

/// What a part is the beginning of: the ETag of the response and the hash of the file, each empty
/// when not known.
struct Origin {
  std::string etag, hash;
};

/// The growing PATH.part, locked against a second download of the same file.
class PartFile {
 public:
  explicit PartFile(const std::filesystem::path& path) : path_(path.string() + ".part") {
    // Until the lock is had, the one who had it may have given the file its name or removed it;
    // then the lock is one of a file that is no part any more.
    while (!open_and_lock()) {
    }
  }
  ~PartFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (written < 0) {
        if (errno == EINTR) continue;
        fail(ErrorCode::io, "Cannot write {}: {}.", path_, std::strerror(errno));
      }
      size_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  void clear() {
    if (::ftruncate(fd_, 0) != 0)
      fail(ErrorCode::io, "Cannot write {}: {}.", path_, std::strerror(errno));
    size_ = 0;
  }
  /// Of a part that an earlier call has begun.
  [[nodiscard]] Origin origin() const {
    Origin origin;
    std::ifstream file(origin_path());
    std::getline(file, origin.etag);
    std::getline(file, origin.hash);
    return origin;
  }
  /// Begins anew, with what the first response says.
  void begin(const Origin& origin) {
    clear();
    OutputFile file(origin_path());
    file.write(fmt::format("{}\n{}\n", origin.etag, origin.hash));
    file.commit();
  }
  void remove() {
    std::filesystem::remove(origin_path());
    std::filesystem::remove(path_);
  }
  void rename_to(const std::filesystem::path& path) {
    std::filesystem::remove(origin_path());
    if (::rename(path_.c_str(), path.c_str()) != 0) {
      fail(ErrorCode::io, "Cannot rename {} to {}: {}.", path_, path.string(),
           std::strerror(errno));
    }
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0)
      fail(ErrorCode::io, "Cannot write {}: {}.", path.string(), std::strerror(errno));
  }

 private:
  [[nodiscard]] std::string origin_path() const { return path_ + ".from"; }

  /// False when the file that is open is not the one at path_ any more.
  bool open_and_lock() {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(ErrorCode::io, "Cannot write {}: {}.", path_, std::strerror(errno));
    struct stat info {};
    struct stat named {};
    const char* problem = nullptr;
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      problem = "another process is downloading it";
    } else if (::fstat(fd_, &info) != 0) {
      problem = std::strerror(errno);
    } else if (::stat(path_.c_str(), &named) == 0 && named.st_dev == info.st_dev &&
               named.st_ino == info.st_ino) {
      size_ = static_cast<uint64_t>(info.st_size);
      return true;
    }
    ::close(fd_);
    fd_ = -1;
    if (problem != nullptr) fail(ErrorCode::io, "Cannot write {}: {}.", path_, problem);
    return false;
  }

  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

/// Gathers the body in `part` until it is as long as the server says. Returns what is then known
/// of the file.
ExpectedFile receive(HttpClient& client, const std::string& url, PartFile& part,
                     ExpectedFile expected, const DownloadOptions& options) {
  Retries retries(url, options);
  std::string etag = part.size() > 0 ? part.origin().etag : std::string();
  while (true) {
    const uint64_t begin = part.size();
    bool first = true;
    const auto on_body = [&](const HttpResponse& response, std::string_view bytes) {
      if (first) {
        first = false;
        // 206 continues where we are; with 200 the server sends all of it again.
        if (response.status != 206 ||
            !response.header("content-range").starts_with(fmt::format("bytes {}-", part.size()))) {
          if (response.status == 206)
            fail(ErrorCode::network, "{} answered a range that was not asked for.", url);
          etag = response.etag;
          part.begin({.etag = etag, .hash = hash_of(expected)});
        }
        const auto length = number(response.header("content-length"));
        if (!expected.size && length) expected.size = part.size() + *length;
        if (expected.sha256.empty()) expected.sha256 = hash_in(response);
      }
      if (expected.size && part.size() + bytes.size() > *expected.size) {
        fail(ErrorCode::network, "{} is longer than the {} bytes it should have.", url,
             *expected.size);
      }
      part.append(bytes);
      if (options.progress) options.progress(part.size(), expected.size.value_or(0));
    };
    HttpResponse response = client.get({.url = url,
                                        .bearer_token = options.bearer_token,
                                        .range_begin = begin,
                                        .if_range = etag,
                                        .stall_timeout = options.stall_timeout,
                                        .cancelled = options.cancelled},
                                       on_body);
    if (response.ok()) {
      if (first) part.clear();  // an empty file has no body
      if (!expected.size || part.size() == *expected.size) return expected;
      response.problem =
          fmt::format("the server sent {} bytes instead of {}", part.size(), *expected.size);
      response.transient = true;
    }
    if (response.status == 416) {  // the part is no beginning of what the server has now
      part.clear();
      response.transient = begin > 0;
      response.problem = "the server refuses to continue the file";
    }
    if (part.size() > begin) retries.succeeded_partly();
    retries.wait_after(response);
  }
}

std::string found_hash(const std::filesystem::path& path, const ExpectedFile& expected) {
  return expected.sha256.empty() ? git_blob_id_of_file(path) : sha256_of_file(path);
}

bool has_right_hash(const std::filesystem::path& path, const ExpectedFile& expected) {
  const std::string hash = hash_of(expected);
  return hash.empty() || found_hash(path, expected) == hash;
}

bool is_right(const std::filesystem::path& path, const ExpectedFile& expected) {
  if (!std::filesystem::is_regular_file(path)) return false;
  if (!expected.size || std::filesystem::file_size(path) != *expected.size) return false;
  return has_right_hash(path, expected);
}

/// Whether what is there of the part can be continued: it must not be known to be of another file,
/// and it must show in the end, or to the server, if it is.
bool can_continue(const PartFile& part, const ExpectedFile& expected) {
  if (expected.size && part.size() > *expected.size) return false;
  const Origin origin = part.origin();
  const std::string hash = hash_of(expected);
  if (!hash.empty()) return origin.hash.empty() || origin.hash == hash;
  return !origin.etag.empty();
}

}  // namespace

void download_file(HttpClient& client, const std::string& url, const std::filesystem::path& path,
                   const ExpectedFile& expected, const DownloadOptions& options) {
  if (is_right(path, expected)) return;
  const bool was_there = std::filesystem::exists(path);
  PartFile part(path);
  if (!was_there && is_right(path, expected)) return part.remove();  // another process was faster
  if (!can_continue(part, expected)) part.clear();
  const bool resumed = part.size() > 0;
  ExpectedFile known = expected;
  // With everything here already only the hash is left to check.
  if (!expected.size || part.size() != *expected.size || part.size() == 0) {
    known = receive(client, url, part, expected, options);
  }
  if (resumed && !has_right_hash(part.path(), known)) {
    // The part may have been the beginning of another version.
    part.clear();
    known = receive(client, url, part, expected, options);
  }
  if (!has_right_hash(part.path(), known)) {
    const std::string found = found_hash(part.path(), known);
    part.remove();
    fail(ErrorCode::network, "{} arrived with {} {}, expected {}.", url,
         known.sha256.empty() ? "the Git blob id" : "SHA-256", found, hash_of(known));
  }
  part.rename_to(path);
}

std::string download_text(HttpClient& client, const std::string& url,
                          const DownloadOptions& options) {
  Retries retries(url, options);
  while (true) {
    std::string text;
    const HttpResponse response =
        client.get({.url = url,
                    .bearer_token = options.bearer_token,
                    .range_begin = 0,
                    .if_range = {},
                    .stall_timeout = options.stall_timeout,
                    .cancelled = options.cancelled},
                   [&](const HttpResponse&, std::string_view bytes) {
                     if (text.size() + bytes.size() > kTextLimit) {
                       fail(ErrorCode::network, "{} is larger than {} bytes.", url, kTextLimit);
                     }
                     text += bytes;
                   });
    if (response.ok()) return text;
    retries.wait_after(response);
  }
}

}  // namespace whisper_s4y
