#include "models/signature_builder.h"

#include <algorithm>
#include <utility>

#include "common/fail.h"

namespace whisper_s4y {

SignatureBuilder::SignatureBuilder(Module& module, const SignatureContract& contract,
                                   ContractSizes sizes, std::string key)
    : module_(module),
      contract_(contract),
      sizes_(std::move(sizes)),
      key_(key.empty() ? std::string(contract.key) : std::move(key)),
      graph_(module.add_graph(key_)) {}

void SignatureBuilder::choose(Dim dim, int size) {
  if (!sizes_.accept(dim, size)) fail("Signature \"{}\" cannot have a size of {}.", key_, size);
}

Value SignatureBuilder::input(std::string_view name, int layer) {
  const auto found = std::ranges::find(contract_.inputs, name, &TensorContract::name);
  if (found == contract_.inputs.end()) fail("Signature \"{}\" has no input \"{}\".", key_, name);
  Shape shape;
  for (const Dim dim : found->shape) shape.push_back(sizes_[dim]);
  return graph_.input(found->name_in(layer), found->dtype, std::move(shape));
}

void SignatureBuilder::finish(std::vector<NamedValue> outputs) {
  SignatureInfo tensors{.key = key_, .inputs = {}, .outputs = {}};
  for (const Value value : graph_.inputs()) {
    const Tensor& tensor = graph_.tensor(value);
    tensors.inputs.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  for (const auto& [name, value] : outputs) {
    const Tensor& tensor = graph_.tensor(value);
    tensors.outputs.push_back({name, tensor.dtype, tensor.shape});
  }
  check_signature(tensors, contract_, sizes_, "The converter");
  module_.add_signature(key_, graph_, std::move(outputs));
}

}  // namespace whisper_s4y
