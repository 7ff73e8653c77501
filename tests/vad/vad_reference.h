// What make_vad_reference.py wrote.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "support/files.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

inline std::filesystem::path vad_test_folder() { return source_dir() / "tests" / "vad"; }

inline nlohmann::json read_reference(const char* name) {
  std::ifstream file(vad_test_folder() / name);
  return nlohmann::json::parse(file);
}

inline std::vector<VadOptions> options_of(const nlohmann::json& list) {
  std::vector<VadOptions> all;
  for (const auto& entry : list) {
    VadOptions& options = all.emplace_back();
    for (const auto& [name, value] : entry.items()) {
      if (name == "threshold") {
        options.threshold = value;
      } else if (name == "neg_threshold") {
        options.neg_threshold = value.get<double>();
      } else if (name == "min_speech_duration_ms") {
        options.min_speech_duration_ms = value;
      } else if (name == "max_speech_duration_s") {
        options.max_speech_duration_s = value;
      } else if (name == "min_silence_duration_ms") {
        options.min_silence_duration_ms = value;
      } else if (name == "speech_pad_ms") {
        options.speech_pad_ms = value;
      } else {
        throw std::runtime_error("unknown option " + name);
      }
    }
  }
  return all;
}

inline std::vector<SpeechSegment> segments_of(const nlohmann::json& list) {
  std::vector<SpeechSegment> segments;
  for (const auto& pair : list) segments.push_back({.start = pair.at(0), .end = pair.at(1)});
  return segments;
}

inline void PrintTo(const SpeechSegment& segment, std::ostream* out) {
  *out << segment.start << "-" << segment.end;
}

}  // namespace whisper_s4y
