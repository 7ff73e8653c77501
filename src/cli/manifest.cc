#include "cli/manifest.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

std::vector<std::string> split(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string> cells;
  for (;;) {
    const size_t tab = line.find('\t');
    cells.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return cells;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

std::vector<ManifestEntry> read_manifest(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::filesystem::is_regular_file(path) || !file || !std::getline(file, line)) {
    fail("Cannot read a first line of {}.", path.string());
  }
  const std::vector<std::string> columns = split(line);
  const auto column = [&](std::string_view name) -> std::optional<size_t> {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found == columns.end()) return std::nullopt;
    return static_cast<size_t>(found - columns.begin());
  };
  const auto needed = [&](std::string_view name) {
    const auto found = column(name);
    if (!found) {
      fail("{} has no column \"{}\": the first line names the columns, with tabs between.",
           path.string(), name);
    }
    return *found;
  };
  const size_t name = needed("file");
  const size_t reference = needed("reference");
  const std::optional<size_t> language = column("lang");
  const std::optional<size_t> set = column("set");

  std::vector<ManifestEntry> entries;
  for (size_t number = 2; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    const std::vector<std::string> cells = split(line);
    if (cells.size() != columns.size()) {
      fail("{}, line {}: {} cells instead of {}.", path.string(), number, cells.size(),
           columns.size());
    }
    if (cells[reference].empty()) continue;
    entries.push_back({.file = path.parent_path() / cells[name],
                       .reference = cells[reference],
                       .language = language ? cells[*language] : std::string(),
                       .set = set ? cells[*set] : std::string()});
  }
  if (entries.empty()) fail("{} lists no recording with a reference.", path.string());
  return entries;
}

}  // namespace whisper_s4y
