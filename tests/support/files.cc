#include "support/files.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace whisper_s4y {

namespace fs = std::filesystem;

fs::path source_dir() { return WHISPER_S4Y_SOURCE_DIR; }

fs::path shared_dir() { return WHISPER_S4Y_SHARED_DIR; }

fs::path genuine_checkpoint(std::string_view name) {
  const char* folder = std::getenv("WHISPER_S4Y_CHECKPOINTS");
  if (folder == nullptr || *folder == '\0') return {};
  return fs::path(folder) / name;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "whisper-s4y-test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make the folder " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // a folder left behind does not spoil a test
  fs::permissions(path_, fs::perms::owner_all, ignored);
  fs::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return text.str();
}

void write_file(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file << content << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace whisper_s4y
