// Lists of recordings and what is said in them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace whisper_s4y {

struct ManifestEntry {
  std::filesystem::path file;  // relative names begin at the manifest's folder
  std::string reference;       // what is said
  std::string language;        // code; empty when there is no such column
  std::string set;             // what the recording belongs to; empty when there is no such column
};

/// Reads a table with tabs between columns and a first line that names them: `file` and
/// `reference`, and, if wanted, `lang` and `set`; others do not matter. Rows without a reference
/// are left out. Throws Error naming file and line.
[[nodiscard]] std::vector<ManifestEntry> read_manifest(const std::filesystem::path& path);

}  // namespace whisper_s4y
