// Files that must not outlive an interrupted process.
#pragma once

#include <string>

namespace whisper_s4y {

/// While it lives, remove_unfinished_files() removes the file. Destroying it only forgets the file.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::string& path);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

 private:
  int slot_;
};

/// Removes what unfinished files there are. Safe in a signal handler; the process must end then.
void remove_unfinished_files() noexcept;

}  // namespace whisper_s4y
