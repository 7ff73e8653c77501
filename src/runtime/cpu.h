// What the runtime needs to know of the processor.
#pragma once

#include <string>

namespace whisper_s4y {

/// Number of threads that computes fastest: the physical cores this process may use, no more than
/// the processor time its control group grants. At least 1.
[[nodiscard]] int default_threads();

/// Identifies the processor's model and instruction sets: 32 hex digits. XNNPACK packs weights
/// differently for different processors.
[[nodiscard]] const std::string& cpu_id();

}  // namespace whisper_s4y
