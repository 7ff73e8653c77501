// Where tests find what they read and put what they write.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace whisper_s4y {

/// The project's checkout.
[[nodiscard]] std::filesystem::path source_dir();

/// The folder with goldens/ and speech/ beside the checkout; tests that need it skip without.
[[nodiscard]] std::filesystem::path shared_dir();

/// A genuine checkpoint, for instance "tiny.en/ct2", from the environment variable
/// WHISPER_S4Y_CHECKPOINTS; empty without that.
[[nodiscard]] std::filesystem::path genuine_checkpoint(std::string_view name);

/// A folder that is removed with its content.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }
  /// The same as text, for a command line.
  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }
  /// Names of what is in it, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

/// All bytes of a file; both throw when that fails.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace whisper_s4y
