#include "cli/checkpoint_input.h"

#include "cli/model_options.h"
#include "cli/pull_progress.h"

namespace whisper_s4y {

std::unique_ptr<Checkpoint> open_with_warnings(const std::filesystem::path& path) {
  std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(path);
  for (const std::string& warning : checkpoint->warnings) print_warning(warning);
  return checkpoint;
}

std::unique_ptr<Checkpoint> open_by_name(const std::string& name_or_path, bool quiet) {
  return open_with_warnings(resolve_checkpoint(name_or_path, hub_options_with_progress(quiet)));
}

}  // namespace whisper_s4y
