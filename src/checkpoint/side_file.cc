#include "checkpoint/side_file.h"

#include <algorithm>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

bool lies_in(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first ==
         folder.end();
}

}  // namespace

std::optional<fs::path> find_side_file(const fs::path& folder, std::string_view name) {
  fs::path path = folder / name;
  if (!fs::exists(path)) return std::nullopt;
  if (!fs::is_symlink(path)) return path;
  const fs::path target = fs::canonical(path);
  const fs::path home = fs::canonical(folder);
  const fs::path snapshots = home.parent_path();
  const bool in_hub_cache =
      snapshots.filename() == "snapshots" && lies_in(target, snapshots.parent_path() / "blobs");
  if (!lies_in(target, home) && !in_hub_cache) {
    fail("{} is a link out of its folder, to {}; put a copy of the file there.", path.string(),
         target.string());
  }
  return path;
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

}  // namespace whisper_s4y
