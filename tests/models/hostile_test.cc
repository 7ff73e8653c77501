// Bundles that are not what they promise: WhisperModel refuses each in one sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "models/random_checkpoint.h"
#include "models/write_bundle.h"
#include "runtime/whisper_model.h"
#include "support/errors.h"
#include "support/files.h"
#include "tflite/model_objects.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using M = objects::ModelT;

std::string make_bundle() {
  const TemporaryFolder folder;
  write_bundle(random_checkpoint(small_config()), folder / "model.tflite");
  return read_file(folder / "model.tflite");
}

std::string refusal_after(const std::function<void(M&)>& change) {
  static const ModelObjects bundle(make_bundle());
  const TemporaryFolder folder;
  const std::unique_ptr<M> model = bundle.unpack();
  change(*model);
  write_file(folder / "model.tflite", bundle.pack(*model));
  return message_of(
      [&] { WhisperModel opened(folder / "model.tflite", {.threads = 1, .use_cache = false}); });
}

objects::SignatureDefT& signature(M& model, const std::string& key) {
  return **std::ranges::find_if(model.signature_defs, [&](const auto& definition) {
    return definition->signature_key == key;
  });
}

objects::TensorT& tensor(M& model, const std::string& key, const std::string& name) {
  objects::SignatureDefT& definition = signature(model, key);
  for (auto* maps : {&definition.inputs, &definition.outputs}) {
    for (const auto& entry : *maps) {
      if (entry->name != name) continue;
      return *model.subgraphs[definition.subgraph_index]->tensors[entry->tensor_index];
    }
  }
  throw std::runtime_error("no tensor " + name);
}

void change_json(M& model, const std::string& from, const std::string& to) {
  for (const auto& entry : model.metadata) {
    if (entry->name != "whisper_s4y.model") continue;
    auto& bytes = model.buffers[entry->buffer]->data;
    std::string text(bytes.begin(), bytes.end());
    text.replace(text.find(from), from.size(), to);
    bytes.assign(text.begin(), text.end());
  }
}

TEST(HostileBundle, TheSameFilePackedAgainIsTaken) {
  EXPECT_EQ(refusal_after([](M&) {}), "no error");
}

struct Damage {
  std::string name;
  std::function<void(M&)> change;
  std::string sentence;
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

std::vector<Damage> damages() {
  return {
      {"caches_of_hypotheses_too_narrow",
       [](M& m) {
         tensor(m, "step_beam", "self_k_0").shape = {5, 2, 448, 2};
       },
       "\"self_k_0\" of signature \"step_beam\""},
      {"hypotheses_differ",
       [](M& m) {
         tensor(m, "step_beam", "new_self_v_0").shape = {4, 2, 8, 448};
       },
       "\"new_self_v_0\" of signature \"step_beam\""},
      {"logits_of_another_vocabulary",
       [](M& m) {
         tensor(m, "step", "logits").shape = {1, 1500};
       },
       "\"logits\" of signature \"step\""},
      {"row_longer_than_the_positions",
       [](M& m) {
         tensor(m, "align", "tokens").shape = {1, 449};
         tensor(m, "align", "targets").shape = {1, 449};
       },
       "\"tokens\" of signature \"align\""},
      {"cross_of_another_type",
       [](M& m) { tensor(m, "cross", "cross_k_0").type = objects::TensorType::INT32; },
       "\"cross_k_0\" of signature \"cross\" is int32"},
      {"missing_layer",
       [](M& m) {
         auto& outputs = signature(m, "cross").outputs;
         outputs.erase(outputs.begin());
       },
       "has no output \"cross_k_0\""},
      {"unknown_input",
       [](M& m) {
         auto& inputs = signature(m, "step").inputs;
         inputs.push_back(std::make_unique<objects::TensorMapT>(*inputs[0]));
         inputs.back()->name = "self_x";
       },
       "\"self_x\" that it should not have"},
      {"missing_signature", [](M& m) { signature(m, "prefill").signature_key = "other"; },
       "has no signature \"prefill\""},
      {"no_signatures", [](M& m) { m.signature_defs.clear(); }, "defines no signatures"},
      {"loop_where_none_may_be",
       [](M& m) {
         signature(m, "decode").signature_key = "other";
         const uint32_t from = signature(m, "transcribe").subgraph_index;
         auto& step = *m.subgraphs[signature(m, "step").subgraph_index];
         for (const auto& op : m.subgraphs[from]->operators) {
           if (op->builtin_options.AsWhileOptions() == nullptr) continue;
           step.operators.push_back(std::make_unique<objects::OperatorT>(*op));
           step.operators.back()->inputs.clear();
           step.operators.back()->outputs.clear();
         }
       },
       "runs a WHILE"},
      {"metadata_of_another_width",
       [](M& m) { change_json(m, "\"d_model\":16", "\"d_model\":32"); }, "demand float32"},
      {"metadata_of_another_vocabulary",
       [](M& m) { change_json(m, "\"vocab_size\":1531", "\"vocab_size\":1532"); },
       "vocab_size is 1532"},
      {"metadata_with_absurd_layers",
       [](M& m) { change_json(m, "\"decoder_layers\":1", "\"decoder_layers\":512"); },
       "\"cross_k_1\""},
      {"alignment_head_out_of_range",
       [](M& m) { change_json(m, "\"alignment_heads\":[[0,0]", "\"alignment_heads\":[[0,9]"); },
       "alignment head (0, 9)"},
      {"more_alignment_heads_than_scores",
       [](M& m) {
         change_json(m, "\"alignment_heads\":[[0,0]", "\"alignment_heads\":[[0,0],[0,1]");
       },
       "\"scores\" of signature \"align\""},
  };
}

class HostileBundleDamage : public ::testing::TestWithParam<Damage> {};

TEST_P(HostileBundleDamage, IsRefusedWithTheFileAndThePlace) {
  EXPECT_THAT(refusal_after(GetParam().change),
              AllOf(HasSubstr("model.tflite"), HasSubstr(GetParam().sentence)));
}

INSTANTIATE_TEST_SUITE_P(All, HostileBundleDamage, ::testing::ValuesIn(damages()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whisper_s4y::testing
