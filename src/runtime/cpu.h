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

/// Marks the upper parts of the vector registers as unused. XNNPACK's int8 kernels leave them in
/// use, and every SSE instruction then waits for the one before: our own code runs 2.5 times
/// slower.
void clear_upper_vector_registers();

}  // namespace whisper_s4y
