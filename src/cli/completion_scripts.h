// The scripts by which shells complete command lines of whisper-s4y.
#pragma once

#include <span>
#include <string_view>

namespace whisper_s4y {

struct CompletionScript {
  std::string_view shell;  // "bash"
  std::string_view text;
};

[[nodiscard]] std::span<const CompletionScript> completion_scripts();

}  // namespace whisper_s4y
