// What the names of constants say of the weights in files that were written before these had
// metadata for it: NAME*0.125, NAME:ohwi, NAME[0+8000].scales.int4 and the like.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "tflite/reader.h"
#include "tflite/stored_weights.h"

namespace whisper_s4y {

/// The constants of a file by their names.
using Constants = std::map<std::string_view, const tflite::Tensor*>;

/// The constants that hold rows of a weight, as their names say it.
[[nodiscard]] std::vector<StoredWeight> stored_by_name(const Constants& constants,
                                                       const std::string& weight);

/// The names of constants that begin as the weight's does and say what this program does not know.
[[nodiscard]] std::vector<std::string_view> unknown_names(const Constants& constants,
                                                          const std::string& weight);

}  // namespace whisper_s4y
