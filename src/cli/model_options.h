// How a model is run, for all commands that run one.
#pragma once

#include <string>

#include "whisper_s4y/model.h"

namespace CLI {
class App;
}

namespace whisper_s4y {

struct ModelOptions {
  int threads = 0;        // 0: all cores
  bool no_cache = false;  // pack the weights anew
  bool quiet = false;     // no progress, no summary, no warnings
};

/// Adds --threads, --no-cache and --quiet. `options` outlives the command.
void add_model_options(CLI::App& command, ModelOptions& options);

/// On the standard error.
void print_warning(const std::string& warning);

/// The same for the runtime; warnings go to the standard error.
[[nodiscard]] RuntimeOptions runtime_options(const ModelOptions& options);

}  // namespace whisper_s4y
