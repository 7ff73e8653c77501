// A signature in the making.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "tflite/contract.h"

namespace whisper_s4y {

/// A new subgraph whose inputs come from the contract and whose outputs are held to it.
class SignatureBuilder {
 public:
  /// `key` is the signature's where it is not the contract's.
  SignatureBuilder(Module& module, const SignatureContract& contract, ContractSizes sizes,
                   std::string key = {});

  [[nodiscard]] Graph& graph() { return graph_; }
  [[nodiscard]] int layers() const { return sizes_.layers(); }
  /// Sets a size that the file decides.
  void choose(Dim dim, int size);
  /// Adds the input of this name; throws Error when the contract has none.
  Value input(std::string_view name, int layer = 0);
  /// Makes the subgraph callable. Throws Error when its inputs and outputs break the contract.
  void finish(std::vector<NamedValue> outputs);

 private:
  Module& module_;
  const SignatureContract& contract_;
  ContractSizes sizes_;
  std::string key_;
  Graph& graph_;
};

}  // namespace whisper_s4y
