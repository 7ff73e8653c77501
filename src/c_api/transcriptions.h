// What the calls that transcribe share.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace whisper_s4y::c_api {

/// [["en", 0.98], ...]
[[nodiscard]] std::string languages_json(
    const std::vector<std::pair<std::string, float>>& languages);

}  // namespace whisper_s4y::c_api
