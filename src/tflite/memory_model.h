// A model that is made and used by one process, without a file.
#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"
#include "tflite/reader.h"

namespace whisper_s4y {

/// Writes the module into memory and opens it there. `name` stands for the path in messages.
[[nodiscard]] std::shared_ptr<const TfliteFile> tflite_in_memory(const Module& module,
                                                                 const std::string& name);

}  // namespace whisper_s4y
