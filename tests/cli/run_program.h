// Runs the program under test.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace whisper_s4y {

struct ProgramResult {
  int exit_code = -1;  // 128 + n when signal n ended it, as a shell says it
  std::string out;
  std::string err;
};

struct ProgramOptions {
  std::map<std::string, std::string> environment;  // added to the test's own
  std::string standard_input;
  std::filesystem::path standard_output;  // a file to write to instead of ProgramResult::out
  int interrupt_after_ms = 0;             // sends SIGINT then; 0 = never
};

/// Runs `whisper-s4y ARGUMENTS` to its end.
ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramOptions& options = {});

/// A folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  /// Names of what is in it.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& content);

/// Genuine checkpoints, from the environment variable WHISPER_S4Y_CHECKPOINTS; empty without them.
[[nodiscard]] std::filesystem::path genuine_checkpoint(const std::string& name);

}  // namespace whisper_s4y
