// The description of the API (OpenAPI 3.1).
#pragma once

#include <string>

#include "options/field.h"

namespace whisper_s4y::server {

/// Routes, fields and answers; the fields that are options come from their tables.
[[nodiscard]] Json openapi();

/// The same as YAML.
[[nodiscard]] std::string openapi_yaml();

}  // namespace whisper_s4y::server
