// A libFuzzer target; WHISPER_S4Y_FUZZ_TARGET names it.
#include <cstdint>

#include "fuzz/harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  whisper_s4y::run_fuzz_target(WHISPER_S4Y_FUZZ_TARGET, std::as_bytes(std::span(data, size)));
  return 0;
}
