// Transcripts as text, subtitles and tables.
//
//   whisper_s4y::OutputOptions options;
//   options.max_line_width = 42;
//   using whisper_s4y::OutputFormat;
//   std::string srt = whisper_s4y::format_transcript(transcript, OutputFormat::srt, options);
//   whisper_s4y::write_transcript(transcript, OutputFormat::json, options, "talk.json");
//
// txt, vtt, srt, tsv and json are those of openai/whisper (utils.py). Where channels are told apart
// (transcript.h: merge_channels) txt, srt and lrc begin with "left: ", vtt with "<v left>", and tsv
// and csv have a column more.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/export.h"
#include "whisper_s4y/transcript.h"

namespace whisper_s4y {

enum class OutputFormat {
  txt,   // a segment a line
  vtt,   // WebVTT subtitles
  srt,   // SubRip subtitles
  tsv,   // start, end (milliseconds) and text, tabs between
  json,  // everything that is known
  lrc,   // lyrics: [mm:ss.cc]text
  csv,   // start, end (milliseconds) and text, commas between, text in quotes
};

/// How words are laid out in vtt and srt. All of it needs word timestamps; without any the cues are
/// the segments.
struct OutputOptions {
  std::optional<int> max_line_width;      // most characters in a line
  std::optional<int> max_line_count;      // most lines in a cue; cues then run across segments
  std::optional<int> max_words_per_line;  // most words in a cue
  bool highlight_words = false;           // a cue for every word, which is underlined in it
};

/// "srt" and so on. Throws Error listing the formats for anything else.
[[nodiscard]] WHISPER_S4Y_API OutputFormat output_format(std::string_view name);
/// One format, several with commas between, or all for "all".
[[nodiscard]] WHISPER_S4Y_API std::vector<OutputFormat> output_formats(std::string_view names);
/// The name of a format, which is also the ending of its files.
[[nodiscard]] WHISPER_S4Y_API std::string_view name_of(OutputFormat format);

/// Throws Error for a number below 1, and for an option that would have no effect: any without
/// `word_timestamps`, and those that another option makes void.
WHISPER_S4Y_API void validate(const OutputOptions& options, bool word_timestamps);

/// The whole file of a transcript, UTF-8.
[[nodiscard]] WHISPER_S4Y_API std::string format_transcript(const Transcript& transcript,
                                                            OutputFormat format,
                                                            const OutputOptions& options = {});

/// Writes it; the file appears when it is complete. Throws Error when it cannot be written.
WHISPER_S4Y_API void write_transcript(const Transcript& transcript, OutputFormat format,
                                      const OutputOptions& options,
                                      const std::filesystem::path& path);

/// `folder`/talk.srt for the recording x/talk.mp4; `folder`/stdin.srt for "-".
[[nodiscard]] WHISPER_S4Y_API std::filesystem::path output_path(
    const std::filesystem::path& folder, const std::filesystem::path& recording,
    OutputFormat format);

/// 01:02:03.450, rounded to milliseconds; hours only when there are some or they are asked for.
[[nodiscard]] WHISPER_S4Y_API std::string format_timestamp(double seconds,
                                                           bool always_hours = false,
                                                           char decimal_mark = '.');

}  // namespace whisper_s4y
