// The one exception type of whisper-s4y.
//
//   try {
//     whisper_s4y::Model model("whisper-base.tflite");
//   } catch (const whisper_s4y::Error& error) {
//     std::cerr << error.what() << '\n';
//     return error.code() == whisper_s4y::ErrorCode::io ? kMissing : kBroken;
//   }
#pragma once

#include <stdexcept>
#include <string_view>

#include "whisper_s4y/export.h"

namespace whisper_s4y {

/// What kind of thing went wrong. The numbers are those of the C API and stay.
enum class ErrorCode {
  invalid_argument = 1,  // an option or an argument is impossible, or excludes another
  io = 2,                // the system cannot open, read or write a file
  invalid_file = 3,      // a file is damaged, or not what it was taken for
  unsupported = 4,       // this model or file cannot do what is asked of it
  not_found = 5,         // no such signature, tensor, format or model
  network = 6,           // the hub cannot be reached, or refuses
  runtime = 7,           // LiteRT cannot load or run the model
  out_of_memory = 8,
  cancelled = 9,  // the caller asked to stop
  internal = 10,  // a fault of whisper-s4y's
};

/// Everything that goes wrong is reported as an Error: a code, and one full sentence that says what
/// was expected, what was found, where (file, tensor, byte offset) and, if there is one, the way
/// out.
class WHISPER_S4Y_API Error : public std::runtime_error {
 public:
  /// Control characters become visible and what is not UTF-8 U+FFFD, for names from files are in
  /// messages; of a very long message the middle is left out.
  Error(ErrorCode code, std::string_view message);

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace whisper_s4y
