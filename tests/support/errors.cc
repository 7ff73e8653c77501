#include "support/errors.h"

#include "whisper_s4y/error.h"

namespace whisper_s4y {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace whisper_s4y
