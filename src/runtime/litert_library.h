// The LiteRT library of this process: its version, its environment, its status codes.
#pragma once

#include <string>
#include <string_view>

class LiteRtEnvironmentT;

namespace whisper_s4y::litert {

/// The process's one LiteRT environment: CPU accelerator only, no log output but
/// errors (which LogCapture takes). Created at the first call, which checks the library:
/// throws Error when it lacks a function we call or its CPU accelerator has another ABI version.
/// Thread-safe.
[[nodiscard]] LiteRtEnvironmentT* environment();

/// Identifies the loaded library's code: 32 hex digits of a hash over its file. Names weight
/// caches, whose layout may differ from build to build.
[[nodiscard]] const std::string& library_id();

/// Throws Error "<action>: LiteRT reports <status>[: <details>]." unless status is 0.
void check(int status, std::string_view action, std::string_view details = {});

}  // namespace whisper_s4y::litert
