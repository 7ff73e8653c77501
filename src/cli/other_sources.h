// Options that do not stand on the command line: those of a program that runs for long.
#pragma once

namespace CLI {
class App;
}

namespace whisper_s4y {

/// Adds --config FILE, which gives options that are said nowhere else (port = 8080). To be called
/// before the command has any option.
void add_config_file(CLI::App& command);

/// Lets every option of the command come from the environment too: WHISPER_S4Y_PORT for --port, if
/// it is not on the command line. To be called when the command has all its options.
void take_options_from_environment(CLI::App& command);

}  // namespace whisper_s4y
