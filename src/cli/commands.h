// The commands of the program, one file each.
#pragma once

namespace CLI {
class App;
}

namespace whisper_s4y {

/// Each adds its command to the program; the command runs when `app` has parsed its arguments.
void add_convert_command(CLI::App& app);
void add_transcribe_command(CLI::App& app);
void add_listen_command(CLI::App& app);
void add_serve_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_features_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_verify_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_pull_command(CLI::App& app);
void add_completion_command(CLI::App& app);

/// These are shown to nobody; `app` outlives its commands.
void add_complete_command(CLI::App& app);
void add_man_pages_command(CLI::App& app);
void add_openapi_command(CLI::App& app);

/// Thrown by a command that has reported its failures itself: the exit code is 1, no more is said.
struct AlreadyReported {};

}  // namespace whisper_s4y
