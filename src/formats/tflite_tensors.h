// The weights of a bundle where its graphs have them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "checkpoint/checkpoint.h"
#include "tflite/reader.h"

namespace whisper_s4y {

/// All tensors by their canonical names, as views into the file, the output matrix only where it is
/// not the token embedding. Throws Error when the file does not say where one of them is.
[[nodiscard]] std::map<std::string, TensorView, std::less<>> tensors_of_bundle(
    std::shared_ptr<const TfliteFile> file, const ModelConfig& config);

}  // namespace whisper_s4y
