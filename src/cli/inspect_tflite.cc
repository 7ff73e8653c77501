// What a .tflite file holds.
#include <fmt/format.h>

#include <algorithm>

#include "cli/console.h"
#include "cli/inspect.h"
#include "cli/progress.h"
#include "tflite/model_metadata.h"
#include "tflite/reader.h"

namespace whisper_s4y {
namespace {

void print_model(const TfliteFile& file, const Json& model) {
  print_model_info(read_model_info(file));
  if (const auto formats = model.find("quantization"); formats != model.end()) {
    std::string line;
    for (const auto& [part, format] : formats->items()) {
      if (!format.is_string()) continue;
      line += fmt::format("{}{} {}", line.empty() ? "" : ", ", part, format.get<std::string>());
    }
    print_out("  weights     {}\n", line);
  }
  print_out("  made by     whisper-s4y {}\n", model.value("converter_version", "?"));
  print_out("  hash        {}\n", model_hash(file));
}

/// Keys and values of all layers have one shape: tensors of the same name but for the number at its
/// end are shown in one line.
void print_tensors(std::string_view side, const Json& tensors) {
  struct Line {
    std::string stem;
    std::string type;
    std::string first;
    std::string last;
  };
  std::vector<Line> lines;
  for (const Json& tensor : tensors) {
    const auto name = tensor["name"].get<std::string>();
    const size_t end = name.find_last_not_of("0123456789") + 1;
    Line line{name.substr(0, end),
              fmt::format("{}[{}]", tensor["dtype"].get<std::string>(),
                          fmt::join(tensor["shape"].get<std::vector<int>>(), ", ")),
              name.substr(end), name.substr(end)};
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const Line& other) {
      return !line.first.empty() && other.stem == line.stem && other.type == line.type;
    });
    if (same == lines.end()) {
      lines.push_back(std::move(line));
    } else {
      same->last = line.last;
    }
  }
  for (const Line& line : lines) {
    const std::string numbers =
        line.first == line.last ? line.first : line.first + ".." + line.last;
    print_out("  {:4}{:26}{}\n", side, line.stem + numbers, line.type);
  }
}

void print_description(const TfliteFile& file, const Json& description) {
  print_out("{}  {}\n", file.path().string(), format_bytes(file.size()));
  if (description.contains("model")) {
    print_model(file, description["model"]);
    if (const auto hash = description.find("weights_hash"); hash != description.end()) {
      print_out("  weight hash {}\n", hash->get<std::string>());
    }
  } else {
    print_out(
        "  {}\n  not made by whisper-s4y: without its metadata it cannot be transcribed "
        "with\n",
        description["description"].get<std::string>());
  }
  std::string constants;
  for (const auto& [type, bytes] : description["constants"].items()) {
    constants += fmt::format("{}{} {}", constants.empty() ? "" : ", ", type,
                             format_bytes(bytes.get<uint64_t>()));
  }
  print_out("  constants   {}\n", constants.empty() ? "none" : constants);
  if (description["signatures"].empty()) {
    print_out("  no signatures: nothing in the file can be called\n");
  }
  for (const Json& signature : description["signatures"]) {
    int ops = 0;
    for (const auto& [name, count] : signature["ops"].items()) ops += count.get<int>();
    print_out("\n{}  ({} ops)\n", signature["key"].get<std::string>(), ops);
    print_tensors("in", signature["inputs"]);
    print_tensors("out", signature["outputs"]);
  }
}

}  // namespace

void inspect_tflite(const std::filesystem::path& path, bool json) {
  const TfliteFile file(path);
  const Json description = describe_tflite(file);
  json ? print_json(description) : print_description(file, description);
}

}  // namespace whisper_s4y
