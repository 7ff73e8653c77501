// Prints a table of docs/models.md from the contract of tflite/contract.h:
//   print_contract parts|signatures|tensors
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tflite/contract.h"

namespace whisper_s4y {
namespace {

using Tensors = std::vector<TensorContract>;

std::string listed(const Tensors& tensors) {
  std::vector<std::string> entries;
  for (const TensorContract& tensor : tensors) {
    entries.push_back(fmt::format("`{}` {}{}", tensor.name, tensor.description(),
                                  tensor.optional ? " (optional)" : ""));
  }
  return fmt::format("{}", fmt::join(entries, ", "));
}

void print_contracts(std::string_view head, const std::vector<SignatureContract>& contracts) {
  fmt::print("| {} | what it is | inputs | outputs |\n| --- | --- | --- | --- |\n", head);
  for (const SignatureContract& contract : contracts) {
    fmt::print("| `{}` | {}{}{} | {} | {} |\n", contract.key, contract.meaning,
               contract.loops ? "; loops" : "", contract.needed ? "; needed" : "",
               listed(contract.inputs), listed(contract.outputs));
  }
}

void print_tensors() {
  std::vector<std::string_view> names;
  std::map<std::string_view, std::vector<std::string_view>> meanings;
  for (const auto* contracts : {&bundle_contract(), &part_contracts()}) {
    for (const SignatureContract& contract : *contracts) {
      for (const Tensors* tensors : {&contract.inputs, &contract.outputs}) {
        for (const TensorContract& tensor : *tensors) {
          std::vector<std::string_view>& known = meanings[tensor.name];
          if (known.empty()) names.push_back(tensor.name);
          if (std::ranges::find(known, tensor.meaning) == known.end()) {
            known.push_back(tensor.meaning);
          }
        }
      }
    }
  }
  fmt::print("| tensor | what it is |\n| --- | --- |\n");
  for (const std::string_view name : names) {
    fmt::print("| `{}` | {} |\n", name, fmt::join(meanings[name], "; or "));
  }
}

int print(std::string_view table) {
  if (table == "parts") {
    print_contracts("part", part_contracts());
  } else if (table == "signatures") {
    print_contracts("signature", bundle_contract());
  } else if (table == "tensors") {
    print_tensors();
  } else {
    fmt::print(stderr, "print_contract parts|signatures|tensors\n");
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) { return whisper_s4y::print(argc == 2 ? argv[1] : ""); }
