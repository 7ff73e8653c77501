// The version of whisper-s4y; for C too.
//
//   std::cout << "whisper-s4y " << whisper_s4y::kVersion << '\n';
//
// This is its one home: the program, the shared library's name, the CMake and pkg-config packages
// and the Debian package take it from here.
#pragma once

#define WHISPER_S4Y_VERSION "1.0.0"

#ifdef __cplusplus
#include <string_view>

namespace whisper_s4y {

inline constexpr std::string_view kVersion = WHISPER_S4Y_VERSION;

}  // namespace whisper_s4y
#endif
