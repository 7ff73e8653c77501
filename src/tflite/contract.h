// What every signature takes and gives, written down once. The writer builds signatures by this
// table, the runtime holds a file to it before it binds memory, `verify` and the tests hold files
// to it, and the tables of docs/models.md are made of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model_info.h"
#include "tflite/reader.h"
#include "whisper_s4y/tensor.h"

namespace whisper_s4y {

/// Longest prompt: <|startofprev|>, 223 tokens of previous text, <|startoftranscript|>, language,
/// task, <|notimestamps|>.
inline constexpr int kPromptCapacity = 228;

/// What decides the size of a dimension.
enum class Dim {
  one,
  window_samples,    // of 30 s
  window_frames,     // of 30 s
  prompt,            // kPromptCapacity
  mel_bins,          // here and below: the model's configuration
  source_positions,  //
  d_model,           //
  heads,             // of the decoder
  head_width,        // d_model / heads
  target_positions,  //
  vocabulary,        //
  alignment_heads,   //
  tokens,            // here and below: the file, once for all tensors of a signature
  hypotheses,        //
  text_bytes,        // of the longest token
};

/// An input or output of a signature.
struct TensorContract {
  std::string_view name;     // of one for each decoder layer it ends in "_i", in files in "_0", ...
  DType dtype;               //
  std::vector<Dim> shape;    //
  std::string_view meaning;  // one line of docs/models.md
  bool optional = false;     // a file may leave it out

  [[nodiscard]] bool of_layers() const { return name.ends_with("_i"); }
  /// "cross_k_3" for layer 3; the name itself where layers do not matter.
  [[nodiscard]] std::string name_in(int layer) const;
  /// "f32[1,h,1500,e]", in the letters of docs/models.md.
  [[nodiscard]] std::string description() const;
};

struct SignatureContract {
  std::string_view key;
  std::vector<TensorContract> inputs;
  std::vector<TensorContract> outputs;
  std::string_view meaning;  // one line of docs/models.md
  bool needed = false;       // transcription runs it: a file without is no bundle
  bool loops = false;        // runs a WHILE, which nothing that transcription runs may do
};

/// The keys of a bundle's signatures, in the order of the file.
inline constexpr std::string_view kSignatureKeys[] = {
    "serving_default", "features",  "encode", "pcm_encode", "cross",     "step",
    "prefill",         "step_beam", "align",  "decode",     "transcribe"};

/// The signatures of a bundle, in the order of the file.
[[nodiscard]] const std::vector<SignatureContract>& bundle_contract();
/// Throws Error for a key that is not in bundle_contract().
[[nodiscard]] const SignatureContract& contract_of(std::string_view key);
/// The parts: `key` is the part's name, in the file all have "serving_default".
[[nodiscard]] const std::vector<SignatureContract>& part_contracts();
[[nodiscard]] const SignatureContract& contract_of_part(std::string_view part);

/// The sizes of one file.
class ContractSizes {
 public:
  /// Nothing is known of the model: each size is the one found first.
  ContractSizes() = default;
  ContractSizes(const ModelConfig& config, const GenerationConfig& generation);

  /// 0 while it is not known.
  [[nodiscard]] int operator[](Dim dim) const;
  [[nodiscard]] int layers() const { return config_.decoder_layers; }
  /// Takes the size if there is none yet and the dimension may have it; otherwise tells whether it
  /// is the size there is.
  bool accept(Dim dim, int size);

 private:
  ModelConfig config_{.num_mel_bins = 0, .max_source_positions = 0, .max_target_positions = 0};
  int alignment_heads_ = 0;
  std::vector<std::pair<Dim, int>> found_;
};

/// The signatures of a file; none when it defines none.
[[nodiscard]] std::vector<SignatureInfo> signatures_of(const TfliteFile& file);

/// Throws Error naming file, signature and tensor when a tensor is missing, is not in the contract,
/// or has another type or shape.
void check_signature(const SignatureInfo& signature, const SignatureContract& contract,
                     ContractSizes sizes, std::string_view source);

/// Holds a file to the contract by its own metadata: every signature that bundle_contract() knows,
/// or the one of a part. Throws Error as check_signature() does, and when there is no signature.
void check_contract(const TfliteFile& file, const ModelInfo& info);
/// The same, and throws Error when the file lacks a signature that transcription needs.
void check_bundle(const TfliteFile& file, const ModelInfo& info);

}  // namespace whisper_s4y
