// A model for tests of the program that do not care what it says.
#pragma once

#include <string>

namespace whisper_s4y {

/// The path of a bundle with random weights, a few hundred kilobytes, made when first asked for. It
/// is multilingual and can align words.
[[nodiscard]] std::string small_model();

/// The folder of its checkpoint, in safetensors.
[[nodiscard]] std::string small_checkpoint();

/// One whose weights are finite, but what is computed with them is not.
[[nodiscard]] std::string overflowing_checkpoint();

}  // namespace whisper_s4y
