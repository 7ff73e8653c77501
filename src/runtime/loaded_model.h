// A model file as LiteRT has it, shared by all who run its signatures.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/program_pool.h"
#include "runtime/weight_cache.h"
#include "tflite/reader.h"
#include "whisper_s4y/model.h"
#include "whisper_s4y/tensor.h"

class LiteRtModelT;

namespace whisper_s4y {

/// Signatures that are compiled together, sorted, and for which of them weights were packed: those
/// that compute with the same weights name the same `packed`.
struct SignatureGroup {
  std::vector<std::string> keys;
  std::vector<std::string> packed;
};

/// The file, LiteRT's view of it, the caches of packed weights and the programs made of it.
/// Thread-safe.
class LoadedModel {
 public:
  /// Checks that the file can be run. Throws Error when it cannot, or an option is impossible.
  LoadedModel(std::shared_ptr<const TfliteFile> file, RuntimeOptions options);
  ~LoadedModel();
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  [[nodiscard]] const TfliteFile& file() const { return *file_; }
  /// As given, but `threads` is never 0.
  [[nodiscard]] const RuntimeOptions& options() const { return options_; }
  /// In the order of LiteRT's numbers for them.
  [[nodiscard]] const std::vector<SignatureInfo>& signatures() const { return signatures_; }

  /// The programs of a group for a number of threads. At least one has been made: throws Error when
  /// LiteRT cannot.
  [[nodiscard]] ProgramPool& programs(const SignatureGroup& group, int threads);

  /// Frees programs that nobody has used since then, but for the last one of each group. They are
  /// made again when somebody needs them.
  void release_unused_since(ProgramPool::Clock::time_point time);

  /// Whether packed weights of that name were found in the cache folder.
  [[nodiscard]] bool found_packed(const std::vector<std::string>& packed) const;
  /// LiteRT's table of times per op since the last call, of all that does not run at the moment;
  /// empty without RuntimeOptions::profile.
  [[nodiscard]] std::string profile_summary();

 private:
  struct FreeModel {
    void operator()(LiteRtModelT* model) const;
  };

  void read_signatures();
  WeightCache open_cache(const std::vector<std::string>& packed);
  std::unique_ptr<Program> make(const SignatureGroup& group, int threads);
  std::unique_ptr<Program> compile(const std::vector<std::string>& keys, const WeightCache& cache,
                                   int threads) const;
  [[nodiscard]] std::string runtime_toml(const std::vector<std::string>& keys) const;

  std::shared_ptr<const TfliteFile> file_;  // LiteRT reads from its mapping
  RuntimeOptions options_;
  std::string source_;  // the file, for messages
  std::unique_ptr<LiteRtModelT, FreeModel> model_;
  std::vector<SignatureInfo> signatures_;
  mutable std::mutex compiling_;  // LiteRT does one thing at a time; guards caches_ and told_
  std::map<std::vector<std::string>, WeightCache> caches_;
  std::set<std::string> told_;  // warnings of the caches
  std::mutex mutex_;            // guards pools_
  std::map<std::pair<std::vector<std::string>, int>, std::unique_ptr<ProgramPool>> pools_;
};

}  // namespace whisper_s4y
