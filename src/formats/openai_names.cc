#include "formats/openai_names.h"

#include <unordered_map>

#include "checkpoint/layout.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

struct Renaming {
  std::string_view canonical, openai;
};

// Whole names first, then parts; openai/whisper model.py has the right column.
constexpr Renaming kWhole[] = {
    {"encoder.embed_positions.weight", "encoder.positional_embedding"},
    {"decoder.embed_positions.weight", "decoder.positional_embedding"},
    {"decoder.embed_tokens.weight", "decoder.token_embedding.weight"},
    {"encoder.layer_norm.weight", "encoder.ln_post.weight"},
    {"encoder.layer_norm.bias", "encoder.ln_post.bias"},
    {"decoder.layer_norm.weight", "decoder.ln.weight"},
    {"decoder.layer_norm.bias", "decoder.ln.bias"},
};
constexpr Renaming kParts[] = {
    {".layers.", ".blocks."},
    {".self_attn_layer_norm.", ".attn_ln."},
    {".encoder_attn_layer_norm.", ".cross_attn_ln."},
    {".final_layer_norm.", ".mlp_ln."},
    {".self_attn.", ".attn."},
    {".encoder_attn.", ".cross_attn."},
    {".q_proj.", ".query."},
    {".k_proj.", ".key."},
    {".v_proj.", ".value."},
    {".out_proj.", ".out."},
    {".fc1.", ".mlp.0."},
    {".fc2.", ".mlp.2."},
};

}  // namespace

std::string openai_name(std::string_view canonical) {
  for (const Renaming& whole : kWhole) {
    if (whole.canonical == canonical) return std::string(whole.openai);
  }
  std::string name(canonical);
  for (const Renaming& part : kParts) {
    const size_t at = name.find(part.canonical);
    if (at != std::string::npos) name.replace(at, part.canonical.size(), part.openai);
  }
  return name;
}

void add_openai_tensors(std::vector<TensorView> tensors, Checkpoint& checkpoint) {
  std::unordered_map<std::string, std::string> canonical_of;
  for (auto& known :
       {expected_tensors(checkpoint.info.config), optional_tensors(checkpoint.info.config)}) {
    for (const ExpectedTensor& tensor : known) {
      canonical_of.emplace(openai_name(tensor.name), tensor.name);
    }
  }
  std::vector<std::string> others;
  for (TensorView& tensor : tensors) {
    const auto canonical = canonical_of.find(tensor.name);
    if (canonical == canonical_of.end()) {
      others.push_back(tensor.name);
      continue;
    }
    const std::string stored_name = tensor.name;
    tensor.name = canonical->second;
    if (!checkpoint.tensors.emplace(tensor.name, std::move(tensor)).second) {
      fail("{}: tensor {} appears twice.", checkpoint.path.string(), stored_name);
    }
  }
  ignore_tensors(checkpoint, others);
}

}  // namespace whisper_s4y
