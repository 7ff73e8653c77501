#include "whisper_s4y/checkpoint.h"

#include <algorithm>
#include <memory>

#include "checkpoint/checkpoint.h"
#include "common/boundary.h"
#include "conversion/callbacks.h"
#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "hub/repository.h"

namespace whisper_s4y {

HubOptions hub_options(const PullOptions& options, const PullCallbacks& callbacks) {
  HubOptions result = hub_options_from_environment();
  if (!options.endpoint.empty()) result.endpoint = options.endpoint;
  if (!options.token.empty()) result.token = options.token;
  result.revision = options.revision;
  result.offline = result.offline || options.offline;
  result.progress = guarded(callbacks.on_progress);
  result.notice = guarded(callbacks.on_notice);
  result.cancelled = guarded(callbacks.cancelled);
  return result;
}

void tell_warnings(const Checkpoint& checkpoint,
                   const std::function<void(const std::string&)>& on_warning) {
  if (const auto tell = guarded(on_warning)) std::ranges::for_each(checkpoint.warnings, tell);
}

void pull(const std::string& name, const std::filesystem::path& folder, const PullOptions& options,
          const PullCallbacks& callbacks) {
  with_errors([&] { pull(std::string_view(name), folder, hub_options(options, callbacks)); });
}

std::filesystem::path resolve_checkpoint(const std::string& name_or_path,
                                         const PullOptions& options,
                                         const PullCallbacks& callbacks) {
  return with_errors(
      [&] { return resolve_checkpoint(name_or_path, hub_options(options, callbacks)); });
}

ExportResult export_checkpoint(const std::string& checkpoint, const std::filesystem::path& folder,
                               const std::string& format, const PullOptions& options,
                               const PullCallbacks& callbacks) {
  return with_errors([&] {
    const auto path = resolve_checkpoint(checkpoint, hub_options(options, callbacks));
    return stoppable(callbacks.cancelled, "The export", [&] {
      stop_point();
      const std::unique_ptr<Checkpoint> opened = open_checkpoint(path);
      tell_warnings(*opened, callbacks.on_warning);
      export_checkpoint(*opened, folder, std::string_view(format));
      return ExportResult{.name = opened->info.name, .checkpoint_format = opened->format};
    });
  });
}

std::vector<std::string> model_names() {
  return with_errors([] { return known_model_names(); });
}

std::vector<std::string> export_formats() {
  return {"safetensors", "openai", "ggml", "ctranslate2"};
}

}  // namespace whisper_s4y
