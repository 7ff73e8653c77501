#include <algorithm>
#include <map>

#include "checkpoint/weights_hash.h"
#include "conversion/describe.h"

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

}  // namespace

Json describe_checkpoint(const Checkpoint& checkpoint) {
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

}  // namespace whisper_s4y
