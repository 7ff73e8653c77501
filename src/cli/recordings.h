// The recordings that the arguments of a command mean.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace whisper_s4y {

struct Recording {
  std::filesystem::path path;       // "-" is standard input
  std::filesystem::path subfolder;  // where it lies in the folder that was given; empty: at the top
  std::string output;               // name of its outputs without the format's ending, "talk"
};

struct Recordings {
  std::vector<Recording> found;
  std::vector<std::string> problems;  // full sentences: what means nothing or cannot be read
};

/// A file stands for itself, whether it exists or not; a folder for all files in it and its
/// subfolders whose names end as recordings do, in the order of their names; a pattern (*, ?, [ab])
/// that no file is named like for what it matches. The same path counts once. Outputs are named
/// like the recordings without their ending; where two in a folder differ in that alone (talk.mp3,
/// talk.wav) they keep it.
[[nodiscard]] Recordings find_recordings(const std::vector<std::string>& arguments);

/// Whether every output exists and is no older than the recording.
[[nodiscard]] bool is_done(const std::filesystem::path& recording,
                           const std::vector<std::filesystem::path>& outputs);

}  // namespace whisper_s4y
