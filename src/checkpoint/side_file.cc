#include "checkpoint/side_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

bool lies_in(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first ==
         folder.end();
}

// Whether following the link gives nothing to anyone: it was made by the user who runs this, by
// root, or by the owner of what it leads to.
bool is_trusted(const fs::path& link, const fs::path& target) {
  struct stat of_link {};
  struct stat of_target {};
  if (::lstat(link.c_str(), &of_link) != 0 || ::stat(target.c_str(), &of_target) != 0) return false;
  return of_link.st_uid == ::geteuid() || of_link.st_uid == 0 || of_link.st_uid == of_target.st_uid;
}

}  // namespace

std::optional<fs::path> find_side_file(const fs::path& folder, std::string_view name) {
  fs::path path = folder / name;
  std::error_code error;
  const bool exists = fs::exists(path, error);
  if (error) fail("Cannot read {}: {}.", path.string(), error.message());
  if (!fs::is_symlink(path)) return exists ? std::optional(path) : std::nullopt;
  if (!exists) {
    fail("{} is a link to {}, which is not there; a download into a cache may not be complete.",
         path.string(), fs::read_symlink(path).string());
  }
  const fs::path target = fs::canonical(path);
  const fs::path home = fs::canonical(folder);
  const fs::path snapshots = home.parent_path();
  const bool in_hub_cache =
      snapshots.filename() == "snapshots" && lies_in(target, snapshots.parent_path() / "blobs");
  if (!lies_in(target, home) && !in_hub_cache && !is_trusted(path, target)) {
    fail("{} is another user's link out of its folder, to {}; put a copy of the file there.",
         path.string(), target.string());
  }
  return path;
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

}  // namespace whisper_s4y
