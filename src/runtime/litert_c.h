// LiteRT's C API: its own headers, of the pinned commit (third_party/litert), and what of them we
// call. Include this in .cc files of src/runtime only; headers name LiteRT's handles by
// `class LiteRtModelT;` and the like.
#pragma once

#include "litert/c/internal/litert_accelerator.h"
#include "litert/c/litert_compiled_model.h"
#include "litert/c/litert_environment.h"
#include "litert/c/litert_model.h"
#include "litert/c/litert_opaque_options.h"
#include "litert/c/litert_options.h"
#include "litert/c/litert_profiler.h"
#include "litert/c/litert_tensor_buffer.h"

// The library is loaded by the first call of environment(), see litert_library.h: most of our
// programs do without it. Within our namespace these names are objects that call its functions.
#define WHISPER_S4Y_LITERT_FUNCTIONS(F)         \
  F(LiteRtCreateEnvironment)                    \
  F(LiteRtDestroyEnvironment)                   \
  F(LiteRtGetNumAccelerators)                   \
  F(LiteRtGetAccelerator)                       \
  F(LiteRtGetAcceleratorName)                   \
  F(LiteRtGetAcceleratorVersion)                \
  F(LiteRtCreateModelFromBuffer)                \
  F(LiteRtDestroyModel)                         \
  F(LiteRtGetNumModelSignatures)                \
  F(LiteRtGetModelSignature)                    \
  F(LiteRtGetSignatureKey)                      \
  F(LiteRtGetNumSignatureInputs)                \
  F(LiteRtGetNumSignatureOutputs)               \
  F(LiteRtGetSignatureInputName)                \
  F(LiteRtGetSignatureOutputName)               \
  F(LiteRtGetSignatureInputTensorByIndex)       \
  F(LiteRtGetSignatureOutputTensorByIndex)      \
  F(LiteRtGetRankedTensorType)                  \
  F(LiteRtCreateOptions)                        \
  F(LiteRtDestroyOptions)                       \
  F(LiteRtSetOptionsHardwareAccelerators)       \
  F(LiteRtCreateOpaqueOptions)                  \
  F(LiteRtDestroyOpaqueOptions)                 \
  F(LiteRtAddOpaqueOptions)                     \
  F(LiteRtCreateCompiledModel)                  \
  F(LiteRtDestroyCompiledModel)                 \
  F(LiteRtSetCompiledModelCancellationFunction) \
  F(LiteRtCompiledModelIsFullyAccelerated)      \
  F(LiteRtRunCompiledModel)                     \
  F(LiteRtCreateTensorBufferFromHostMemory)     \
  F(LiteRtDestroyTensorBuffer)                  \
  F(LiteRtCompiledModelGetProfiler)             \
  F(LiteRtStartProfiler)                        \
  F(LiteRtStopProfiler)                         \
  F(LiteRtResetProfiler)                        \
  F(LiteRtGetProfileSummary)

namespace whisper_s4y {
namespace litert {

template <typename Function>
class LibraryFunction;

/// A function of the library, which may be called once that is loaded.
template <typename Result, typename... Arguments>
class LibraryFunction<Result(Arguments...)> {
 public:
  Result operator()(Arguments... arguments) const { return address_(arguments...); }
  /// Takes what dlsym() says.
  void set(void* address) { address_ = reinterpret_cast<Result (*)(Arguments...)>(address); }

 private:
  Result (*address_)(Arguments...) = nullptr;
};

}  // namespace litert

#define WHISPER_S4Y_LIBRARY_FUNCTION(name) \
  inline constinit litert::LibraryFunction<decltype(::name)> name;  // NOLINT(*-macro-parentheses)
WHISPER_S4Y_LITERT_FUNCTIONS(WHISPER_S4Y_LIBRARY_FUNCTION)
#undef WHISPER_S4Y_LIBRARY_FUNCTION

}  // namespace whisper_s4y
