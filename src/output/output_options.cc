#include "output/output_options.h"

#include <utility>

#include "options/option_table.h"

namespace whisper_s4y {
namespace {

constexpr double kMostInALine = 100'000;

constexpr std::string_view kSubtitles = "Subtitles (srt and vtt; need --word-timestamps)";

using O = OutputOptions;
constexpr Option kRows[] = {
    option<&O::max_line_width>("max_line_width", "Most characters in a line",
                               {.bounds = {1, kMostInALine}, .group = kSubtitles}),
    option<&O::max_line_count>("max_line_count", "Most lines of a cue; needs --max-line-width",
                               {.bounds = {1, kMostInALine}, .group = kSubtitles}),
    option<&O::max_words_per_line>("max_words_per_line", "Most words of a cue",
                                   {.bounds = {1, kMostInALine}, .group = kSubtitles}),
    option<&O::highlight_words>("highlight_words", "Underline each word while it is spoken",
                                {.group = kSubtitles}),
};
static_assert(describes<O>(kRows));

template <auto kField>
constexpr OptionName kName = name_of<kField>(kRows);

// Of TranscribeOptions.
constexpr OptionName kWordTimestamps{"word_timestamps"};

}  // namespace

template <>
const OptionTable& option_table<OutputOptions>() {
  static const OptionTable table = table_of<OutputOptions>(kRows);
  return table;
}

void validate(const OutputOptions& options, bool word_timestamps) {
  check_rows(options);
  const std::pair<OptionName, bool> given[] = {
      {kName<&O::max_line_width>, options.max_line_width.has_value()},
      {kName<&O::max_line_count>, options.max_line_count.has_value()},
      {kName<&O::max_words_per_line>, options.max_words_per_line.has_value()},
      {kName<&O::highlight_words>, options.highlight_words},
  };
  for (const auto& [name, is_given] : given) {
    if (is_given && !word_timestamps) fail_option("{} needs {}.", name, kWordTimestamps);
  }
  if (options.max_line_count && !options.max_line_width) {
    fail_option("{} has no effect without {}.", kName<&O::max_line_count>,
                kName<&O::max_line_width>);
  }
  if (options.max_words_per_line && options.max_line_count) {
    fail_option("{} has no effect with {}.", kName<&O::max_words_per_line>,
                kName<&O::max_line_count>);
  }
}

}  // namespace whisper_s4y
