#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <string>

#include "common/fail.h"
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

std::optional<OutputFormat> find_format(std::string_view name) {
  for (const Named& named : kFormats) {
    if (named.name == name) return named.format;
  }
  return std::nullopt;
}

std::string all_names() {
  std::vector<std::string_view> names;
  for (const Named& named : kFormats) names.push_back(named.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string_view name_of(OutputFormat format) {
  for (const Named& named : kFormats) {
    if (named.format == format) return named.name;
  }
  fail(ErrorCode::invalid_argument, "There is no output format number {}.",
       static_cast<int>(format));
}

OutputFormat output_format(std::string_view name) {
  const std::optional<OutputFormat> format = find_format(name);
  if (!format) {
    fail(ErrorCode::invalid_argument, "\"{}\" is not an output format; those are {}.", name,
         all_names());
  }
  return *format;
}

std::vector<OutputFormat> output_formats(std::string_view names) {
  std::vector<OutputFormat> formats;
  if (names == "all") {
    for (const Named& named : kFormats) formats.push_back(named.format);
    return formats;
  }
  for (;;) {
    const size_t comma = names.find(',');
    const std::string_view name = names.substr(0, comma);
    const std::optional<OutputFormat> format = find_format(name);
    if (!format) {
      fail(ErrorCode::invalid_argument, "\"{}\" is not an output format; those are {}, and all.",
           name, all_names());
    }
    formats.push_back(*format);
    if (comma == std::string_view::npos) return formats;
    names.remove_prefix(comma + 1);
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
