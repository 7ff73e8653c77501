#include "hub/hf_cache.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "hub/repository.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

// "~" and "~/..." stand for the home folder.
fs::path expanded(const std::string& path) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || (path != "~" && !path.starts_with("~/"))) return path;
  return home + path.substr(1);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Links to what is not there yet count as missing.
bool has(const fs::path& folder, std::string_view name) {
  std::error_code error;
  return fs::is_regular_file(folder / name, error);
}

bool has_all_shards(const fs::path& folder) {
  if (!has(folder, kShardIndex)) return false;
  try {
    const auto names = shard_names(text_of(folder / kShardIndex), kShardIndex);
    return std::ranges::all_of(names, [&](const std::string& name) { return has(folder, name); });
  } catch (const Error&) {
    return false;  // an index that cannot be read is no complete snapshot
  }
}

bool is_complete(const fs::path& folder) {
  const bool tokenizer = has(folder, "tokenizer.json") ||
                         (has(folder, "vocab.json") && has(folder, "merges.txt")) ||
                         has(folder, "vocabulary.json") || has(folder, "vocabulary.txt");
  const bool weights = has(folder, "model.safetensors") || has_all_shards(folder) ||
                       has(folder, "pytorch_model.bin") || has(folder, "model.bin");
  return has(folder, "config.json") && tokenizer && weights;
}

}  // namespace

fs::path hf_cache_from_environment() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const std::string cache = environment(name); !cache.empty()) return expanded(cache);
  }
  if (const std::string home = environment("HF_HOME"); !home.empty()) {
    return expanded(home) / "hub";
  }
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) {
    return expanded(cache) / "huggingface" / "hub";
  }
  const std::string home = environment("HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".cache" / "huggingface" / "hub";
}

std::optional<fs::path> find_in_hf_cache(const fs::path& cache, const std::string& repository,
                                         const std::string& revision) {
  std::string name = repository;
  name.replace(name.find('/'), 1, "--");
  const fs::path model = cache / ("models--" + name);
  std::string commit = revision;
  if (has(model / "refs", revision)) {
    commit = text_of(model / "refs" / revision);
    commit.erase(std::ranges::find_if(commit, [](unsigned char c) { return std::isalnum(c) == 0; }),
                 commit.end());
  }
  const fs::path snapshot = model / "snapshots" / commit;
  return !commit.empty() && is_complete(snapshot) ? std::optional(snapshot) : std::nullopt;
}

}  // namespace whisper_s4y
