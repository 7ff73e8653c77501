// The LiteRT library of this process: its version, its environment, its status codes.
#pragma once

#include <string>
#include <string_view>

class LiteRtEnvironmentT;
struct link_map;

namespace whisper_s4y::litert {

/// The library in this process, which the first call loads: throws Error when it is not there or
/// lacks a function we call. Thread-safe.
[[nodiscard]] const link_map& library();

/// The process's one LiteRT environment: CPU accelerator only, no log output but
/// errors (which LogCapture takes). Created at the first call, which throws Error as library()
/// does, and when the CPU accelerator has another ABI version. Thread-safe.
[[nodiscard]] LiteRtEnvironmentT* environment();

/// Identifies the loaded library's code: 32 hex digits of a hash over its file. Names weight
/// caches, whose layout may differ from build to build.
[[nodiscard]] const std::string& library_id();

/// Throws Error "<action>: LiteRT reports <status>[: <details>]." unless status is 0.
void check(int status, std::string_view action, std::string_view details = {});

}  // namespace whisper_s4y::litert
