// The file a user gets: names, types and shapes of docs/models.md, and only ops that interpreters,
// GPUs and NPUs take.
#include "tflite/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/fail.h"
#include "models/random_checkpoint.h"
#include "models/write_bundle.h"
#include "support/errors.h"
#include "support/files.h"
#include "tflite/model_metadata.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"
#include "whisper_s4y/tensor.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using ::testing::Not;

using Description = std::map<std::string, std::string>;  // name -> type and shape
using Versions = std::map<OpCode, std::set<int>>;

/// d_model 16, 2 heads, 1 layer, 1531 tokens.
class Contract : public ::testing::Test {
 protected:
  explicit Contract() : checkpoint_(random_checkpoint(small_config())) {}

  const TfliteFile& bundle(const BundleOptions& options = {}) {
    write_bundle(checkpoint_, folder_ / "model.tflite", options);
    return open("model.tflite");
  }

  const TfliteFile& part(Part which, const BundleOptions& options = {}) {
    write_part(checkpoint_, which, folder_ / "part.tflite", options);
    return open("part.tflite");
  }

  const TfliteFile& open(std::string_view name) {
    file_ = std::make_unique<TfliteFile>(folder_ / name);
    return *file_;
  }

  static const tflite::SignatureDef& signature(const TfliteFile& file, std::string_view key) {
    for (const auto* def : *file.model().signature_defs()) {
      if (def->signature_key()->string_view() == key) return *def;
    }
    fail("{} has no signature {}.", file.path().string(), key);
  }

  static std::vector<std::string> keys(const TfliteFile& file) {
    std::vector<std::string> keys;
    for (const auto* def : *file.model().signature_defs()) {
      keys.push_back(def->signature_key()->str());
    }
    return keys;
  }

  static const tflite::SubGraph& graph(const TfliteFile& file, std::string_view key) {
    return *file.model().subgraphs()->Get(signature(file, key).subgraph_index());
  }

  static Description describe(const TfliteFile& file, std::string_view key, bool inputs) {
    const tflite::SignatureDef& def = signature(file, key);
    Description description;
    for (const auto* entry : inputs ? *def.inputs() : *def.outputs()) {
      const auto* tensor = graph(file, key).tensors()->Get(entry->tensor_index());
      const TensorInfo info{.name = entry->name()->str(),
                            .dtype = static_cast<DType>(tensor->type()),
                            .shape = Shape(tensor->shape()->begin(), tensor->shape()->end())};
      description[info.name] = info.description();
    }
    return description;
  }
  static Description inputs(const TfliteFile& file, std::string_view key) {
    return describe(file, key, true);
  }
  static Description outputs(const TfliteFile& file, std::string_view key) {
    return describe(file, key, false);
  }

  /// Versions of every op in use.
  static Versions versions(const TfliteFile& file) {
    Versions versions;
    for (const auto* code : *file.model().operator_codes()) {
      versions[static_cast<OpCode>(code->builtin_code())].insert(code->version());
    }
    return versions;
  }

  static std::set<OpCode> ops(const TfliteFile& file, std::string_view key) {
    std::set<OpCode> codes;
    for (const auto* op : *graph(file, key).operators()) {
      codes.insert(static_cast<OpCode>(
          file.model().operator_codes()->Get(op->opcode_index())->builtin_code()));
    }
    return codes;
  }

  TemporaryFolder folder_;
  Checkpoint checkpoint_;
  std::unique_ptr<TfliteFile> file_;
};

/// What the table of tflite/contract.h says of one side of a signature of this model.
Description promised(const std::vector<TensorContract>& tensors, const ContractSizes& sizes) {
  Description description;
  for (const TensorContract& tensor : tensors) {
    for (int layer = 0; layer < (tensor.of_layers() ? sizes.layers() : 1); ++layer) {
      Shape shape;
      for (const Dim dim : tensor.shape) shape.push_back(sizes[dim]);
      const TensorInfo info{tensor.name_in(layer), tensor.dtype, shape};
      description[info.name] = info.description();
    }
  }
  return description;
}

