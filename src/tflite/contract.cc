#include "tflite/contract.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "common/fail.h"
#include "config/front_end.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {
namespace {

using enum Dim;

constexpr int kMaxHypotheses = 64;
constexpr int kMaxTextBytes = 1 << 16;

TensorContract audio() {
  return {"normalized_audio", DType::f32, {window_samples}, "mono, 16 kHz, -1 to 1"};
}

TensorContract mel(std::string_view name) {
  return {name, DType::f32, {one, mel_bins, window_frames}, "log-mel spectrogram"};
}

TensorContract hidden(std::string_view name) {
  return {name, DType::f32, {one, source_positions, d_model}, "what the encoder gives"};
}

TensorContract row(std::string_view name) {
  return {name, DType::i32, {one, target_positions}, "the prompt, what follows, <\\|endoftext\\|>"};
}

TensorContract number(std::string_view name, std::string_view meaning) {
  return {name, DType::i32, {one}, meaning};
}

TensorContract logits(Dim rows) {
  return {"logits", DType::f32, {rows, vocabulary}, "of the token that follows"};
}

TensorContract tokens_in(std::string_view name, std::string_view meaning) {
  return {name, DType::i32, {one, tokens}, meaning};
}

const TensorContract kPosition = number("position", "of the first token fed, from 0");

using Tensors = std::vector<TensorContract>;

Tensors together(Tensors first, const Tensors& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

Tensors cross_caches() {
  return {{"cross_k_i",
           DType::f32,
           {one, heads, source_positions, head_width},
           "keys of the audio in layer i"},
          {"cross_v_i",
           DType::f32,
           {one, heads, head_width, source_positions},
           "values of the audio in layer i"}};
}

Tensors self_caches(Dim rows) {
  return {{"self_k_i",
           DType::f32,
           {rows, heads, target_positions, head_width},
           "keys of the tokens in layer i"},
          {"self_v_i",
           DType::f32,
           {rows, heads, head_width, target_positions},
           "values of the tokens in layer i"}};
}

Tensors new_self_caches(Dim rows) {
  return {{"new_self_k_i",
           DType::f32,
           {rows, heads, target_positions, head_width},
           "the next call's `self_k_i`"},
          {"new_self_v_i",
           DType::f32,
           {rows, heads, head_width, target_positions},
           "the next call's `self_v_i`"}};
}

Tensors caches(Dim rows) { return together(self_caches(rows), cross_caches()); }

Tensors prompt_inputs() {
  return {{"prompt_tokens", DType::i32, {one, prompt}, "see Prompt below"},
          number("prompt_length", "tokens of `prompt_tokens` in use, at least 1"),
          number("max_length", "tokens of the row at most, with the prompt")};
}

std::vector<SignatureContract> make_bundle() {
  return {
      {.key = "serving_default",
       .inputs = {mel("input_features")},
       .outputs = {row("tokens")},
       .meaning = "the part `encoder-decoder`",
       .loops = true},
      {.key = "features",
       .inputs = {audio()},
       .outputs = {mel("logmel")},
       .meaning = "the front end",
       .needed = true},
      {.key = "encode",
       .inputs = {mel("input_features")},
       .outputs = {hidden("last_hidden_state")},
       .meaning = "the encoder",
       .needed = true},
      {.key = "pcm_encode",
       .inputs = {audio()},
       .outputs = {hidden("last_hidden_state")},
       .meaning = "front end and encoder"},
      {.key = "cross",
       .inputs = {hidden("last_hidden_state")},
       .outputs = cross_caches(),
       .meaning = "what the decoder sees of the audio, once a window",
       .needed = true},
      {.key = "step",
       .inputs = together({number("token", "the token fed"), kPosition}, caches(one)),
       .outputs = together({logits(one)}, new_self_caches(one)),
       .meaning = "feeds one token",
       .needed = true},
      {.key = "prefill",
       .inputs = together({tokens_in("tokens", "the tokens fed"), kPosition,
                           number("length", "tokens of the row that count")},
                          caches(one)),
       .outputs = together({logits(one)}, new_self_caches(one)),
       .meaning = "feeds several tokens at once",
       .needed = true},
      {.key = "step_beam",
       .inputs = together(
           {{"tokens", DType::i32, {hypotheses}, "the token fed to each hypothesis"}, kPosition},
           together(self_caches(hypotheses), cross_caches())),
       .outputs = together({logits(hypotheses)}, new_self_caches(hypotheses)),
       .meaning = "feeds one token to each of several hypotheses"},
      {.key = "align",
       .inputs = together({tokens_in("tokens", "the tokens fed"),
                           tokens_in("targets", "the tokens that follow them"), kPosition},
                          caches(one)),
       .outputs =
           together({{"scores",
                      DType::f32,
                      {one, alignment_heads, tokens, source_positions},
                      "where the alignment heads look, before the softmax"},
                     {"target_probs", DType::f32, {one, tokens}, "how likely each target is"}},
                    new_self_caches(one)),
       .meaning = "feeds several tokens and says where they were heard"},
      {.key = "decode",
       .inputs = together({hidden("encoder_hidden_states")}, prompt_inputs()),
       .outputs = {row("tokens")},
       .meaning = "the greedy loop",
       .loops = true},
      {.key = "transcribe",
       .inputs = together({audio()}, prompt_inputs()),
       .outputs = {row("tokens"),
                   {"text_bytes", DType::u8, {target_positions, text_bytes}, "see Text below"},
                   {"text_lengths", DType::i32, {target_positions}, "bytes of each token"},
                   {.name = "text",
                    .dtype = DType::string,
                    .shape = {target_positions},
                    .meaning = "each token as a string",
                    .optional = true}},
       .meaning = "from sound to text in one call",
       .loops = true},
  };
}

std::vector<SignatureContract> make_parts() {
  return {
      {.key = "features-extractor",
       .inputs = {audio()},
       .outputs = {mel("logmel")},
       .meaning = "the front end"},
      {.key = "encoder",
       .inputs = {mel("input_features")},
       .outputs = {hidden("last_hidden_state")},
       .meaning = "the encoder"},
      {.key = "pcm-encoder",
       .inputs = {audio()},
       .outputs = {hidden("last_hidden_state")},
       .meaning = "front end and encoder"},
      {.key = "decoder",
       .inputs = {hidden("encoder_hidden_states")},
       .outputs = {row("tokens")},
       .meaning = "the greedy loop",
       .loops = true},
      {.key = "encoder-decoder",
       .inputs = {mel("input_features")},
       .outputs = {row("tokens")},
       .meaning = "encoder and loop",
       .loops = true},
      {.key = "generator",
       .inputs = {mel("input_features")},
       .outputs = {row("sequences")},
       .meaning = "the same under the name that Transformers gives it",
       .loops = true},
  };
}

const SignatureContract* find(const std::vector<SignatureContract>& contracts,
                              std::string_view key) {
  const auto found = std::ranges::find(contracts, key, &SignatureContract::key);
  return found == contracts.end() ? nullptr : &*found;
}

/// As docs/models.md writes it.
std::string letter(Dim dim) {
  switch (dim) {
    case one:
      return "1";
    case window_samples:
      return fmt::format("{}", kWindowSamples);
    case window_frames:
      return fmt::format("{}", kWindowFrames);
    case prompt:
      return fmt::format("{}", kPromptCapacity);
    case mel_bins:
      return "M";
    case source_positions:
      return fmt::format("{}", kWindowPositions);
    case d_model:
      return "D";
    case heads:
      return "h";
    case head_width:
      return "e";
    case target_positions:
      return "448";
    case vocabulary:
      return "V";
    case alignment_heads:
      return "A";
    case tokens:
      return "N";
    case hypotheses:
      return "B";
    case text_bytes:
      return "W";
  }
  return "?";
}

std::string_view short_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::i32:
      return "i32";
    case DType::u8:
      return "u8";
    default:
      return name_of(dtype);
  }
}

