// The file that keeps XNNPACK's packed weights between runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace whisper_s4y {

using WarningCallback = std::function<void(const std::string&)>;

/// XNNPACK packs every weight into the layout its kernels read. With a cache it packs each weight
/// once for all signatures (without: once per signature), and the next process maps the packed
/// weights instead of packing again.
///
/// LiteRT writes a cache in place and ends the process when a write fails, so it never sees the
/// file of the cache folder while it packs: it packs into memory (a memfd), and publish() copies
/// that to a temporary file and renames it. Readers check a hash over the whole file first. Thus
/// processes never see each other's halves, and damaged files are replaced.
///
/// Nothing here fails a run: what goes wrong is a warning, and the weights are packed in memory.
class WeightCache {
 public:
  /// No cache at all: weights are packed once per signature.
  WeightCache() = default;
  /// The file `name` in `folder`, or memory to pack into when it is absent or damaged. An empty
  /// folder stands for a cache in memory only. `model_bytes` is the size of the model's file, for
  /// the check that limits on file sizes leave room.
  WeightCache(std::filesystem::path folder, std::string name, uint64_t model_bytes,
              WarningCallback warn);
  ~WeightCache();
  WeightCache(WeightCache&& other) noexcept;
  WeightCache& operator=(WeightCache&& other) noexcept;

  /// A new descriptor for LiteRT, which closes it; -1 without cache.
  [[nodiscard]] int duplicate_descriptor() const;
  /// The one that it is a duplicate of.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Whether packed weights were found in the folder when the cache was opened.
  [[nodiscard]] bool found() const { return found_; }
  /// To be called once LiteRT has packed: writes the packed weights to the folder, if there is one
  /// and they did not come from it. When that succeeded, the cache is the file from then on, and
  /// true is returned: loading again frees the memory that packing took.
  bool publish();

 private:
  bool load(bool trusted);
  void pack_into_memory(uint64_t model_bytes);
  void warn(std::string_view what) const;

  std::filesystem::path folder_;
  std::string name_;
  WarningCallback warn_;
  int descriptor_ = -1;
  bool found_ = false;   // at construction
  bool loaded_ = false;  // descriptor_ is the file in the folder, not memory
};

/// $XDG_CACHE_HOME/whisper-s4y or ~/.cache/whisper-s4y; empty when the environment names neither.
[[nodiscard]] std::filesystem::path default_cache_folder();

}  // namespace whisper_s4y