TEST_F(Contract, SignaturesOfTheBundleAreThoseOfTheTable) {
  BundleOptions options;
  options.text_strings = true;
  const TfliteFile& file = bundle(options);
  std::vector<std::string> promised_keys;
  for (const SignatureContract& contract : bundle_contract()) {
    promised_keys.emplace_back(contract.key);
    SCOPED_TRACE(contract.key);
    ContractSizes sizes(checkpoint_.info.config, checkpoint_.info.generation);
    ASSERT_TRUE(sizes.accept(Dim::tokens, 64));
    ASSERT_TRUE(sizes.accept(Dim::hypotheses, 5));
    ASSERT_TRUE(sizes.accept(Dim::text_bytes, 8));
    EXPECT_EQ(inputs(file, contract.key), promised(contract.inputs, sizes));
    EXPECT_EQ(outputs(file, contract.key), promised(contract.outputs, sizes));
  }
  EXPECT_EQ(keys(file), promised_keys);
  EXPECT_THAT(promised_keys, ElementsAreArray(kSignatureKeys));
  EXPECT_NO_THROW(check_bundle(file, read_model_info(file)));
}

TEST_F(Contract, ABundleHoldsWhatIsAskedForInTheOrderOfTheTable) {
  BundleOptions options;
  options.signatures = {"step", "prefill", "encode", "features", "cross"};
  const TfliteFile& five = bundle(options);
  EXPECT_THAT(keys(five), ElementsAre("features", "encode", "cross", "step", "prefill"));
  EXPECT_NO_THROW(check_bundle(five, read_model_info(five)));

  options.signatures = {"encode"};
  const TfliteFile& one = bundle(options);
  EXPECT_THAT(keys(one), ElementsAre("encode"));
  EXPECT_NO_THROW(check_contract(one, read_model_info(one)));
  EXPECT_THAT(message_of([&] { check_bundle(one, read_model_info(one)); }),
              AllOf(HasSubstr("has no signature \"features\""),
                    HasSubstr("needs features, encode, cross, step, prefill")));
}

TEST_F(Contract, NoAlignWithoutAlignmentHeads) {
  checkpoint_.info.generation.alignment_heads.clear();
  EXPECT_THAT(keys(bundle()), Not(Contains("align")));
  BundleOptions options;
  options.signatures = {"align"};
  EXPECT_THAT(message_of([&] { bundle(options); }), HasSubstr("alignment heads"));
}

// What the letters of the table mean, on one signature that has nearly all of them.
TEST_F(Contract, StepBeam) {
  const TfliteFile& file = bundle();
  EXPECT_EQ(inputs(file, "step_beam"), (Description{{"tokens", "int32[5]"},
                                                    {"position", "int32[1]"},
                                                    {"self_k_0", "float32[5,2,448,8]"},
                                                    {"self_v_0", "float32[5,2,8,448]"},
                                                    {"cross_k_0", "float32[1,2,1500,8]"},
                                                    {"cross_v_0", "float32[1,2,8,1500]"}}));
  EXPECT_EQ(outputs(file, "step_beam"), (Description{{"logits", "float32[5,1531]"},
                                                     {"new_self_k_0", "float32[5,2,448,8]"},
                                                     {"new_self_v_0", "float32[5,2,8,448]"}}));
}

TEST_F(Contract, NoStringsUnlessAskedFor) {
  const TfliteFile& file = bundle();
  EXPECT_EQ(outputs(file, "transcribe"), (Description{{"tokens", "int32[1,448]"},
                                                      {"text_bytes", "uint8[448,8]"},
                                                      {"text_lengths", "int32[448]"}}));
  EXPECT_NO_THROW(check_bundle(file, read_model_info(file)));
}

TEST_F(Contract, PartsAreThoseOfThePythonPackage) {
  ASSERT_EQ(all_parts().size(), part_contracts().size());
  for (const Part which : all_parts()) {
    SCOPED_TRACE(name_of(which));
    EXPECT_EQ(part_of_name(name_of(which)), which);
    const SignatureContract& contract = contract_of_part(name_of(which));
    const ContractSizes sizes(checkpoint_.info.config, checkpoint_.info.generation);
    const TfliteFile& file = part(which);
    ASSERT_EQ(file.model().signature_defs()->size(), 1U);
    EXPECT_EQ(inputs(file, "serving_default"), promised(contract.inputs, sizes));
    EXPECT_EQ(outputs(file, "serving_default"), promised(contract.outputs, sizes));
    EXPECT_NO_THROW(check_contract(file, read_model_info(file)));
    // What an interpreter without signatures runs.
    EXPECT_EQ(signature(file, "serving_default").subgraph_index(), 0U);
  }
}

TEST_F(Contract, NoControlFlowInWhatRunsOnGpusAndNpus) {
  const TfliteFile& file = bundle();
  for (const auto& [key, in, out, meaning, needed, loops] : bundle_contract()) {
    EXPECT_EQ(ops(file, key).contains(OpCode::while_loop), loops) << key;
  }
}

