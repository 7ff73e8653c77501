#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "common/fail.h"
#include "common/options.h"
#include "whisper_s4y/output.h"

namespace whisper_s4y {
namespace {

struct Named {
  OutputFormat format;
  std::string_view name;
};
constexpr auto kFormats = std::to_array<Named>({{OutputFormat::txt, "txt"},
                                                {OutputFormat::vtt, "vtt"},
                                                {OutputFormat::srt, "srt"},
                                                {OutputFormat::tsv, "tsv"},
                                                {OutputFormat::json, "json"},
                                                {OutputFormat::lrc, "lrc"},
                                                {OutputFormat::csv, "csv"}});

constexpr double kMostInALine = 100'000;

constexpr OptionName kMaxLineWidth{"max_line_width"};
constexpr OptionName kMaxLineCount{"max_line_count"};
constexpr OptionName kMaxWordsPerLine{"max_words_per_line"};
constexpr OptionName kHighlightWords{"highlight_words"};
constexpr OptionName kWordTimestamps{"word_timestamps"};

constexpr NumberOption<OutputOptions> kOutputNumbers[] = {
    number_option<&OutputOptions::max_line_width>(kMaxLineWidth, 1, kMostInALine),
    number_option<&OutputOptions::max_line_count>(kMaxLineCount, 1, kMostInALine),
    number_option<&OutputOptions::max_words_per_line>(kMaxWordsPerLine, 1, kMostInALine),
};

}  // namespace

std::string_view name_of(OutputFormat format) {
  for (const Named& named : kFormats) {
    if (named.format == format) return named.name;
  }
  fail(ErrorCode::invalid_argument, "There is no output format number {}.",
       static_cast<int>(format));
}

OutputFormat output_format(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Named& named : kFormats) {
    if (named.name == name) return named.format;
    names.push_back(named.name);
  }
  fail(ErrorCode::invalid_argument, "\"{}\" is not an output format; those are {} and all.", name,
       fmt::join(names, ", "));
}

std::vector<OutputFormat> output_formats(std::string_view names) {
  std::vector<OutputFormat> formats;
  if (names == "all") {
    for (const Named& named : kFormats) formats.push_back(named.format);
    return formats;
  }
  for (;;) {
    const size_t comma = names.find(',');
    formats.push_back(output_format(names.substr(0, comma)));
    if (comma == std::string_view::npos) return formats;
    names.remove_prefix(comma + 1);
  }
}

void validate(const OutputOptions& options, bool word_timestamps) {
  check_numbers(options, kOutputNumbers);
  const std::pair<OptionName, bool> given[] = {
      {kMaxLineWidth, options.max_line_width.has_value()},
      {kMaxLineCount, options.max_line_count.has_value()},
      {kMaxWordsPerLine, options.max_words_per_line.has_value()},
      {kHighlightWords, options.highlight_words},
  };
  for (const auto& [name, is_given] : given) {
    if (is_given && !word_timestamps) fail_option("{} needs {}.", name, kWordTimestamps);
  }
  if (options.max_line_count && !options.max_line_width) {
    fail_option("{} has no effect without {}.", kMaxLineCount, kMaxLineWidth);
  }
  if (options.max_words_per_line && options.max_line_count) {
    fail_option("{} has no effect with {}.", kMaxWordsPerLine, kMaxLineCount);
  }
}

std::filesystem::path output_path(const std::filesystem::path& folder,
                                  const std::filesystem::path& recording, OutputFormat format) {
  std::filesystem::path name = recording == "-" ? "stdin" : recording.stem();
  name += ".";
  name += name_of(format);
  return folder / name;
}

}  // namespace whisper_s4y
