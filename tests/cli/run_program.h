// Runs the program under test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/files.h"

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
  std::filesystem::path standard_error;   // the same for ProgramResult::err
  std::vector<int> closed;                // descriptors it begins without
  bool unprivileged = false;              // permissions count, even for root
  int interrupt_after_ms = 0;             // sends SIGINT then; 0 = never
  uint64_t file_size_limit = 0;  // bytes it may write to a file, as on a full disk; 0 = any
};

/// Runs `whisper-s4y ARGUMENTS` to its end.
ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramOptions& options = {});

}  // namespace whisper_s4y
