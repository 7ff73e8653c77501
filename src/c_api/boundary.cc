#include "c_api/boundary.h"

#include <cstdlib>
#include <new>

#include "common/boundary.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y::c_api {
namespace {

std::string& last_error() {
  thread_local std::string message;
  return message;
}

}  // namespace

whisper_s4y_status status_of_current_exception() noexcept {
  try {
    rethrow_as_error();
  } catch (const Error& error) {
    try {
      last_error() = error.what();
    } catch (const std::bad_alloc&) {
      last_error().clear();  // there is no memory even for the sentence
    }
    return static_cast<whisper_s4y_status>(error.code());
  } catch (...) {
    // A callback of the caller's has thrown, which it must not.
    last_error().clear();
    return WHISPER_S4Y_INTERNAL;
  }
}

void* allocate(size_t bytes) {
  void* memory = std::malloc(std::max<size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

char* copy_text(std::string_view text) {
  auto* copy = static_cast<char*>(allocate(text.size() + 1));
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

}  // namespace whisper_s4y::c_api

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

const char* whisper_s4y_version(void) {
  static const std::string version(kVersion);
  return version.c_str();
}

int whisper_s4y_abi_version(void) { return WHISPER_S4Y_ABI_VERSION; }

const char* whisper_s4y_last_error(void) { return last_error().c_str(); }

void whisper_s4y_free(void* memory) { std::free(memory); }
