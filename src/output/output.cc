#include "whisper_s4y/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "common/boundary.h"
#include "common/fail.h"
#include "common/output_file.h"
#include "common/utf8.h"
#include "output/cues.h"
#include "output/json_writer.h"

namespace whisper_s4y {
namespace {

template <typename... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// Halves to even, as Python rounds.
long long milliseconds(double seconds) { return std::llrint(1000.0 * seconds); }

std::string line_of(const Segment& segment) { return on_one_line(trimmed(segment.text)); }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// A segment's line in formats that have no other place for the channel.
std::string line_with_channel(const Segment& segment) {
  if (segment.channel.empty()) return line_of(segment);
  return segment.channel + ": " + line_of(segment);
}

// WebVTT's cue text has tags and character references.
std::string escape_vtt(std::string text) {
  return replaced(replaced(std::move(text), "&", "&amp;"), "<", "&lt;");
}

bool has_channels(const Transcript& transcript) {
  return std::ranges::any_of(transcript.segments,
                             [](const Segment& segment) { return !segment.channel.empty(); });
}

std::string to_txt(const Transcript& transcript) {
  std::string out;
  for (const Segment& segment : transcript.segments)
    append(out, "{}\n", line_with_channel(segment));
  return out;
}

std::string to_vtt(const Transcript& transcript, const OutputOptions& options) {
  std::string out = "WEBVTT\n\n";
  for (const Cue& cue : cues_of(transcript, options, escape_vtt)) {
    append(out, "{} --> {}\n{}{}\n\n", format_timestamp(cue.start), format_timestamp(cue.end),
           cue.channel.empty() ? "" : fmt::format("<v {}>", cue.channel), cue.text);
  }
  return out;
}

std::string to_srt(const Transcript& transcript, const OutputOptions& options) {
  std::string out;
  int number = 0;
  for (const Cue& cue : cues_of(transcript, options)) {
    append(out, "{}\n{} --> {}\n{}{}\n\n", ++number, format_timestamp(cue.start, true, ','),
           format_timestamp(cue.end, true, ','), cue.channel.empty() ? "" : cue.channel + ": ",
           cue.text);
  }
  return out;
}

std::string to_tsv(const Transcript& transcript) {
  const bool channels = has_channels(transcript);
  std::string out = channels ? "start\tend\ttext\tchannel\n" : "start\tend\ttext\n";
  for (const Segment& segment : transcript.segments) {
    append(out, "{}\t{}\t{}", milliseconds(segment.start), milliseconds(segment.end),
           replaced(line_of(segment), "\t", " "));
    append(out, "{}{}\n", channels ? "\t" : "", segment.channel);
  }
  return out;
}

std::string to_csv(const Transcript& transcript) {
  const bool channels = has_channels(transcript);
  std::string out = channels ? "start,end,text,channel\n" : "start,end,text\n";
  for (const Segment& segment : transcript.segments) {
    append(out, "{},{},\"{}\"", milliseconds(segment.start), milliseconds(segment.end),
           replaced(line_of(segment), "\"", "\"\""));
    append(out, "{}{}\n", channels ? "," : "", segment.channel);
  }
  return out;
}

std::string to_lrc(const Transcript& transcript) {
  std::string out = "[re:whisper-s4y]\n";
  for (const Segment& segment : transcript.segments) {
    const long long hundredths = std::llrint(100.0 * std::max(segment.start, 0.0));
    append(out, "[{:02}:{:02}.{:02}]{}\n", hundredths / 6000, hundredths / 100 % 60,
           hundredths % 100, line_with_channel(segment));
  }
  return out;
}

}  // namespace

namespace {

void check_times(double start, double end) {
  if (std::isfinite(start) && std::isfinite(end)) return;
  fail(ErrorCode::invalid_argument, "A transcript cannot be written with a time from {} s to {} s.",
       start, end);
}

void check_times(const Transcript& transcript) {
  for (const Segment& segment : transcript.segments) {
    check_times(segment.start, segment.end);
    for (const Word& word : segment.words) check_times(word.start, word.end);
  }
}

std::string formatted(const Transcript& transcript, OutputFormat format,
                      const OutputOptions& options) {
  check_times(transcript);
  switch (format) {
    case OutputFormat::txt:
      return to_txt(transcript);
    case OutputFormat::vtt:
      return to_vtt(transcript, options);
    case OutputFormat::srt:
      return to_srt(transcript, options);
    case OutputFormat::tsv:
      return to_tsv(transcript);
    case OutputFormat::json:
      return to_json(transcript);
    case OutputFormat::lrc:
      return to_lrc(transcript);
    case OutputFormat::csv:
      return to_csv(transcript);
  }
  fail(ErrorCode::invalid_argument, "There is no output format number {}.",
       static_cast<int>(format));
}

}  // namespace

std::string format_transcript(const Transcript& transcript, OutputFormat format,
                              const OutputOptions& options) {
  return with_errors([&] { return formatted(transcript, format, options); });
}

void write_transcript(const Transcript& transcript, OutputFormat format,
                      const OutputOptions& options, const std::filesystem::path& path) {
  with_errors([&] {
    const std::string text = formatted(transcript, format, options);
    OutputFile file(path);
    file.write(text);
    file.commit();
  });
}

}  // namespace whisper_s4y
