// A converted model, opened once and shared by all who use it.
//
//     whisper_s4y::Model model("whisper-base.tflite");
//     std::cout << model.info().name << '\n';                        // base
//     whisper_s4y::Transcriber one(model), other(model);             // for two threads
//     std::vector<int> tokens = model.tokenize(" Hello there");
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/export.h"
#include "whisper_s4y/model_config.h"
#include "whisper_s4y/span.h"
#include "whisper_s4y/tensor.h"

namespace whisper_s4y {

/// How models are run.
struct WHISPER_S4Y_API RuntimeOptions {
  int threads = 0;                  // of one run; 0: all physical cores this process may use
  bool use_cache = true;            // keep packed weights in cache_dir; false: in memory only
  std::filesystem::path cache_dir;  // empty: $XDG_CACHE_HOME/whisper-s4y, ~/.cache/whisper-s4y
  bool own_kernels = true;          // encode and decode by kernels faster than LiteRT's, where
                                    // the file allows it; false: by LiteRT alone
  bool profile = false;             // collect times per op for Session::profile_summary(); slower
  /// Takes what went wrong without stopping the work, a sentence each; from any thread that uses
  /// the model, one at a time.
  std::function<void(const std::string& message)> on_warning;

  /// Throws Error when a value is impossible.
  void validate() const;
};

/// What of a row of tokens becomes text besides its words.
struct DecodeOptions {
  bool special_tokens = false;  // <|en|>, <|transcribe|> ... as their names
  bool timestamps = false;      // as <|0.00|>
  bool keep_bytes = false;      // a token may be part of a character: keep what is no UTF-8
};

/// What a model is.
struct ModelFacts {
  std::string name;                       // "tiny.en"; of files of others that of the file
  std::string hash;                       // identifies the content: 32 hex digits
  uint64_t file_size = 0;                 // bytes
  bool is_whisper = false;                // written by whisper-s4y: what follows is known
  bool can_transcribe = false;            // a bundle, not a part: has all a Transcriber needs
  bool can_align = false;                 // can tell the times of words
  int max_beams = 0;                      // hypotheses at once; 0: greedy search only
  bool is_multilingual = false;           //
  std::vector<std::string> languages;     // codes, in the order of their tokens; "en" alone when
                                          // the model is for English only
  ModelConfig config;                     // dimensions
  GenerationConfig generation;            // special tokens
  std::vector<SignatureInfo> signatures;  // in the order of the file
};

/// A .tflite file, checked and mapped: its facts, its vocabulary and its weights, also as they are
/// packed for this processor. Never changes once it is made. Copies share everything, and any
/// number of threads may use one model at the same time, each with a Session or a Transcriber of
/// its own; the file stays open while one of these is left.
class WHISPER_S4Y_API Model {
 public:
  /// Opens what `whisper-s4y convert` has written, or another .tflite file whose ops we know, which
  /// Session can run. Nothing is packed or computed yet. Throws Error when the file cannot be read,
  /// is damaged, or promises what it does not hold.
  explicit Model(const std::filesystem::path& path, RuntimeOptions options = {});

  /// The same for a file in memory, which is copied and not needed after the call; `name` stands
  /// for its path in messages.
  [[nodiscard]] static Model from_memory(Span<const std::byte> file, std::string_view name,
                                         RuntimeOptions options = {});

  /// Moving copies as well, so that no model is without its file.
  Model(const Model&) = default;
  Model& operator=(const Model&) = default;
  ~Model() = default;

  [[nodiscard]] const ModelFacts& info() const;
  /// As given, but `threads` is never 0.
  [[nodiscard]] const RuntimeOptions& options() const;

  /// Frees what runs the model with a number of threads that nobody has used for so long, while
  /// there is something for another number. It is made again when it is needed. For those who use
  /// a model for hours, now with few threads, now with many.
  void release_unused(std::chrono::duration<double> time) const;

  /// The tokens of a text. "<|en|>" in a text is text, never a special token. Throws Error, as the
  /// next one does, when the file has no vocabulary.
  [[nodiscard]] std::vector<int> tokenize(std::string_view text) const;
  /// The text of tokens as valid UTF-8; bytes that are none become U+FFFD. Throws Error for an id
  /// that is not in the vocabulary.
  [[nodiscard]] std::string detokenize(Span<const int> tokens,
                                       const DecodeOptions& options = {}) const;

 private:
  friend class ModelState;
  WHISPER_S4Y_HIDDEN explicit Model(std::shared_ptr<class ModelState> state);
  std::shared_ptr<class ModelState> state_;
};

}  // namespace whisper_s4y
