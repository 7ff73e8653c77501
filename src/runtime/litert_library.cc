#include "runtime/litert_library.h"

#include <dlfcn.h>
#include <link.h>

#include <iterator>

#include "common/content_hash.h"
#include "common/fail.h"
#include "common/mapped_file.h"
#include "runtime/litert_c.h"
#include "runtime/litert_log.h"

namespace whisper_s4y::litert {
namespace {

// Release of the library whose headers third_party/litert has, and the version its CPU accelerator
// tells. LiteRT exports no release number of its own.
constexpr std::string_view kNeededRelease = "2.3";
constexpr int kCpuAcceleratorMajor = 1;
constexpr int64_t kLogErrors = 3;  // of the logger's severities, which no header tells

const link_map* load() {
  // Found by the run path of what this code is part of.
  void* handle = ::dlopen("libLiteRt.so", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    fail(ErrorCode::runtime, "Cannot load LiteRT, which computes this: {}.", ::dlerror());
  }
  link_map* map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
    fail(ErrorCode::runtime, "Cannot find LiteRT in memory: {}.", ::dlerror());
  }
  const auto address_of = [&](const char* name) {
    void* address = ::dlsym(handle, name);
    if (address == nullptr) {
      fail(ErrorCode::runtime, "{} lacks the function {}; whisper-s4y needs LiteRT {}.",
           map->l_name, name, kNeededRelease);
    }
    return address;
  };
#define WHISPER_S4Y_FIND(name) name.set(address_of(#name));
  WHISPER_S4Y_LITERT_FUNCTIONS(WHISPER_S4Y_FIND)
#undef WHISPER_S4Y_FIND
  return map;  // never unloaded
}

void check_cpu_accelerator(LiteRtEnvironmentT* environment) {
  size_t count = 0;
  check(LiteRtGetNumAccelerators(environment, &count), "Cannot list LiteRT's accelerators");
  for (size_t i = 0; i < count; ++i) {
    LiteRtAcceleratorT* accelerator = nullptr;
    const char* name = nullptr;
    LiteRtApiVersion version{};
    check(LiteRtGetAccelerator(environment, i, &accelerator), "Cannot get LiteRT's accelerator");
    check(LiteRtGetAcceleratorName(accelerator, &name), "Cannot name LiteRT's accelerator");
    if (name == nullptr || std::string_view(name) != "CpuAccelerator") continue;
    check(LiteRtGetAcceleratorVersion(accelerator, &version), "Cannot tell LiteRT's version");
    if (version.major == kCpuAcceleratorMajor) return;
    fail(
        ErrorCode::runtime,
        "{} has version {}.{}.{} of the CPU accelerator; whisper-s4y needs LiteRT {} (version {}).",
        library().l_name, version.major, version.minor, version.patch, kNeededRelease,
        kCpuAcceleratorMajor);
  }
  fail(ErrorCode::runtime, "{} has no CPU accelerator; whisper-s4y needs LiteRT {}.",
       library().l_name, kNeededRelease);
}

LiteRtEnvironmentT* create_environment() {
  (void)library();
  LiteRtEnvOption options[2] = {};
  options[0].tag = kLiteRtEnvOptionTagMinLoggerSeverity;
  options[0].value.type = kLiteRtAnyTypeInt;
  options[0].value.int_value = kLogErrors;
  // Without this LiteRT searches for GPU and NPU libraries to load.
  options[1].tag = kLiteRtEnvOptionTagAutoRegisterAccelerators;
  options[1].value.type = kLiteRtAnyTypeInt;
  options[1].value.int_value = kLiteRtHwAcceleratorCpu;
  LiteRtEnvironmentT* environment = nullptr;
  const LogCapture log;
  const LiteRtStatus status =
      LiteRtCreateEnvironment(static_cast<int>(std::size(options)), options, &environment);
  check(status, "Cannot start LiteRT", log.errors());
  check_cpu_accelerator(environment);
  return environment;
}

std::string hash_of_file(const std::string& path) {
  const MappedFile file(path);
  ContentHash hash;
  hash.update(file.bytes());
  return hash.digest();
}

std::string_view status_name(int status) {
  switch (status) {
    case kLiteRtStatusErrorInvalidArgument:
      return "invalid argument";
    case kLiteRtStatusErrorMemoryAllocationFailure:
      return "out of memory";
    case kLiteRtStatusErrorRuntimeFailure:
      return "runtime failure";
    case kLiteRtStatusErrorMissingInputTensor:
      return "missing input tensor";
    case kLiteRtStatusErrorUnsupported:
      return "unsupported";
    case kLiteRtStatusErrorNotFound:
      return "not found";
    case kLiteRtStatusErrorTimeoutExpired:
      return "timeout";
    case kLiteRtStatusErrorWrongVersion:
      return "wrong version";
    case kLiteRtStatusErrorUnknown:
      return "unknown error";
    case kLiteRtStatusErrorAlreadyExists:
      return "already exists";
    case kLiteRtStatusCancelled:
      return "cancelled";
    case kLiteRtStatusErrorFileIO:
      return "file error";
    case kLiteRtStatusErrorInvalidFlatbuffer:
      return "invalid flatbuffer";
    case kLiteRtStatusErrorDynamicLoading:
      return "dynamic loading failed";
    case kLiteRtStatusErrorSerialization:
      return "serialization failed";
    case kLiteRtStatusErrorCompilation:
      return "compilation failed";
    case kLiteRtStatusErrorIndexOOB:
      return "index out of bounds";
    case kLiteRtStatusErrorInvalidIrType:
      return "invalid type";
    case kLiteRtStatusErrorInvalidGraphInvariant:
      return "invalid graph";
    default:
      return "error";
  }
}

}  // namespace

const link_map& library() {
  static const link_map* const loaded = load();
  return *loaded;
}

LiteRtEnvironmentT* environment() {
  // Never destroyed: models with static storage duration may outlive any order of destruction.
  static LiteRtEnvironmentT* const environment = create_environment();
  return environment;
}

const std::string& library_id() {
  static const std::string id = hash_of_file(library().l_name);
  return id;
}

void check(int status, std::string_view action, std::string_view details) {
  if (status == kLiteRtStatusOk) return;
  fail(ErrorCode::runtime, "{}: LiteRT reports {} (status {}){}{}.", action, status_name(status),
       status, details.empty() ? "" : ": ", details);
}

}  // namespace whisper_s4y::litert
