#include "cli/manifest.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// A cell without the quotes that Excel puts around what has commas or quotes inside.
std::string unquoted(std::string_view cell) {
  if (cell.size() < 2 || !cell.starts_with('"') || !cell.ends_with('"')) return std::string(cell);
  std::string text;
  const std::string_view inside = cell.substr(1, cell.size() - 2);
  for (size_t i = 0; i < inside.size(); ++i) {
    text += inside[i];
    if (inside[i] != '"') continue;
    if (i + 1 == inside.size() || inside[i + 1] != '"') return std::string(cell);  // as it is
    ++i;
  }
  return text;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const size_t tab = line.find('\t');
    cells.push_back(unquoted(line.substr(0, tab)));
    if (tab == std::string_view::npos) return cells;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

std::vector<ManifestEntry> read_manifest(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  // Without the end of line, whoever's it is.
  const auto next_line = [&] {
    if (!std::getline(file, line)) return false;
    if (line.ends_with('\r')) line.pop_back();
    return true;
  };
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || !file || !next_line()) {
    fail(ErrorCode::io, "Cannot read a first line of {}.", path.string());
  }
  if (line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF")) {
    fail("{} is UTF-16 text; save it as UTF-8, with tabs between the columns.", path.string());
  }
  if (line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  const std::vector<std::string> columns = split(line);
  const auto column = [&](std::string_view name) -> std::optional<size_t> {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found == columns.end()) return std::nullopt;
    return static_cast<size_t>(found - columns.begin());
  };
  const auto needed = [&](std::string_view name) {
    const auto found = column(name);
    if (!found) {
      const bool other = columns.size() == 1 && line.find_first_of(";,") != std::string::npos;
      fail("{} has no column \"{}\": the first line names the columns, with tabs between{}.",
           path.string(), name, other ? ", not commas or semicolons" : "");
    }
    return *found;
  };
  const size_t name = needed("file");
  const size_t reference = needed("reference");
  const std::optional<size_t> language = column("lang");
  const std::optional<size_t> set = column("set");

  std::vector<ManifestEntry> entries;
  for (size_t number = 2; next_line(); ++number) {
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