TEST_F(Contract, EveryShapeIsStaticAndEveryOpBuiltIn) {
  const TfliteFile& file = bundle();
  for (const auto* subgraph : *file.model().subgraphs()) {
    for (const auto* tensor : *subgraph->tensors()) {
      for (const int32_t size : *tensor->shape()) EXPECT_GT(size, 0) << tensor->name()->str();
      EXPECT_EQ(tensor->shape_signature(), nullptr) << tensor->name()->str();
    }
  }
  for (const auto* code : *file.model().operator_codes()) {
    EXPECT_EQ(code->custom_code(), nullptr);
    EXPECT_NE(code->builtin_code(), tflite::BuiltinOperator::CUSTOM);  // which Flex ops are as well
  }
}

BundleOptions in_format(WeightFormat format, Compatibility compatibility = {}) {
  BundleOptions options;
  options.recipe = {.encoder = format, .decoder = format, .embedding = format, .exceptions = {}};
  options.compatibility = compatibility;
  return options;
}

TEST_F(Contract, VersionsAreNoNewerThanNeeded) {
  for (const WeightFormat format : {WeightFormat::f32, WeightFormat::f16, WeightFormat::i8}) {
    for (const auto compatibility : {Compatibility::litert, Compatibility::tflite_2_14}) {
      SCOPED_TRACE(name_of(format));
      for (const auto& [code, numbers] : versions(bundle(in_format(format, compatibility)))) {
        std::set<int> allowed{1};
        switch (code) {
          case OpCode::fully_connected:
            // With a bias or without, keeping dimensions; hybrid with one scale; a scale per row.
            allowed = {5, 6};
            if (format == WeightFormat::i8) {
              allowed.insert(compatibility == Compatibility::litert ? 12 : 9);
            }
            break;
          case OpCode::dequantize:
            allowed = {3};  // float16
            break;
          case OpCode::gather:
            if (format == WeightFormat::i8 && compatibility == Compatibility::tflite_2_14) {
              allowed.insert(2);  // int8
            }
            break;
          case OpCode::embedding_lookup:
            allowed = {4};  // a scale per row
            break;
          case OpCode::broadcast_to:
            allowed = {2};
            break;
          default:
            break;
        }
        EXPECT_THAT(numbers, IsSubsetOf(allowed)) << name_of(code);
      }
    }
  }
}

TEST_F(Contract, OnlyNewInterpretersLookUpRowsWithScales) {
  const TfliteFile& old = bundle(in_format(WeightFormat::i8, Compatibility::tflite_2_14));
  EXPECT_THAT(ops(old, "step"), Not(Contains(OpCode::embedding_lookup)));
  const TfliteFile& now = bundle(in_format(WeightFormat::i8));
  EXPECT_THAT(ops(now, "step"), Contains(OpCode::embedding_lookup));
}

TEST_F(Contract, CachesCanBeUpdatedWithoutDynamicUpdateSlice) {
  BundleOptions options;
  options.cache_update = CacheUpdate::blend;
  const TfliteFile& file = bundle(options);
  for (const char* key : {"step", "prefill", "step_beam", "align"}) {
    EXPECT_THAT(ops(file, key), Not(Contains(OpCode::dynamic_update_slice))) << key;
  }
  EXPECT_NO_THROW(check_bundle(file, read_model_info(file)));
}

TEST_F(Contract, OldInterpretersGatherNoHalfFloats) {
  const TfliteFile& file = bundle(in_format(WeightFormat::f16, Compatibility::tflite_2_14));
  for (const auto* subgraph : *file.model().subgraphs()) {
    for (const auto* op : *subgraph->operators()) {
      const auto code = file.model().operator_codes()->Get(op->opcode_index())->builtin_code();
      if (static_cast<OpCode>(code) != OpCode::gather) continue;
      const auto* table = subgraph->tensors()->Get(static_cast<uint32_t>(op->inputs()->Get(0)));
      EXPECT_NE(static_cast<DType>(table->type()), DType::f16) << table->name()->str();
    }
  }
}

TEST_F(Contract, OldInterpretersGetInt8ForInt4) {
  checkpoint_ = random_checkpoint(small_config(64));  // wide enough for blocks of int4
  const TfliteFile& file = bundle(in_format(WeightFormat::i4, Compatibility::tflite_2_14));
  for (const auto* subgraph : *file.model().subgraphs()) {
    for (const auto* tensor : *subgraph->tensors()) {
      EXPECT_NE(static_cast<DType>(tensor->type()), DType::i4) << tensor->name()->str();
    }
  }
}

}  // namespace
}  // namespace whisper_s4y::testing
