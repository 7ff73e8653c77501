#include "cli/pull_progress.h"

#include <memory>

#include "cli/console.h"
#include "cli/model_options.h"
#include "cli/progress.h"

namespace whisper_s4y {

PullCallbacks pull_progress(bool quiet) {
  PullCallbacks callbacks;
  struct State {
    std::string file;
    std::unique_ptr<Progress> progress;
  };
  const auto state = std::make_shared<State>();
  callbacks.on_progress = [quiet, state](const std::string& file, uint64_t done, uint64_t total) {
    if (!state->progress || state->file != file) {
      state->progress.reset();  // takes its bar away first
      state->progress = std::make_unique<Progress>(file, Progress::Unit::bytes, quiet);
      state->file = file;
    }
    state->progress->update(done, total);
  };
  callbacks.on_notice = [quiet, state](const std::string& notice) {
    if (quiet) return;
    if (state->progress) state->progress->clear();
    print_err("whisper-s4y: {}\n", notice);
  };
  callbacks.on_warning = [state](const std::string& warning) {
    if (state->progress) state->progress->clear();
    print_warning(warning);
  };
  return callbacks;
}

}  // namespace whisper_s4y