/// Whether the shape is that of the contract; takes over sizes that were not known.
bool accept_shape(const TensorContract& contract, const Shape& shape, ContractSizes& sizes) {
  if (shape.size() != contract.shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!sizes.accept(contract.shape[i], shape[i])) return false;
  }
  return true;
}

/// "float32[1,80,3000]", with letters for sizes that are not known.
std::string demanded(const TensorContract& contract, const ContractSizes& sizes) {
  std::vector<std::string> shape;
  for (const Dim dim : contract.shape) {
    shape.push_back(sizes[dim] > 0 ? fmt::format("{}", sizes[dim]) : letter(dim));
  }
  return fmt::format("{}[{}]", name_of(contract.dtype), fmt::join(shape, ","));
}

class Side {
 public:
  Side(std::string_view what, const SignatureInfo& signature, std::string_view source)
      : what_(what), key_(signature.key), source_(source) {}

  void check(const std::vector<TensorInfo>& tensors, const Tensors& contracts,
             ContractSizes& sizes) {
    std::set<std::string_view> known;
    for (const TensorContract& contract : contracts) {
      const int count = contract.of_layers() ? sizes.layers() : 1;
      for (int layer = 0; layer < count; ++layer) {
        const std::string name = contract.name_in(layer);
        const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
        if (found == tensors.end()) {
          if (contract.optional) continue;
          fail("{}: signature \"{}\" has no {} \"{}\".", source_, key_, what_, name);
        }
        known.insert(found->name);
        if (found->dtype == contract.dtype && accept_shape(contract, found->shape, sizes)) continue;
        fail("{}: tensor \"{}\" of signature \"{}\" is {}, but the model's dimensions demand {}.",
             source_, name, key_, found->description(), demanded(contract, sizes));
      }
    }
    for (const TensorInfo& tensor : tensors) {
      if (known.erase(tensor.name) == 1) continue;
      fail("{}: signature \"{}\" has an {} \"{}\" that it should not have, or has it twice.",
           source_, key_, what_, tensor.name);
    }
  }

