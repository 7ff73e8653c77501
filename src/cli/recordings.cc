#include "cli/recordings.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "common/ascii.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

// What FFmpeg reads and people record; other files are taken when they are named.
constexpr auto kEndings = std::to_array<std::string_view>(
    {"3gp",  "aac", "ac3",  "aif",  "aiff", "amr", "ape", "au",   "avi", "caf",
     "flac", "flv", "m4a",  "m4b",  "m4v",  "mka", "mkv", "mov",  "mp2", "mp3",
     "mp4",  "mpg", "mpeg", "mts",  "oga",  "ogg", "ogv", "opus", "spx", "ts",
     "tta",  "wav", "weba", "webm", "wma",  "wmv", "wv"});

bool has_known_ending(const fs::path& path) {
  const std::string ending = lower_case(path.extension().string());
  return !ending.empty() &&
         std::ranges::find(kEndings, std::string_view(ending).substr(1)) != kEndings.end();
}

/// All recordings in a folder and its subfolders. A folder that cannot be read is a problem, and
/// the others are read nevertheless; links to folders are not followed.
void search(const fs::path& folder, std::vector<fs::path>& files,
            std::vector<std::string>& problems) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code gone;  // a file that disappears meanwhile is no recording
    if (entry->is_directory(gone) && !entry->is_symlink(gone)) {
      search(entry->path(), files, problems);
    } else if (entry->is_regular_file(gone) && has_known_ending(entry->path())) {
      files.push_back(entry->path());
    }
  }
  if (error) {
    problems.push_back(
        fmt::format("Cannot read the folder {}: {}.", folder.string(), error.message()));
  }
}

void add_folder(const fs::path& folder, Recordings& recordings) {
  std::vector<fs::path> files;
  const size_t problems = recordings.problems.size();
  search(folder, files, recordings.problems);
  if (files.empty() && recordings.problems.size() == problems) {
    recordings.problems.push_back(fmt::format(
        "The folder {} holds no file whose name ends as recordings do.", folder.string()));
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    recordings.found.push_back(
        {.path = file, .subfolder = file.lexically_relative(folder).parent_path()});
  }
}

void add(const std::string& argument, bool may_be_pattern, Recordings& recordings) {
  std::error_code error;
  if (argument != "-" && fs::is_directory(argument, error)) {
    add_folder(argument, recordings);
    return;
  }
  const bool pattern = may_be_pattern && argument.find_first_of("*?[") != std::string::npos;
  if (!pattern || fs::exists(argument, error)) {
    recordings.found.push_back({.path = argument, .subfolder = {}});
    return;
  }
  glob_t matches{};
  if (::glob(argument.c_str(), 0, nullptr, &matches) != 0) {
    recordings.problems.push_back(fmt::format("No file is named like {}.", argument));
  }
  for (size_t i = 0; i < matches.gl_pathc; ++i) add(matches.gl_pathv[i], false, recordings);
  ::globfree(&matches);
}

// Counts recordings by where their outputs go.
std::map<fs::path, int> counted(const std::vector<Recording>& recordings) {
  std::map<fs::path, int> counts;
  for (const Recording& one : recordings) ++counts[one.subfolder / one.output];
  return counts;
}

void name_outputs(std::vector<Recording>& recordings) {
  for (Recording& one : recordings) {
    one.output = one.path == "-" ? "stdin" : one.path.stem().string();
  }
  // A name that was made longer may be another's: talk.mp3, talk.wav and talk.mp3.wav.
  for (bool changed = true; changed;) {
    changed = false;
    const std::map<fs::path, int> counts = counted(recordings);
    for (Recording& one : recordings) {
      const std::string whole = one.path.filename().string();
      const bool alone = counts.at(one.subfolder / one.output) == 1;
      if (alone || one.path == "-" || one.output == whole) continue;
      one.output = whole;
      changed = true;
    }
  }
}

}  // namespace

Recordings find_recordings(const std::vector<std::string>& arguments) {
  Recordings recordings;
  for (const std::string& argument : arguments) add(argument, true, recordings);
  // A pattern may match what is named as well.
  std::set<fs::path> seen;
  std::erase_if(recordings.found,
                [&](const Recording& recording) { return !seen.insert(recording.path).second; });
  name_outputs(recordings.found);
  return recordings;
}

bool is_done(const fs::path& recording, const std::vector<fs::path>& outputs) {
  std::error_code error;
  const auto recorded = fs::last_write_time(recording, error);
  if (error) return false;
  return std::ranges::all_of(outputs, [&](const fs::path& output) {
    const auto written = fs::last_write_time(output, error);
    return !error && written >= recorded;
  });
}

}  // namespace whisper_s4y
