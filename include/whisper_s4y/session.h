// Any signature of a model, run by name with typed tensors.
//
//     whisper_s4y::Model model("whisper-base.tflite");
//     whisper_s4y::Session session(model);
//     session.set_input("features", "normalized_audio", whisper_s4y::Span<const float>(samples));
//     session.run("features");
//     whisper_s4y::Span<const float> logmel = session.output<float>("features", "logmel");
//
// docs/models.md lists the signatures with their tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/export.h"
#include "whisper_s4y/model.h"
#include "whisper_s4y/span.h"
#include "whisper_s4y/tensor.h"

namespace whisper_s4y {

/// How one user of a model runs it.
struct WHISPER_S4Y_API SessionOptions {
  int threads = 0;  // of one run; 0: as the model's RuntimeOptions have it

  /// Throws Error when a value is impossible.
  void validate() const;
};

/// The element type of a number: float is f32, int8_t is i8, ...
template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::boolean;
}

/// The tensors of one user of a model. Costs the memory of the tensors that are used, no more:
/// what runs is the model's, and sessions take turns with it. Not thread-safe: one thread at a
/// time.
///
/// Inputs begin as zeros and keep their values from run to run.
class WHISPER_S4Y_API Session {
 public:
  /// Throws Error when an option is impossible.
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();
  /// One that was moved from throws Error when it is used.
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  [[nodiscard]] const Model& model() const;

  /// The signatures, as model().info() has them; the second throws Error that lists the keys there
  /// are when this one is not among them.
  [[nodiscard]] const std::vector<SignatureInfo>& signatures() const;
  [[nodiscard]] const SignatureInfo& signature(std::string_view key) const;

  /// The memory of an input or output: write to that of an input, read that of an output after
  /// run(). Spans stay valid while the session lives. Throws Error when there is no such
  /// tensor.
  [[nodiscard]] Span<std::byte> input_bytes(std::string_view signature, std::string_view name);
  [[nodiscard]] Span<const std::byte> output_bytes(std::string_view signature,
                                                   std::string_view name);

  /// The same as numbers; throws Error too when the tensor is of another type.
  template <typename T>
  [[nodiscard]] Span<T> input(std::string_view signature, std::string_view name) {
    check_input(signature, name, dtype_of<T>());
    const Span<std::byte> bytes = input_bytes(signature, name);
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] Span<const T> output(std::string_view signature, std::string_view name) {
    check_output(signature, name, dtype_of<T>());
    const Span<const std::byte> bytes = output_bytes(signature, name);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  /// Copies values to an input. Throws Error naming signature and tensor when they are more or
  /// fewer than it takes, or of another type.
  void set_input(std::string_view signature, std::string_view name, Span<const std::byte> bytes);
  template <typename T>
  void set_input(std::string_view signature, std::string_view name, Span<const T> values) {
    check_input(signature, name, dtype_of<T>());
    set_input(signature, name,
              Span<const std::byte>(reinterpret_cast<const std::byte*>(values.data()),
                                    values.size() * sizeof(T)));
  }

  /// Makes one tensor the same memory as another one of the same size, inputs or outputs of any
  /// signatures: what one run writes there the next one reads, without a copy. So do the caches of
  /// `step` stay in place: bind("step", "self_k_0", "step", "new_self_k_0"). Earlier spans of the
  /// first tensor are no longer its memory. Throws Error when the sizes differ or there is no such
  /// tensor.
  void bind(std::string_view signature, std::string_view tensor, std::string_view to_signature,
            std::string_view to_tensor);

  /// Gives a tensor that was bound memory of its own again, which holds what it held before: zeros,
  /// or what was written there. What is bound to the tensor itself stays with the memory it shared.
  /// Throws Error when there is no such tensor.
  void unbind(std::string_view signature, std::string_view tensor);

  /// Computes the outputs of a signature from its inputs. `cancelled` is asked again and again in
  /// this thread: when it says true, or throws, run() ends within 100 ms, with an Error
  /// (ErrorCode::cancelled) or what was thrown; what the outputs hold then is not defined, and what
  /// was begun may go on in the background for a moment, which the next call waits for; the end of
  /// the session does not. Throws Error when LiteRT cannot load or run the signature. The first run
  /// of a model packs its weights, unless they are in the cache.
  void run(std::string_view signature, const std::function<bool()>& cancelled = {});

  /// LiteRT's table of times per op since the last call, of all sessions of the model; empty
  /// without RuntimeOptions::profile.
  [[nodiscard]] std::string profile_summary();

 private:
  void check_input(std::string_view signature, std::string_view name, DType type);
  void check_output(std::string_view signature, std::string_view name, DType type);

  struct Impl;
  [[nodiscard]] WHISPER_S4Y_HIDDEN Impl& impl() const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y