 private:
  std::string_view what_;
  std::string_view key_;
  std::string_view source_;
};

bool same_names(const SignatureInfo& signature, const SignatureContract& contract) {
  const auto has = [](const std::vector<TensorInfo>& tensors, const TensorContract& wanted) {
    return std::ranges::find(tensors, wanted.name, &TensorInfo::name) != tensors.end();
  };
  return std::ranges::all_of(contract.inputs,
                             [&](const auto& input) { return has(signature.inputs, input); }) &&
         std::ranges::all_of(contract.outputs,
                             [&](const auto& output) { return has(signature.outputs, output); });
}

std::vector<SignatureInfo> some_signatures(const TfliteFile& file) {
  std::vector<SignatureInfo> signatures = signatures_of(file);
  if (signatures.empty()) {
    fail("{} defines no signatures: there is nothing in it that can be called.",
         file.path().string());
  }
  return signatures;
}

/// Throws Error when a signature runs a loop that should run none.
void check_loops(const TfliteFile& file) {
  for (const tflite::SignatureDef* definition : *file.model().signature_defs()) {
    const auto key = definition->signature_key()->string_view();
    const SignatureContract* contract = find(bundle_contract(), key);
    const auto* ops = file.model().subgraphs()->Get(definition->subgraph_index())->operators();
    if (contract == nullptr || contract->loops || ops == nullptr) continue;
    const bool loops = std::any_of(ops->begin(), ops->end(), [](const tflite::Operator* op) {
      return op->builtin_options_as_WhileOptions() != nullptr;
    });
    if (loops) {
      fail("{}: signature \"{}\" runs a WHILE, but must run no loop.", file.path().string(), key);
    }
  }
}

void check_known(const std::vector<SignatureInfo>& signatures, const ContractSizes& sizes,
                 std::string_view source) {
  for (const SignatureInfo& signature : signatures) {
    if (const auto* contract = find(bundle_contract(), signature.key)) {
      check_signature(signature, *contract, sizes, source);
    }
  }
}

void check_part(const SignatureInfo& signature, const ContractSizes& sizes,
                std::string_view source) {
  for (const SignatureContract& contract : part_contracts()) {
    if (same_names(signature, contract)) {
      return check_signature(signature, contract, sizes, source);
    }
  }
  std::vector<std::string_view> names;
  for (const SignatureContract& contract : part_contracts()) names.push_back(contract.key);
  fail("{}: the inputs and outputs of signature \"{}\" are those of no part: {}.", source,
       signature.key, fmt::join(names, ", "));
}

}  // namespace

std::string TensorContract::name_in(int layer) const {
  if (!of_layers()) return std::string(name);
  return fmt::format("{}{}", name.substr(0, name.size() - 1), layer);
}

std::string TensorContract::description() const {
  std::vector<std::string> letters;
  for (const Dim dim : shape) letters.push_back(letter(dim));
  return fmt::format("{}[{}]", short_name(dtype), fmt::join(letters, ","));
}

const std::vector<SignatureContract>& bundle_contract() {
  static const std::vector<SignatureContract> contract = make_bundle();
  return contract;
}

const SignatureContract& contract_of(std::string_view key) {
  if (const auto* found = find(bundle_contract(), key)) return *found;
  fail("A bundle has no signature \"{}\".", key);
}

const std::vector<SignatureContract>& part_contracts() {
  static const std::vector<SignatureContract> contracts = make_parts();
  return contracts;
}

const SignatureContract& contract_of_part(std::string_view part) {
  if (const auto* found = find(part_contracts(), part)) return *found;
  fail("There is no part \"{}\".", part);
}

