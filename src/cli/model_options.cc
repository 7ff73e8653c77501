#include "cli/model_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/console.h"
#include "common/utf8.h"

namespace whisper_s4y {

void add_model_options(CLI::App& command, ModelOptions& options) {
  command.add_option("-t,--threads", options.threads, "Threads; 0 for all cores")
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--no-cache", options.no_cache,
                   "Keep no packed weights in ~/.cache/whisper-s4y: the next start takes longer");
  command.add_flag("-q,--quiet", options.quiet, "Show no progress, no summary and no warnings");
}

void print_warning(const std::string& warning) {
  print_err("whisper-s4y: warning: {}\n", visible(warning));
}

RuntimeOptions runtime_options(const ModelOptions& options) {
  RuntimeOptions runtime;
  runtime.threads = options.threads;
  runtime.use_cache = !options.no_cache;
  if (!options.quiet) runtime.on_warning = print_warning;
  runtime.validate();
  return runtime;
}

}  // namespace whisper_s4y
