// What the value of an option or an argument can be, for those who complete it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class Option;
}

namespace whisper_s4y {

struct OptionValues {
  std::vector<std::string> names;       // values, all or the usual ones
  bool is_list = false;                 // several of them with commas between
  bool is_file = false;                 // a path too
  bool is_folder = false;               // a path of a folder too
  std::vector<std::string> extensions;  // of the files, ".tflite"; none: any
};

/// Says what an option or an argument can be, or usually is. Nothing is checked by it.
void offer_values(CLI::Option& option, const std::vector<std::string>& names);
/// The same, and anything else is wrong usage.
void limit_values(CLI::Option& option, const std::vector<std::string>& names);

/// What has been offered, and what the metavariable means: FILE, MODEL, DIR, LANG, "X|none" ...;
/// with ",..." several.
[[nodiscard]] OptionValues values_of(const CLI::Option& option);

}  // namespace whisper_s4y
