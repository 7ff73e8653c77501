#include "cli/audio_flags.h"

#include <CLI/CLI.hpp>
#include <string>

#include "audio/audio_options.h"
#include "cli/option_flags.h"

namespace whisper_s4y {

void add_one_channel_flags(CLI::App& command, AudioOptions& options) {
  add_flags(command, options, {"track", "channel"});
  const auto check = [](const std::string& text) -> std::string {
    return text == "each" ? "this command takes one channel or the mix" : "";
  };
  command.get_option("--channel")
      ->description("mix, left, right or a channel's number from 1")
      ->check(CLI::Validator(check, ""));
}

}  // namespace whisper_s4y
