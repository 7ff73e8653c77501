#include <fmt/ranges.h>

#include <array>
#include <optional>

#include "whisper_s4y/error.h"
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

void check_positive(std::string_view name, const std::optional<int>& value) {
  if (value && *value < 1) fail("{} must be at least 1, not {}.", name, *value);
}

}  // namespace

std::string_view name_of(OutputFormat format) {
  for (const Named& named : kFormats) {
    if (named.format == format) return named.name;
  }
  fail("There is no output format number {}.", static_cast<int>(format));
}

OutputFormat output_format(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Named& named : kFormats) {
    if (named.name == name) return named.format;
    names.push_back(named.name);
  }
  fail("\"{}\" is not an output format; those are {} and all.", name, fmt::join(names, ", "));
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
  check_positive("max_line_width", options.max_line_width);
  check_positive("max_line_count", options.max_line_count);
  check_positive("max_words_per_line", options.max_words_per_line);
  const bool any = options.max_line_width || options.max_line_count || options.max_words_per_line ||
                   options.highlight_words;
  if (any && !word_timestamps) {
    fail(
        "max_line_width, max_line_count, max_words_per_line and highlight_words need word "
        "timestamps.");
  }
  if (options.max_line_count && !options.max_line_width) {
    fail("max_line_count has no effect without max_line_width.");
  }
  if (options.max_words_per_line && options.max_line_count) {
    fail("max_words_per_line has no effect with max_line_count.");
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
