// Names of the metadata entries of every .tflite file that whisper-s4y writes.
#pragma once

#include <string_view>

namespace whisper_s4y {

inline constexpr std::string_view kModelMetadata = "whisper_s4y.model";            // JSON
inline constexpr std::string_view kVocabularyMetadata = "whisper_s4y.vocabulary";  // to_text()
inline constexpr std::string_view kWeightsMetadata = "whisper_s4y.weights";        // JSON

}  // namespace whisper_s4y
