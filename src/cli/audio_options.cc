#include "cli/audio_options.h"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace whisper_s4y {

void add_audio_options(CLI::App& command, AudioOptions& options, Channels channels) {
  constexpr const char* kGroup = "Tracks and channels";
  command
      .add_option("--audio-track", options.track,
                  "Audio track of a file with several: its number from 1, as `inspect` lists them, "
                  "or its language; without it the file's main one")
      ->type_name("N|LANG")
      ->group(kGroup);
  std::string description = "mix, left, right or a channel's number from 1";
  if (channels == Channels::each) {
    description +=
        "; each: every channel for itself, with its name before its text (an interview with a "
        "microphone for each speaker)";
  }
  CLI::Option* channel = command.add_option("--channel", options.channel, description)
                             ->type_name("CHANNEL")
                             ->capture_default_str()
                             ->group(kGroup);
  if (channels == Channels::one) {
    const auto check = [](const std::string& text) -> std::string {
      return text == "each" ? "this command takes one channel or the mix" : "";
    };
    channel->check(CLI::Validator(check, ""));
  }
}

void add_pcm_options(CLI::App& command, AudioOptions& options) {
  constexpr const char* kGroup = "Raw PCM, which has no header";
  CLI::Option* rate =
      command
          .add_option("--pcm-rate", options.pcm_rate,
                      "Read the recordings as raw PCM with so many samples a second")
          ->type_name("HZ")
          ->group(kGroup);
  command.add_option("--pcm-channels", options.pcm_channels, "Interleaved channels of it")
      ->type_name("N")
      ->capture_default_str()
      ->needs(rate)
      ->group(kGroup);
  add_pcm_format(command, options.pcm_format,
                 "Its numbers: s16le (16-bit integers) or f32le (floats)")
      ->needs(rate)
      ->group(kGroup);
}

CLI::Option* add_pcm_format(CLI::App& command, PcmFormat& format, const std::string& description) {
  const std::map<std::string, PcmFormat> formats = {{"s16le", PcmFormat::s16le},
                                                    {"f32le", PcmFormat::f32le}};
  return command.add_option("--pcm-format", format, description)
      ->transform(CLI::Transformer(formats).description(""))
      ->type_name("FORMAT")
      ->default_str("s16le");
}

}  // namespace whisper_s4y
