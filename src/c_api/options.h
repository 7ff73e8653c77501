// Options behind C's handle.
#pragma once

#include <memory>
#include <string_view>

#include "audio/audio_options.h"
#include "c_api/boundary.h"
#include "conversion/convert_options.h"
#include "conversion/pull_options.h"
#include "options/option_table.h"
#include "output/output_options.h"
#include "runtime/runtime_options.h"
#include "transcribe/transcribe_options.h"
#include "vad/vad_options.h"

/// A struct of options and its table.
struct whisper_s4y_options {
  const whisper_s4y::OptionTable& table;
  std::shared_ptr<void> values;
};

namespace whisper_s4y::c_api {

/// The options behind a handle. Throws Error when they are not those of the table.
[[nodiscard]] const void* values_of(const whisper_s4y_options& options, const OptionTable& table,
                                    std::string_view name);

/// The same as their struct; the defaults for NULL.
template <typename Options>
Options options_of(const whisper_s4y_options* options, std::string_view name) {
  if (options == nullptr) return {};
  return *static_cast<const Options*>(values_of(*options, option_table<Options>(), name));
}

}  // namespace whisper_s4y::c_api
