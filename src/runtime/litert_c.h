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

// Linked weakly: check_functions() reports what an older or newer library lacks in a sentence of
// ours, where the dynamic linker would end the process. LiteRtCreateEnvironment is linked strongly,
// so that the library stays among those the program needs.
#define WHISPER_S4Y_LITERT_FUNCTIONS(F)         \
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

// NOLINTNEXTLINE(bugprone-macro-parentheses): what is declared cannot stand in them
#define WHISPER_S4Y_LINK_WEAKLY(name) extern "C" __attribute__((weak)) decltype(name) name;
WHISPER_S4Y_LITERT_FUNCTIONS(WHISPER_S4Y_LINK_WEAKLY)
#undef WHISPER_S4Y_LINK_WEAKLY
