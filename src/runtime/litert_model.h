// A .tflite file loaded into LiteRT: signatures with named tensors, run on host memory.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/aligned_buffer.h"
#include "runtime/weight_cache.h"
#include "tflite/reader.h"
#include "tflite/tensor_info.h"

namespace whisper_s4y {

struct RuntimeOptions {
  int threads = 0;                      // 0: all physical cores this process may use
  bool use_cache = true;                // keep packed weights in cache_dir; false: in memory only
  std::filesystem::path cache_dir;      // empty: $XDG_CACHE_HOME/whisper-s4y, ~/.cache/whisper-s4y
  std::vector<std::string> signatures;  // only these are loaded at once; empty: all
  bool profile = false;                 // collect times per op for profile_summary(); slower
  WarningCallback warn;                 // takes what went wrong without stopping the work

  /// Throws Error when a value is impossible.
  void validate() const;
};

namespace litert {
struct TensorBufferT;
}

/// One entry point of a loaded model. Every input and output is bound to memory of the caller,
/// which LiteRT reads and writes without copies; then run() computes. Not thread-safe, and neither
/// are two signatures of one LiteRtModel.
class LiteRtSignature {
 public:
  ~LiteRtSignature();
  LiteRtSignature(const LiteRtSignature&) = delete;
  LiteRtSignature& operator=(const LiteRtSignature&) = delete;

  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const std::vector<TensorInfo>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<TensorInfo>& outputs() const { return outputs_; }
  /// Throws Error that lists the names there are when this one is not among them.
  [[nodiscard]] const TensorInfo& input(std::string_view name) const;
  [[nodiscard]] const TensorInfo& output(std::string_view name) const;
  [[nodiscard]] bool has_input(std::string_view name) const;
  [[nodiscard]] bool has_output(std::string_view name) const;

  /// Makes run() read the input from `buffer`, or write the output to it. The buffer has exactly
  /// the tensor's size and stays alive until it is bound anew or the last run() is over; moving
  /// the AlignedBuffer object is fine. One buffer may be bound to several tensors, as an input and
  /// an output at once too: DYNAMIC_UPDATE_SLICE then updates in place. Throws Error for an
  /// unknown name or a wrong size.
  void bind_input(std::string_view name, AlignedBuffer& buffer);
  void bind_output(std::string_view name, AlignedBuffer& buffer);

  /// Computes the outputs. Throws Error when a tensor is unbound or LiteRT fails.
  void run();

 private:
  friend class LiteRtModel;
  struct Compiled;
  LiteRtSignature() = default;

  [[nodiscard]] const TensorInfo& find_tensor(const std::vector<TensorInfo>& tensors,
                                              std::string_view what, std::string_view name) const;
  void bind(const TensorInfo& tensor, AlignedBuffer& buffer, litert::TensorBufferT*& slot);

  std::string source_;  // the file, for messages
  std::string key_;
  size_t index_ = 0;  // among all signatures of the model
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  std::vector<litert::TensorBufferT*> input_buffers_;  // owned; null while unbound
  std::vector<litert::TensorBufferT*> output_buffers_;
  Compiled* compiled_ = nullptr;  // null until loaded
};

/// A model file and the signatures loaded from it.
class LiteRtModel {
 public:
  /// Verifies the file and loads options.signatures. Throws Error when the file cannot be read, is
  /// damaged, lacks one of the signatures, or LiteRT cannot run it.
  LiteRtModel(const std::filesystem::path& path, RuntimeOptions options);
  /// The same for a file that is already verified.
  LiteRtModel(std::shared_ptr<const TfliteFile> file, RuntimeOptions options);
  ~LiteRtModel();
  LiteRtModel(const LiteRtModel&) = delete;
  LiteRtModel& operator=(const LiteRtModel&) = delete;

  [[nodiscard]] const TfliteFile& file() const;
  [[nodiscard]] const RuntimeOptions& options() const;

  /// Keys of all signatures of the file, loaded or not.
  [[nodiscard]] std::vector<std::string> signature_keys() const;
  [[nodiscard]] bool has_signature(std::string_view key) const;
  /// Throws Error that lists the signatures there are when this one is not among them. Its tensors
  /// can be read before it is loaded; run() needs it loaded.
  [[nodiscard]] LiteRtSignature& signature(std::string_view key);
  [[nodiscard]] bool is_loaded(std::string_view key) const;
  /// Loads further signatures, those already loaded are left alone. They find the packed weights
  /// of the ones before.
  void load(const std::vector<std::string>& keys);

  /// Whether packed weights were found in the cache folder.
  [[nodiscard]] bool cache_was_used() const;
  /// Whether every op of the loaded signatures runs in XNNPACK. False is no fault: GATHER,
  /// EMBEDDING_LOOKUP, ARG_MAX and DYNAMIC_UPDATE_SLICE never do.
  [[nodiscard]] bool fully_accelerated() const;
  /// LiteRT's table of times per op since the last call, of everything loaded; empty without
  /// RuntimeOptions::profile.
  [[nodiscard]] std::string profile_summary();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y
