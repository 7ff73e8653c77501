#include "models/runner.h"

#include <algorithm>

#include "common/fail.h"
#include "runtime/aligned_buffer.h"

namespace whisper_s4y::testing {
namespace {

RuntimeOptions options() {
  RuntimeOptions options;
  options.threads = 2;
  options.use_cache = false;
  return options;
}

}  // namespace

Runner::Runner(const std::filesystem::path& path, const std::vector<std::string>& keys)
    : model_(path, options(), keys) {}

Outputs Runner::run(const std::string& key, const Inputs& inputs) {
  LiteRtSignature& signature = model_.signature(key);
  std::vector<AlignedBuffer> buffers;
  buffers.reserve(signature.inputs().size() + signature.outputs().size());
  for (const TensorInfo& tensor : signature.inputs()) {
    AlignedBuffer& buffer = buffers.emplace_back(tensor);
    if (const auto given = inputs.find(tensor.name); given != inputs.end()) {
      std::visit(
          [&](const auto& values) {
            using T = typename std::decay_t<decltype(values)>::value_type;
            if (values.size() != buffer.as<T>().size()) {
              fail("{} of {} has {} numbers, expected {}", tensor.name, key, values.size(),
                   buffer.as<T>().size());
            }
            std::ranges::copy(values, buffer.as<T>().begin());
          },
          given->second);
    }
    signature.bind_input(tensor.name, buffer);
  }
  for (const auto& [name, values] : inputs) (void)signature.input(name);  // no misspelt names
  const size_t first_output = buffers.size();
  for (const TensorInfo& tensor : signature.outputs()) {
    signature.bind_output(tensor.name, buffers.emplace_back(tensor));
  }
  signature.run();
  Outputs outputs;
  for (size_t i = 0; i < signature.outputs().size(); ++i) {
    const TensorInfo& tensor = signature.outputs()[i];
    const AlignedBuffer& buffer = buffers[first_output + i];
    if (tensor.dtype == DType::f32) {
      const auto values = buffer.as<float>();
      outputs.numbers_[tensor.name].assign(values.begin(), values.end());
    } else if (tensor.dtype == DType::i32) {
      const auto values = buffer.as<int32_t>();
      outputs.integers_[tensor.name].assign(values.begin(), values.end());
    } else {
      const auto values = buffer.as<uint8_t>();
      outputs.bytes_[tensor.name].assign(values.begin(), values.end());
    }
  }
  return outputs;
}

}  // namespace whisper_s4y::testing
