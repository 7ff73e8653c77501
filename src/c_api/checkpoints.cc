#include <nlohmann/json.hpp>

#include "c_api/callbacks.h"
#include "c_api/options.h"
#include "whisper_s4y/checkpoint.h"
#include "whisper_s4y/convert.h"

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

namespace {

std::function<void(uint64_t, uint64_t)> in_bytes(const Callbacks& callbacks) {
  if (!callbacks.on_progress) return {};
  return [report = callbacks.on_progress](uint64_t done, uint64_t total) {
    report(static_cast<double>(done), static_cast<double>(total));
  };
}

std::function<void(const std::string&, uint64_t, uint64_t)> of_file(const Callbacks& callbacks) {
  if (!callbacks.on_progress) return {};
  return [report = in_bytes(callbacks)](const std::string& /*file*/, uint64_t done,
                                        uint64_t total) { report(done, total); };
}

ConvertCallbacks convert_callbacks(const whisper_s4y_callbacks* callbacks) {
  const Callbacks given(callbacks);
  ConvertCallbacks result;
  result.on_progress = in_bytes(given);
  result.on_download = of_file(given);
  result.cancelled = given.cancelled;
  result.on_warning = given.on_warning;
  result.on_notice = given.on_warning;
  return result;
}

PullCallbacks pull_callbacks(const whisper_s4y_callbacks* callbacks) {
  const Callbacks given(callbacks);
  PullCallbacks result;
  result.on_progress = of_file(given);
  result.cancelled = given.cancelled;
  result.on_warning = given.on_warning;
  result.on_notice = given.on_warning;
  return result;
}

}  // namespace

whisper_s4y_status whisper_s4y_convert(const char* checkpoint, const char* output,
                                       const whisper_s4y_options* options,
                                       const whisper_s4y_callbacks* callbacks) {
  return guarded_call([&] {
    convert(needed_text(checkpoint, "checkpoint"), needed_text(output, "output"),
            options_of<ConvertOptions>(options, "options"), convert_callbacks(callbacks));
  });
}

whisper_s4y_status whisper_s4y_convert_to_memory(const char* checkpoint,
                                                 const whisper_s4y_options* options,
                                                 const whisper_s4y_callbacks* callbacks,
                                                 void** file, size_t* size) {
  return guarded_call([&] {
    needed(file, "file") = nullptr;
    needed(size, "size") = 0;
    const std::vector<std::byte> bytes = convert_to_memory(
        needed_text(checkpoint, "checkpoint"), options_of<ConvertOptions>(options, "options"),
        convert_callbacks(callbacks));
    *file = copy_array(std::span<const std::byte>(bytes));
    *size = bytes.size();
  });
}

whisper_s4y_status whisper_s4y_make_front_end(int num_mel_bins, void** file, size_t* size) {
  return guarded_call([&] {
    needed(file, "file") = nullptr;
    needed(size, "size") = 0;
    const std::vector<std::byte> bytes = make_front_end(num_mel_bins, "serving_default");
    *file = copy_array(std::span<const std::byte>(bytes));
    *size = bytes.size();
  });
}

whisper_s4y_status whisper_s4y_describe_file(const char* path, char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    *json = copy_text(describe_file(needed_text(path, "path")));
  });
}

whisper_s4y_status whisper_s4y_export(const char* checkpoint, const char* folder,
                                      const char* format, const whisper_s4y_callbacks* callbacks) {
  return guarded_call([&] {
    export_checkpoint(needed_text(checkpoint, "checkpoint"), needed_text(folder, "folder"),
                      needed_text(format, "format"), {}, pull_callbacks(callbacks));
  });
}

whisper_s4y_status whisper_s4y_download(const char* name, const char* folder,
                                        const whisper_s4y_options* hub,
                                        const whisper_s4y_callbacks* callbacks) {
  return guarded_call([&] {
    pull(needed_text(name, "name"), needed_text(folder, "folder"),
         options_of<PullOptions>(hub, "hub"), pull_callbacks(callbacks));
  });
}

whisper_s4y_status whisper_s4y_resolve_checkpoint(const char* checkpoint,
                                                  const whisper_s4y_options* hub,
                                                  const whisper_s4y_callbacks* callbacks,
                                                  char** path) {
  return guarded_call([&] {
    needed(path, "path") = nullptr;
    *path =
        copy_text(resolve_checkpoint(needed_text(checkpoint, "checkpoint"),
                                     options_of<PullOptions>(hub, "hub"), pull_callbacks(callbacks))
                      .native());
  });
}

whisper_s4y_status whisper_s4y_model_names(char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    *json = copy_text(json_text(model_names()));
  });
}

whisper_s4y_status whisper_s4y_pull(const char* name, const char* folder, const char* revision,
                                    const whisper_s4y_callbacks* callbacks) {
  return guarded_call([&] {
    PullOptions options;
    if (revision != nullptr) options.revision = revision;
    pull(needed_text(name, "name"), needed_text(folder, "folder"), options,
         pull_callbacks(callbacks));
  });
}
