// How a model is run, for all commands that run one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/model.h"

namespace CLI {
class App;
}

namespace whisper_s4y {

struct ModelOptions {
  RuntimeOptions options;
  bool quiet = false;  // no progress, no summary, no warnings
};

/// Adds a flag for each of the options, or `only` those, and --quiet. `options` outlives the
/// command.
void add_model_options(CLI::App& command, ModelOptions& options,
                       const std::vector<std::string_view>& only = {});

/// On the standard error.
void print_warning(const std::string& warning);

/// The same for the runtime; warnings go to the standard error.
[[nodiscard]] RuntimeOptions runtime_options(const ModelOptions& options);

}  // namespace whisper_s4y
