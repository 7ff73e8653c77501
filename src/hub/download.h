// One file from a server to disk: resumed, retried, checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "hub/http_client.h"

namespace whisper_s4y {

struct DownloadOptions {
  std::string bearer_token;                     // sent to the url's own host only
  int retries = 5;                              // in a row without a single byte received
  std::chrono::milliseconds retry_delay{1000};  // before the first; doubles each time
  std::chrono::seconds stall_timeout{30};       // no byte for so long counts as a failure
  // Bytes here so far and in all (0 = unknown); called often. What it throws ends the download.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // Told before each wait of a second or more, "the hub asks to wait 12 s".
  std::function<void(const std::string& notice)> notice;
  std::function<bool()> cancelled;  // true: Error with ErrorCode::cancelled
};

/// What the file must be; unknown parts are taken from the server's answer.
struct ExpectedFile {
  std::optional<uint64_t> size;
  std::string sha256;   // 64 hex digits, or empty
  std::string blob_id;  // Git's id of the content, 40 hex digits, or empty; goes after sha256
};

/// Downloads `url` to `path`. Bytes gather in `path` + ".part", and the file gets its name when
/// size and hash are right. A later call continues the part if it can tell that the file is still
/// the same: by the ETag and the hash that are kept in `path` + ".part.from", or by the hash of the
/// whole. A file that is there and right is kept. A server's wish to wait is granted up to five
/// minutes. Throws Error naming `url` and, for a refusal, what the server answered.
void download_file(HttpClient& client, const std::string& url, const std::filesystem::path& path,
                   const ExpectedFile& expected, const DownloadOptions& options);

/// Downloads a small text (at most 64 MiB) into memory, with the same retries.
[[nodiscard]] std::string download_text(HttpClient& client, const std::string& url,
                                        const DownloadOptions& options);

}  // namespace whisper_s4y
