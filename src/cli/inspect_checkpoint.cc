// What a checkpoint holds.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "checkpoint/weights_hash.h"
#include "cli/checkpoint_input.h"
#include "cli/console.h"
#include "cli/inspect.h"
#include "cli/progress.h"

namespace whisper_s4y {
namespace {

struct Amount {
  int tensors = 0;
  uint64_t numbers = 0;
  uint64_t bytes = 0;
};

std::map<StorageType, Amount> amounts_of(const Checkpoint& checkpoint) {
  std::map<StorageType, Amount> amounts;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    Amount& amount = amounts[tensor.type];
    ++amount.tensors;
    amount.numbers += static_cast<uint64_t>(tensor.elements());
    amount.bytes += tensor.bytes.size();
  }
  return amounts;
}

Json describe(const Checkpoint& checkpoint) {
  const ModelInfo& info = checkpoint.info;
  Json languages = Json::array();
  for (const auto& [code, id] : info.generation.lang_to_id) languages.push_back(code);
  Json dtypes = Json::object();
  for (const auto& [type, amount] : amounts_of(checkpoint)) {
    dtypes[std::string(name_of(type))] = {
        {"tensors", amount.tensors}, {"numbers", amount.numbers}, {"bytes", amount.bytes}};
  }
  const auto special = std::ranges::count(info.vocabulary.special, 1);
  return {{"file", checkpoint.path.string()},
          {"format", checkpoint.format},
          {"name", info.name},
          {"model", Json::parse(to_json(info.config, info.generation))},
          {"tokenizer",
           {{"tokens", info.vocabulary.tokens.size()},
            {"special", special},
            {"merges",
             std::ranges::count_if(info.vocabulary.ranks, [](int rank) { return rank >= 256; })}}},
          {"languages", languages},
          {"dtypes", dtypes},
          {"weights_hash", weights_hash(checkpoint)},
          {"warnings", checkpoint.warnings}};
}

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
  for (const auto& [type, amount] : amounts_of(checkpoint)) {
    print_out("  {:12}{} tensors, {:.1f} M numbers, {}\n", name_of(type), amount.tensors,
              static_cast<double>(amount.numbers) / 1e6, format_bytes(amount.bytes));
  }
  print_out("  weight hash {}\n", description["weights_hash"].get<std::string>());
}

}  // namespace

void inspect_checkpoint(const std::filesystem::path& path, bool json) {
  const std::unique_ptr<Checkpoint> checkpoint = open_with_warnings(path);
  const Json description = describe(*checkpoint);
  json ? print_json(description) : print_description(*checkpoint, description);
}

}  // namespace whisper_s4y
