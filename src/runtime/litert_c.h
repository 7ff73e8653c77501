// The part of LiteRT's C API that whisper-s4y calls, declared by hand: the library comes without
// headers. Facts from litert/c/*.h at LiteRT commit f6745779 (release 2.3.0); the sizes below are
// the ones LiteRT itself asserts for 64-bit systems. Include this in .cc files of src/runtime only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace whisper_s4y::litert {

static_assert(sizeof(void*) == 8, "LiteRT's C ABI is declared for 64-bit systems only.");

struct EnvironmentT;
struct ModelT;
struct SignatureT;
struct TensorT;
struct OptionsT;
struct OpaqueOptionsT;
struct CompiledModelT;
struct TensorBufferT;
struct ProfilerT;
struct AcceleratorT;

using Status = int32_t;  // a C enum; 0 is success, see status_name()
constexpr Status kOk = 0;

constexpr int32_t kAcceleratorCpu = 1;  // bit of LiteRtHwAcceleratorSet

// LiteRtEnvOptionTag and LiteRtAnyType.
constexpr int32_t kEnvAutoRegisterAccelerators = 24;
constexpr int32_t kEnvMinLoggerSeverity = 25;
constexpr int32_t kAnyInt = 2;
constexpr int64_t kLogErrors = 3;

// LiteRtErrorReporterMode.
constexpr int kErrorReporterStderr = 1;

constexpr size_t kMaxRank = 8;
constexpr size_t kHostMemoryAlignment = 64;

struct Layout {
  uint32_t rank : 7;
  uint32_t has_strides : 1;
  int32_t dimensions[kMaxRank];
  uint32_t strides[kMaxRank];
};
static_assert(sizeof(Layout) == 68 && offsetof(Layout, dimensions) == 4 &&
              offsetof(Layout, strides) == 36);

struct RankedTensorType {
  int32_t element_type;  // the numbers of TfLiteType
  Layout layout;
};
static_assert(sizeof(RankedTensorType) == 72 && offsetof(RankedTensorType, layout) == 4);

struct Any {
  int32_t type;
  union {
    bool bool_value;
    int64_t int_value;
    double real_value;
    const char* str_value;
    const void* ptr_value;
  };
};
static_assert(sizeof(Any) == 16 && offsetof(Any, int_value) == 8);

struct EnvOption {
  int32_t tag;
  Any value;
};
static_assert(sizeof(EnvOption) == 24 && offsetof(EnvOption, value) == 8);

struct ApiVersion {
  int major;
  int minor;
  int patch;
};
static_assert(sizeof(ApiVersion) == 12);

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the names are LiteRT's

// Linked strongly, so that the library stays among those the program needs.
Status LiteRtCreateEnvironment(int num_options, const EnvOption* options,
                               EnvironmentT** environment);

// All others are weak: check_library() reports what an older or newer library lacks in a sentence
// of ours, where the dynamic linker would end the process.
#define WHISPER_S4Y_LITERT_FUNCTIONS(F)                                                       \
  F(void, LiteRtDestroyEnvironment, (EnvironmentT*))                                          \
  F(Status, LiteRtGetNumAccelerators, (EnvironmentT*, size_t*))                               \
  F(Status, LiteRtGetAccelerator, (EnvironmentT*, size_t index, AcceleratorT**))              \
  F(Status, LiteRtGetAcceleratorName, (const AcceleratorT*, const char**))                    \
  F(Status, LiteRtGetAcceleratorVersion, (const AcceleratorT*, ApiVersion*))                  \
  F(Status, LiteRtCreateModelFromBuffer, (EnvironmentT*, const void*, size_t, ModelT**))      \
  F(void, LiteRtDestroyModel, (ModelT*))                                                      \
  F(Status, LiteRtGetNumModelSignatures, (ModelT*, size_t*))                                  \
  F(Status, LiteRtGetModelSignature, (ModelT*, size_t, SignatureT**))                         \
  F(Status, LiteRtGetSignatureKey, (SignatureT*, const char**))                               \
  F(Status, LiteRtGetNumSignatureInputs, (SignatureT*, size_t*))                              \
  F(Status, LiteRtGetNumSignatureOutputs, (SignatureT*, size_t*))                             \
  F(Status, LiteRtGetSignatureInputName, (SignatureT*, size_t, const char**))                 \
  F(Status, LiteRtGetSignatureOutputName, (SignatureT*, size_t, const char**))                \
  F(Status, LiteRtGetSignatureInputTensorByIndex, (SignatureT*, size_t, TensorT**))           \
  F(Status, LiteRtGetSignatureOutputTensorByIndex, (SignatureT*, size_t, TensorT**))          \
  F(Status, LiteRtGetRankedTensorType, (TensorT*, RankedTensorType*))                         \
  F(Status, LiteRtCreateOptions, (OptionsT**))                                                \
  F(void, LiteRtDestroyOptions, (OptionsT*))                                                  \
  F(Status, LiteRtSetOptionsHardwareAccelerators, (OptionsT*, int32_t))                       \
  F(Status, LiteRtCreateOpaqueOptions,                                                        \
    (const char* identifier, void* payload, void (*destroy)(void*), OpaqueOptionsT**))        \
  F(void, LiteRtDestroyOpaqueOptions, (OpaqueOptionsT*))                                      \
  F(Status, LiteRtAddOpaqueOptions, (OptionsT*, OpaqueOptionsT * taken))                      \
  F(Status, LiteRtCreateCompiledModel, (EnvironmentT*, ModelT*, OptionsT*, CompiledModelT**)) \
  F(void, LiteRtDestroyCompiledModel, (CompiledModelT*))                                      \
  F(Status, LiteRtSetCompiledModelCancellationFunction,                                       \
    (CompiledModelT*, void* data, bool (*is_cancelled)(void*)))                               \
  F(Status, LiteRtCompiledModelIsFullyAccelerated, (CompiledModelT*, bool*))                  \
  F(Status, LiteRtRunCompiledModel,                                                           \
    (CompiledModelT*, size_t signature, size_t num_inputs, TensorBufferT * *inputs,           \
     size_t num_outputs, TensorBufferT * *outputs))                                           \
  F(Status, LiteRtCreateTensorBufferFromHostMemory,                                           \
    (const RankedTensorType*, void*, size_t, void (*deallocate)(void*), TensorBufferT**))     \
  F(void, LiteRtDestroyTensorBuffer, (TensorBufferT*))                                        \
  F(Status, LiteRtCompiledModelGetProfiler, (CompiledModelT*, ProfilerT**))                   \
  F(Status, LiteRtStartProfiler, (ProfilerT*))                                                \
  F(Status, LiteRtStopProfiler, (ProfilerT*))                                                 \
  F(Status, LiteRtResetProfiler, (ProfilerT*))                                                \
  F(Status, LiteRtGetProfileSummary, (ProfilerT*, CompiledModelT*, const char**))

#define WHISPER_S4Y_DECLARE(result, name, arguments) __attribute__((weak)) result name arguments;
WHISPER_S4Y_LITERT_FUNCTIONS(WHISPER_S4Y_DECLARE)
#undef WHISPER_S4Y_DECLARE

// NOLINTEND(readability-identifier-naming)
}  // extern "C"

}  // namespace whisper_s4y::litert
