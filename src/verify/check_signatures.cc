#include "verify/check_signatures.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "common/cancellation.h"
#include "common/fail.h"
#include "runtime/aligned_buffer.h"
#include "tflite/check_runnable.h"
#include "tflite/contract.h"
#include "tflite/model_metadata.h"
#include "tflite/schema_generated.h"
#include "verify/test_signal.h"

namespace whisper_s4y {
namespace {

bool has_strings(const tflite::SubGraph& graph, const tflite::SignatureDef& definition) {
  for (const auto* maps : {definition.inputs(), definition.outputs()}) {
    if (maps == nullptr) continue;
    for (const auto* entry : *maps) {
      const auto type = graph.tensors()->Get(entry->tensor_index())->type();
      if (static_cast<DType>(type) == DType::string) return true;
    }
  }
  return false;
}

void fill(const TensorInfo& tensor, AlignedBuffer& buffer) {
  if (tensor.name == "normalized_audio" && tensor.dtype == DType::f32) {
    const std::span<float> samples = buffer.as<float>();
    std::ranges::copy(test_signal(samples.size()), samples.begin());
  }
  if (tensor.dtype == DType::i32 && tensor.name.ends_with("length")) {
    std::ranges::fill(buffer.as<int32_t>(), 1);
  }
}

void check_finite(const TfliteFile& file, std::string_view key, const TensorInfo& tensor,
                  const AlignedBuffer& buffer) {
  if (tensor.dtype != DType::f32) return;
  const std::span<const float> numbers = buffer.as<float>();
  const auto bad =
      std::ranges::find_if(numbers, [](float number) { return !std::isfinite(number); });
  if (bad == numbers.end()) return;
  fail("{}: number {} of output \"{}\" {} of signature \"{}\" is {}.", file.path().string(),
       bad - numbers.begin(), tensor.name, tensor.description(), key, *bad);
}

void check_signature(const std::shared_ptr<const TfliteFile>& file, const std::string& key,
                     const RuntimeOptions& options) {
  LiteRtModel model(file, options, {key});
  LiteRtSignature& signature = model.signature(key);
  std::vector<AlignedBuffer> buffers;
  buffers.reserve(signature.inputs().size() + signature.outputs().size());
  for (const TensorInfo& tensor : signature.inputs()) {
    fill(tensor, buffers.emplace_back(tensor));
    signature.bind_input(tensor.name, buffers.back());
  }
  for (const TensorInfo& tensor : signature.outputs()) {
    signature.bind_output(tensor.name, buffers.emplace_back(tensor));
  }
  signature.run(StopPoints::current());
  const AlignedBuffer* output = buffers.data() + signature.inputs().size();
  for (const TensorInfo& tensor : signature.outputs()) check_finite(*file, key, tensor, *output++);
}

/// Whether it has every signature that transcription needs, which no part has.
bool is_bundle(const TfliteFile& file) {
  std::set<std::string> keys;
  for (const SignatureInfo& signature : signatures_of(file)) keys.insert(signature.key);
  return std::ranges::all_of(bundle_contract(), [&](const SignatureContract& contract) {
    return !contract.needed || keys.contains(std::string(contract.key));
  });
}

const tflite::SignatureDef& definition_of(const TfliteFile& file, std::string_view key) {
  for (const auto* definition : *file.model().signature_defs()) {
    if (definition->signature_key()->string_view() == key) return *definition;
  }
  fail(ErrorCode::not_found, "{} has no signature \"{}\".", file.path().string(), key);
}

/// Whether a signature needs neither an encoder nor a loop, and little memory.
bool is_quick(const TfliteFile& file, std::string_view key) {
  const tflite::SignatureDef& definition = definition_of(file, key);
  const bool features = definition.outputs()->size() == 1 &&
                        definition.outputs()->Get(0)->name()->string_view() == "logmel";
  if (features) return true;
  if (key != "step") return false;
  uint64_t bytes = 0;
  const auto* graph = file.model().subgraphs()->Get(definition.subgraph_index());
  for (const auto* tensor : *graph->tensors()) {
    const uint64_t stored = file.buffer(tensor->buffer()).size();
    // float16 unpacks to float32.
    bytes += static_cast<DType>(tensor->type()) == DType::f16 ? 2 * stored : stored;
  }
  return bytes <= kQuickWeights;
}

}  // namespace

void check_promises(const TfliteFile& file) {
  check_runnable(file);
  if (has_model_metadata(file)) return check_contract(file, read_model_info(file));
  if (!is_bundle(file)) return;
  fail(
      "{} has the signatures of a bundle but not the metadata that whisper-s4y writes into one, "
      "without which nothing can be transcribed: convert the checkpoint again.",
      file.path().string());
}

std::vector<std::string> checkable_signatures(const TfliteFile& file) {
  std::vector<std::string> keys;
  const auto* definitions = file.model().signature_defs();
  if (definitions == nullptr) return keys;
  for (const auto* definition : *definitions) {
    const auto* graph = file.model().subgraphs()->Get(definition->subgraph_index());
    if (!has_strings(*graph, *definition)) keys.push_back(definition->signature_key()->str());
  }
  return keys;
}

void check_signatures(const std::shared_ptr<const TfliteFile>& file,
                      const std::vector<std::string>& keys, const RuntimeOptions& options) {
  for (const std::string& key : keys) {
    stop_point();
    check_signature(file, key, options);
  }
}

void check_quickly(const std::shared_ptr<const TfliteFile>& file) {
  check_promises(*file);
  std::vector<std::string> keys = checkable_signatures(*file);
  std::erase_if(keys, [&](const std::string& key) { return !is_quick(*file, key); });
  RuntimeOptions options;
  options.use_cache = false;
  check_signatures(file, keys, options);
}

}  // namespace whisper_s4y
