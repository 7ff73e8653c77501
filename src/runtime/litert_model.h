// Signatures with named tensors, run on host memory of one user.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/cancellation.h"
#include "runtime/aligned_buffer.h"
#include "runtime/loaded_model.h"
#include "runtime/program_pool.h"

class LiteRtTensorBufferT;

namespace whisper_s4y {

/// One entry point of a model. Every input and output is bound to memory of the caller, which
/// LiteRT reads and writes without copies; then run() computes. Not thread-safe, and neither are
/// two signatures of one LiteRtModel.
class LiteRtSignature {
 public:
  ~LiteRtSignature();
  LiteRtSignature(const LiteRtSignature&) = delete;
  LiteRtSignature& operator=(const LiteRtSignature&) = delete;

  [[nodiscard]] const SignatureInfo& info() const { return info_; }
  [[nodiscard]] const std::string& key() const { return info_.key; }
  [[nodiscard]] const std::vector<TensorInfo>& inputs() const { return info_.inputs; }
  [[nodiscard]] const std::vector<TensorInfo>& outputs() const { return info_.outputs; }
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

  /// Computes the outputs. Throws Error when a tensor is unbound or LiteRT fails, and Cancelled,
  /// see Cancellation, which is asked between two ops.
  void run(Cancellation* cancellation = nullptr);
  /// The same in a thread of its own, so that it can be left in the middle of an op too, which an
  /// encoder is as a whole. After Cancelled the buffers are in use until settle() returns.
  void run_apart(Cancellation& cancellation);
  /// Waits for what run_apart() left behind, unless that is cancelled too.
  void settle(Cancellation* cancellation = nullptr);
  /// Whether run_apart() has left something behind that still runs.
  [[nodiscard]] bool is_running() const;

 private:
  friend class LiteRtModel;
  struct Outcome;
  struct Apart;
  LiteRtSignature(std::string source, size_t index, SignatureInfo info);

  [[nodiscard]] const TensorInfo& find_tensor(const std::vector<TensorInfo>& tensors,
                                              std::string_view what, std::string_view name) const;
  void bind(const TensorInfo& tensor, AlignedBuffer& buffer, LiteRtTensorBufferT*& slot);
  void check_bound() const;
  [[nodiscard]] Outcome compute(Program& program);
  void check_outcome(const Outcome& outcome) const;

  std::string source_;  // the file, for messages
  size_t index_;        // among all signatures of the model
  SignatureInfo info_;
  std::vector<LiteRtTensorBufferT*> input_buffers_;  // owned; null while unbound
  std::vector<LiteRtTensorBufferT*> output_buffers_;
  ProgramPool* programs_ = nullptr;  // null until loaded
  std::unique_ptr<Apart> apart_;     // what may still run
};

/// A new buffer for a tensor, bound to it.
[[nodiscard]] AlignedBuffer bound_input(LiteRtSignature& signature, std::string_view name);
[[nodiscard]] AlignedBuffer bound_output(LiteRtSignature& signature, std::string_view name);

/// The signatures of a model for one user.
class LiteRtModel {
 public:
  /// Opens the file for this user alone and loads `signatures`, all if there are none. Throws Error
  /// when the file cannot be read, is damaged, lacks one of the signatures, or LiteRT cannot run
  /// it.
  LiteRtModel(const std::filesystem::path& path, RuntimeOptions options,
              const std::vector<std::string>& signatures = {});
  /// The same for a file that is already verified.
  LiteRtModel(std::shared_ptr<const TfliteFile> file, RuntimeOptions options,
              const std::vector<std::string>& signatures = {});
  /// Shares a model; nothing is loaded yet. `threads`: 0 as the model's options have it.
  explicit LiteRtModel(std::shared_ptr<LoadedModel> model, int threads = 0);
  ~LiteRtModel();
  LiteRtModel(const LiteRtModel&) = delete;
  LiteRtModel& operator=(const LiteRtModel&) = delete;

  [[nodiscard]] const TfliteFile& file() const { return model_->file(); }
  [[nodiscard]] int threads() const { return threads_; }

  /// Keys of all signatures of the file, loaded or not.
  [[nodiscard]] std::vector<std::string> signature_keys() const;
  [[nodiscard]] bool has_signature(std::string_view key) const;
  /// Throws Error that lists the signatures there are when this one is not among them. Its tensors
  /// can be read before it is loaded; run() needs it loaded.
  [[nodiscard]] LiteRtSignature& signature(std::string_view key);
  [[nodiscard]] bool is_loaded(std::string_view key) const;
  /// Loads further signatures, those already loaded are left alone. They find the packed weights
  /// of the ones before.
  void load(std::vector<std::string> keys);
  /// Loads a group whose packed weights others may share.
  void load(const SignatureGroup& group);
  /// Waits for what LiteRtSignature::run_apart() left behind in any of them.
  void settle(Cancellation* cancellation = nullptr);
  /// Whether something of that still runs.
  [[nodiscard]] bool is_running() const;

  /// Whether packed weights were found in the cache folder.
  [[nodiscard]] bool cache_was_used() const;
  /// Whether every op of the loaded signatures runs in XNNPACK. False is no fault: GATHER,
  /// EMBEDDING_LOOKUP, ARG_MAX and DYNAMIC_UPDATE_SLICE never do.
  [[nodiscard]] bool fully_accelerated();
  /// See LoadedModel.
  [[nodiscard]] std::string profile_summary() { return model_->profile_summary(); }

 private:
  [[nodiscard]] LiteRtSignature* find_signature(std::string_view key) const;

  std::shared_ptr<LoadedModel> model_;
  int threads_;
  std::vector<std::string> packed_;  // of the first load()
  std::vector<std::unique_ptr<LiteRtSignature>> signatures_;
};

}  // namespace whisper_s4y
