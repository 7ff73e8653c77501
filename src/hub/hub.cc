#include "hub/hub.h"

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "common/ascii.h"
#include "common/fail.h"
#include "common/output_file.h"
#include "hub/hf_cache.h"
#include "hub/repository.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// As huggingface_hub reads its switches.
bool is_true(const std::string& value) {
  const std::string small = lower_case(value);
  return small == "1" || small == "on" || small == "yes" || small == "true";
}

/// Endpoint without a slash at its end; anything but http(s) is a mistake of the user's.
std::string checked_endpoint(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.starts_with("https://") && !endpoint.starts_with("http://")) {
    fail(ErrorCode::invalid_argument,
         "The hub's address '{}' (HF_ENDPOINT) must begin with https:// or http://.", endpoint);
  }
  return endpoint;
}

void check_revision(const std::string& revision) {
  for (const unsigned char c : revision) {
    if (std::isalnum(c) == 0 && c != '.' && c != '_' && c != '-') {
      fail(ErrorCode::invalid_argument,
           "'{}' is not the name of a revision: expected a branch, a tag or a commit.", revision);
    }
  }
  if (revision.empty() || revision.starts_with('.')) {
    fail(ErrorCode::invalid_argument,
         "'{}' is not the name of a revision: expected a branch, a tag or a commit.", revision);
  }
}

DownloadOptions download_options(const HubOptions& options) {
  return {.bearer_token = options.token,
          .retries = options.retries,
          .retry_delay = options.retry_delay,
          .stall_timeout = options.stall_timeout,
          .progress = nullptr,
          .notice = options.notice,
          .cancelled = options.cancelled};
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    fail(ErrorCode::io, "Cannot create the folder {}: {}.", folder.string(), error.message());
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorCode::io, "Cannot read {}.", path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path cache_folder() {
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) {
    return fs::path(cache) / "whisper-s4y" / "hub";
  }
  const std::string home = environment("HOME");
  if (home.empty())
    fail(ErrorCode::io, "There is no cache folder: neither XDG_CACHE_HOME nor HOME is set.");
  return fs::path(home) / ".cache" / "whisper-s4y" / "hub";
}

/// A model's place in the cache. Mirrors may have other files under the same name, so endpoints
/// other than the usual one are part of it, with %XX for what could lead elsewhere.
fs::path cache_entry(const std::string& repository, const HubOptions& options) {
  std::string entry = repository;
  entry.replace(entry.find('/'), 1, "--");
  if (options.revision != "main") entry += "@" + options.revision;
  const std::string endpoint = checked_endpoint(options.endpoint);
  if (endpoint == HubOptions().endpoint) return entry;
  std::string place;
  for (const unsigned char c : endpoint) {
    const bool plain = std::isalnum(c) != 0 || c == '-' || (c == '.' && !place.empty());
    place += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return fs::path(place) / entry;
}

}  // namespace

HubOptions hub_options_from_environment() {
  HubOptions options;
  if (const std::string endpoint = environment("HF_ENDPOINT"); !endpoint.empty()) {
    options.endpoint = endpoint;
  }
  options.token = environment("HF_TOKEN");
  options.offline = is_true(environment("HF_HUB_OFFLINE"));
  options.hf_cache = hf_cache_from_environment();
  return options;
}

void pull(std::string_view name, const fs::path& folder, const HubOptions& options) {
  const std::string repository = repository_of(name);
  const std::string endpoint = checked_endpoint(options.endpoint);
  check_revision(options.revision);
  if (options.offline) {
    fail(ErrorCode::network, "Cannot download {}: HF_HUB_OFFLINE is set, so no connection is made.",
         repository);
  }
  HttpClient client;
  const DownloadOptions plain = download_options(options);
  const std::string listing_url = fmt::format("{}/api/models/{}/revision/{}?blobs=true", endpoint,
                                              repository, options.revision);
  const std::vector<RemoteFile> listing =
      parse_listing(download_text(client, listing_url, plain), listing_url);
  const std::vector<RemoteFile> files = select_files(listing, repository);

  make_folder(folder);
  const auto fetch = [&](const RemoteFile& file) {
    DownloadOptions download = plain;
    if (options.progress) {
      download.progress = [&](uint64_t done, uint64_t total) {
        options.progress(file.name, done, total);
      };
    }
    const std::string url =
        fmt::format("{}/{}/resolve/{}/{}", endpoint, repository, options.revision, file.name);
    download_file(client, url, folder / file.name,
                  {.size = file.size, .sha256 = file.sha256, .blob_id = file.blob_id}, download);
  };
  for (const RemoteFile& file : files) fetch(file);
  if (files.back().name == kShardIndex) {
    const std::string index = read_text(folder / kShardIndex);
    for (const RemoteFile& shard : shards_of(index, listing, std::string(kShardIndex))) {
      fetch(shard);
    }
  }
}

fs::path resolve_checkpoint(const std::string& name_or_path, const HubOptions& options) {
  std::error_code error;  // of a name that is no path
  if (fs::exists(name_or_path, error)) return name_or_path;
  if (!is_repository_name(name_or_path)) {
    fail(ErrorCode::not_found,
         "{} does not exist, and it is not the name of a model on the hub either.", name_or_path);
  }
  const std::string repository = repository_of(name_or_path);
  check_revision(options.revision);
  fs::path folder = cache_folder() / cache_entry(repository, options);
  // The mark is written last, so a folder that has it needs no network.
  const fs::path mark = folder / ".complete";
  if (fs::exists(mark)) return folder;
  if (!options.hf_cache.empty()) {
    if (const auto found = find_in_hf_cache(options.hf_cache, repository, options.revision)) {
      if (options.notice) options.notice(fmt::format("using {}", found->string()));
      return *found;
    }
  }
  if (options.offline) {
    fail(ErrorCode::network,
         "{} is neither in {} nor in the cache of huggingface_hub{}, and HF_HUB_OFFLINE is set.",
         repository, cache_folder().string(),
         options.hf_cache.empty() ? "" : fmt::format(", {}", options.hf_cache.string()));
  }
  pull(name_or_path, folder, options);
  OutputFile(mark).commit();
  return folder;
}

}  // namespace whisper_s4y
