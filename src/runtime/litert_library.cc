#include "runtime/litert_library.h"

#include <dlfcn.h>

#include <iterator>

#include "common/content_hash.h"
#include "common/fail.h"
#include "common/mapped_file.h"
#include "runtime/litert_c.h"
#include "runtime/litert_log.h"

namespace whisper_s4y::litert {
namespace {

// Release of the library whose ABI litert_c.h declares, and the version its CPU accelerator tells.
// LiteRT exports no release number of its own.
constexpr std::string_view kNeededRelease = "2.3";
constexpr int kCpuAcceleratorMajor = 1;

std::string library_path() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(&LiteRtCreateEnvironment), &info) == 0 ||
      info.dli_fname == nullptr) {
    return "libLiteRt.so";
  }
  return info.dli_fname;
}

struct Needed {
  std::string_view name;
  const void* address;
};

void check_functions() {
#define WHISPER_S4Y_ADDRESS(result, name, arguments) \
  {#name, reinterpret_cast<const void*>(&(name))},
  const Needed needed[] = {WHISPER_S4Y_LITERT_FUNCTIONS(WHISPER_S4Y_ADDRESS)};
#undef WHISPER_S4Y_ADDRESS
  for (const Needed& function : needed) {
    if (function.address == nullptr) {
      fail(ErrorCode::runtime, "{} lacks the function {}; whisper-s4y needs LiteRT {}.",
           library_path(), function.name, kNeededRelease);
    }
  }
}

void check_cpu_accelerator(EnvironmentT* environment) {
  size_t count = 0;
  check(LiteRtGetNumAccelerators(environment, &count), "Cannot list LiteRT's accelerators");
  for (size_t i = 0; i < count; ++i) {
    AcceleratorT* accelerator = nullptr;
    const char* name = nullptr;
    ApiVersion version{};
    check(LiteRtGetAccelerator(environment, i, &accelerator), "Cannot get LiteRT's accelerator");
    check(LiteRtGetAcceleratorName(accelerator, &name), "Cannot name LiteRT's accelerator");
    if (name == nullptr || std::string_view(name) != "CpuAccelerator") continue;
    check(LiteRtGetAcceleratorVersion(accelerator, &version), "Cannot tell LiteRT's version");
    if (version.major == kCpuAcceleratorMajor) return;
    fail(
        ErrorCode::runtime,
        "{} has version {}.{}.{} of the CPU accelerator; whisper-s4y needs LiteRT {} (version {}).",
        library_path(), version.major, version.minor, version.patch, kNeededRelease,
        kCpuAcceleratorMajor);
  }
  fail(ErrorCode::runtime, "{} has no CPU accelerator; whisper-s4y needs LiteRT {}.",
       library_path(), kNeededRelease);
}

EnvironmentT* create_environment() {
  check_functions();
  EnvOption options[2] = {};
  options[0].tag = kEnvMinLoggerSeverity;
  options[0].value.type = kAnyInt;
  options[0].value.int_value = kLogErrors;
  // Without this LiteRT searches for GPU and NPU libraries to load.
  options[1].tag = kEnvAutoRegisterAccelerators;
  options[1].value.type = kAnyInt;
  options[1].value.int_value = kAcceleratorCpu;
  EnvironmentT* environment = nullptr;
  const LogCapture log;
  const Status status =
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

// LiteRtStatus in litert/c/litert_common.h.
std::string_view status_name(int status) {
  switch (status) {
    case 1:
      return "invalid argument";
    case 2:
      return "out of memory";
    case 3:
      return "runtime failure";
    case 4:
      return "missing input tensor";
    case 5:
      return "unsupported";
    case 6:
      return "not found";
    case 7:
      return "timeout";
    case 8:
      return "wrong version";
    case 9:
      return "unknown error";
    case 10:
      return "already exists";
    case 100:
      return "cancelled";
    case 500:
      return "file error";
    case 501:
      return "invalid flatbuffer";
    case 502:
      return "dynamic loading failed";
    case 503:
      return "serialization failed";
    case 504:
      return "compilation failed";
    case 1000:
      return "index out of bounds";
    case 1001:
      return "invalid type";
    case 1002:
      return "invalid graph";
    default:
      return "error";
  }
}

}  // namespace

EnvironmentT* environment() {
  // Never destroyed: models with static storage duration may outlive any order of destruction.
  static EnvironmentT* const environment = create_environment();
  return environment;
}

const std::string& library_id() {
  static const std::string id = hash_of_file(library_path());
  return id;
}

void check(int status, std::string_view action, std::string_view details) {
  if (status == kOk) return;
  fail(ErrorCode::runtime, "{}: LiteRT reports {} (status {}){}{}.", action, status_name(status),
       status, details.empty() ? "" : ": ", details);
}

}  // namespace whisper_s4y::litert