ContractSizes::ContractSizes(const ModelConfig& config, const GenerationConfig& generation)
    : config_(config), alignment_heads_(static_cast<int>(generation.alignment_heads.size())) {}

int ContractSizes::operator[](Dim dim) const {
  const auto found = std::ranges::find(found_, dim, &std::pair<Dim, int>::first);
  if (found != found_.end()) return found->second;
  switch (dim) {
    case one:
      return 1;
    case window_samples:
      return kWindowSamples;
    case window_frames:
      return kWindowFrames;
    case prompt:
      return kPromptCapacity;
    case mel_bins:
      return config_.num_mel_bins;
    case source_positions:
      return config_.max_source_positions;
    case Dim::d_model:
      return config_.d_model;
    case heads:
      return config_.decoder_attention_heads;
    case head_width:
      return config_.decoder_attention_heads > 0 ? config_.d_model / config_.decoder_attention_heads
                                                 : 0;
    case target_positions:
      return config_.max_target_positions;
    case vocabulary:
      return config_.vocab_size;
    case alignment_heads:
      return alignment_heads_;
    case tokens:
    case hypotheses:
    case text_bytes:
      break;
  }
  return 0;
}

bool ContractSizes::accept(Dim dim, int size) {
  if (const int known = (*this)[dim]; known > 0) return size == known;
  const bool of_model = config_.d_model > 0;
  if (of_model && dim == alignment_heads) return false;  // the model has none
  int limit = INT32_MAX;
  if (of_model && dim == tokens) limit = config_.max_target_positions;
  if (dim == hypotheses) limit = kMaxHypotheses;
  if (dim == text_bytes) limit = kMaxTextBytes;
  if (size < 1 || size > limit) return false;
  found_.emplace_back(dim, size);
  return true;
}

std::vector<SignatureInfo> signatures_of(const TfliteFile& file) {
  std::vector<SignatureInfo> signatures;
  const auto* definitions = file.model().signature_defs();
  if (definitions == nullptr) return signatures;
  for (const tflite::SignatureDef* definition : *definitions) {
    const auto* graph = file.model().subgraphs()->Get(definition->subgraph_index());
    const auto tensors_of = [&](const auto* maps) {
      std::vector<TensorInfo> tensors;
      if (maps == nullptr) return tensors;
      for (const tflite::TensorMap* entry : *maps) {
        const tflite::Tensor* tensor = graph->tensors()->Get(entry->tensor_index());
        TensorInfo& info = tensors.emplace_back();
        info.name = entry->name()->str();
        info.dtype = static_cast<DType>(tensor->type());
        if (tensor->shape() != nullptr) {
          info.shape.assign(tensor->shape()->begin(), tensor->shape()->end());
        }
      }
      return tensors;
    };
    signatures.push_back({.key = definition->signature_key()->str(),
                          .inputs = tensors_of(definition->inputs()),
                          .outputs = tensors_of(definition->outputs())});
  }
  return signatures;
}

void check_signature(const SignatureInfo& signature, const SignatureContract& contract,
                     ContractSizes sizes, std::string_view source) {
  Side("input", signature, source).check(signature.inputs, contract.inputs, sizes);
  Side("output", signature, source).check(signature.outputs, contract.outputs, sizes);
}

void check_contract(const TfliteFile& file, const ModelInfo& info) {
  const std::string source = file.path().string();
  const std::vector<SignatureInfo> signatures = some_signatures(file);
  const ContractSizes sizes(info.config, info.generation);
  if (signatures.size() == 1 && signatures[0].key == "serving_default") {
    check_part(signatures[0], sizes, source);
  } else {
    check_known(signatures, sizes, source);
    check_loops(file);
  }
}

void check_bundle(const TfliteFile& file, const ModelInfo& info) {
  const std::string source = file.path().string();
  const std::vector<SignatureInfo> signatures = some_signatures(file);
  for (const SignatureContract& contract : bundle_contract()) {
    if (!contract.needed ||
        std::ranges::find(signatures, contract.key, &SignatureInfo::key) != signatures.end()) {
      continue;
    }
    std::vector<std::string_view> needed;
    for (const SignatureContract& other : bundle_contract()) {
      if (other.needed) needed.push_back(other.key);
    }
    fail(
        "{} has no signature \"{}\": it holds a part of a model. Transcription needs {}, as "
        "`whisper-s4y convert` writes them without --part and without --signatures.",
        source, contract.key, fmt::join(needed, ", "));
  }
  check_known(signatures, ContractSizes(info.config, info.generation), source);
  check_loops(file);
}

}  // namespace whisper_s4y
