// What a checkpoint holds.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/console.h"
#include "cli/inspect.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "formats/open_checkpoint.h"

namespace whisper_s4y {
namespace {

void print_description(const Checkpoint& checkpoint, const Json& description) {
  print_out("{}  {}\n", checkpoint.path.string(), checkpoint.format);
  print_model_info(checkpoint.info);
  const Json& tokenizer = description["tokenizer"];
  print_out("  tokenizer   {} tokens, {} of them special, {} merges\n",
            tokenizer["tokens"].get<size_t>(), tokenizer["special"].get<size_t>(),
            tokenizer["merges"].get<size_t>());
  if (!description["languages"].empty()) {
    print_out("  languages   {}\n",
              fmt::join(description["languages"].get<std::vector<std::string>>(), " "));
  }
  for (const auto& [type, amount] : description["dtypes"].items()) {
    print_out("  {:12}{} tensors, {:.1f} M numbers, {}\n", type, amount["tensors"].get<int>(),
              amount["numbers"].get<double>() / 1e6, format_bytes(amount["bytes"].get<uint64_t>()));
  }
  print_out("  weight hash {}\n", description["weights_hash"].get<std::string>());
}

}  // namespace

void inspect_checkpoint(const std::filesystem::path& path, bool json) {
  const std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(path);
  std::ranges::for_each(checkpoint->warnings, print_warning);
  const Json description = describe_checkpoint(*checkpoint);
  json ? print_json(description) : print_description(*checkpoint, description);
}

}  // namespace whisper_s4y
