#include "cli/model_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/console.h"
#include "cli/option_flags.h"
#include "common/utf8.h"
#include "runtime/runtime_options.h"

namespace whisper_s4y {

void add_model_options(CLI::App& command, ModelOptions& options,
                       const std::vector<std::string_view>& only) {
  add_flags(command, options.options, only);
  command.add_flag("-q,--quiet", options.quiet, "Show no progress, no summary and no warnings");
}

void print_warning(const std::string& warning) {
  print_err("whisper-s4y: warning: {}\n", visible(warning));
}

RuntimeOptions runtime_options(const ModelOptions& options) {
  RuntimeOptions runtime = options.options;
  if (!options.quiet) runtime.on_warning = print_warning;
  runtime.validate();
  return runtime;
}

}  // namespace whisper_s4y
