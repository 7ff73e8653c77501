#include "tflite/reader.h"

#include <flatbuffers/flatbuffers.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <ostream>
#include <random>

#include "graph/quantize.h"
#include "runtime/test_model.h"
#include "tflite/model_objects.h"
#include "tflite/schema_generated.h"
#include "tflite/writer.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ReaderTest : public ::testing::Test {
 protected:
  /// A good file with loops, scales, metadata and buffers behind the flatbuffer.
  ReaderTest() {
    Module module;
    Graph& g = module.add_graph("main");
    const Int8Rows q = int8_rows(rows_of("w", {64, 128}, std::vector<float>(64 * 128, 0.5F)));
    const Value weights = g.constant("w", DType::i8, {64, 128}, q.data, q.quantization);
    const Value x = g.input("x", DType::f32, {1, 128});
    module.add_signature("dense", g, {{"y", fully_connected(g, x, weights)}});
    Graph& loop = module.add_graph("loop");
    Graph& condition = module.add_graph("condition");
    Graph& body = module.add_graph("body");
    condition.set_outputs(
        {less(condition, condition.input("n", DType::i32, {1}), condition.constant_i32({9}))});
    const Value n = body.input("n", DType::i32, {1});
    body.set_outputs({add(body, n, n)});
    const Value start = loop.input("start", DType::i32, {1});
    module.add_signature("loop", loop, {{"end", while_loop(loop, {start}, condition, body)[0]}});
    module.add_metadata("note", "text");
    write_tflite(module, path, {.flatbuffer_limit = 1});
    std::ifstream in(path, std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(in), {});
  }

  void write(const std::string& content) {
    std::filesystem::remove(path);  // some file systems sync a file that is overwritten
    std::ofstream(path, std::ios::binary).write(content.data(), std::ssize(content));
  }

  /// The message with which the reader refuses the file; empty when it takes it.
  std::string refusal() {
    try {
      const TfliteFile file(path);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  /// Changes the model as objects, packs it again and tries to read it.
  std::string refusal_after(const std::function<void(objects::ModelT&)>& change) {
    const ModelObjects objects(good);
    const std::unique_ptr<objects::ModelT> model = objects.unpack();
    change(*model);
    write(objects.pack(*model));
    return refusal();
  }

  TemporaryFolder folder;
  std::filesystem::path path = folder / "model.tflite";
  std::string good;
};

TEST_F(ReaderTest, TakesAGoodFile) { EXPECT_EQ(refusal(), ""); }

TEST_F(ReaderTest, TakesItPackedAgain) {
  EXPECT_EQ(refusal_after([](objects::ModelT&) {}), "");
}

TEST_F(ReaderTest, NamesAMissingFile) {
  path = folder / "absent.tflite";
  EXPECT_THAT(refusal(), HasSubstr("absent.tflite"));
}

TEST_F(ReaderTest, RefusesOtherFiles) {
  for (const std::string& content :
       {std::string(), std::string("TFL3"), std::string(1000, 'x'), std::string(1000, '\0')}) {
    write(content);
    EXPECT_THAT(refusal(), HasSubstr("not a .tflite file"));
  }
}

TEST_F(ReaderTest, RefusesTruncatedFiles) {
  // The last bytes are constants behind the flatbuffer: those are found missing too.
  for (size_t size = 0; size < good.size(); size += 1 + good.size() / 300) {
    write(good.substr(0, size));
    EXPECT_NE(refusal(), "") << size << " of " << good.size() << " bytes";
  }
  write(good.substr(0, good.size() - 1));
  EXPECT_THAT(refusal(), HasSubstr("truncated"));
}

// Most flips hit numbers that mean nothing to the reader; it must survive each of them and
// everything in a file it takes must be readable.
TEST_F(ReaderTest, SurvivesFlippedBytes) {
  const size_t end = good.size() - 64 * 128;
  for (size_t at = 0; at < end; ++at) {
    std::string content = good;
    content[at] = static_cast<char>(content[at] ^ (at % 2 == 0 ? '\x01' : '\x80'));
    write(content);
    try {
      const TfliteFile file(path);
      for (uint32_t i = 0; i < file.model().buffers()->size(); ++i) {
        const auto bytes = file.buffer(i);
        unsigned sum = 0;
        for (const std::byte byte : bytes) sum += std::to_integer<unsigned>(byte);
        ASSERT_LE(sum, 255U * bytes.size());
      }
      (void)file.has_metadata("note");
    } catch (const Error& error) {
      ASSERT_STRNE(error.what(), "");
    }
  }
}

TEST_F(ReaderTest, SurvivesRandomDamage) {
  std::mt19937 random(3);
  for (int round = 0; round < 1000; ++round) {
    std::string content = good;
    for (int i = 0; i < 8; ++i) {
      const uint32_t number = random();
      const size_t at = random() % (content.size() - 64 * 128 - 4);
      std::memcpy(content.data() + at, &number, sizeof(number));
    }
    write(content);
    (void)refusal();
  }
}

struct Damage {
  std::string name;
  std::function<void(objects::ModelT&)> change;
  std::string sentence;
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

std::vector<Damage> damages() {
  using M = objects::ModelT;
  return {
      {"version", [](M& m) { m.version = 2; }, "version 2"},
      {"no_subgraphs", [](M& m) { m.subgraphs.clear(); }, "no subgraph"},
      {"opcode", [](M& m) { m.subgraphs[0]->operators[0]->opcode_index = 99; }, "operator code"},
      {"op_input", [](M& m) { m.subgraphs[0]->operators[0]->inputs[0] = 99; }, "tensor 99"},
      {"op_input_negative", [](M& m) { m.subgraphs[0]->operators[0]->inputs[0] = -2; },
       "tensor -2"},
      {"op_output", [](M& m) { m.subgraphs[0]->operators[0]->outputs[0] = 3; }, "tensor 3"},
      {"op_output_absent", [](M& m) { m.subgraphs[0]->operators[0]->outputs[0] = -1; },
       "tensor -1"},
      {"graph_input", [](M& m) { m.subgraphs[0]->inputs[0] = 1 << 30; }, "an input"},
      {"graph_input_absent", [](M& m) { m.subgraphs[0]->inputs[0] = -1; }, "an input"},
      {"graph_output", [](M& m) { m.subgraphs[1]->outputs[0] = -7; }, "an output"},
      {"tensor_buffer", [](M& m) { m.subgraphs[0]->tensors[0]->buffer = 1000; }, "tensor 0"},
      {"tensor_type",
       [](M& m) { m.subgraphs[0]->tensors[0]->type = static_cast<objects::TensorType>(100); },
       "tensor 0"},
      {"tensor_type_negative",
       [](M& m) { m.subgraphs[0]->tensors[0]->type = static_cast<objects::TensorType>(-1); },
       "tensor 0"},
      {"shape_huge",
       [](M& m) {
         m.subgraphs[0]->tensors[0]->shape = {1 << 30, 1 << 30, 1 << 30};
       },
       "impossible shape"},
      {"shape_negative", [](M& m) { m.subgraphs[0]->tensors[0]->shape = {-5}; },
       "impossible shape"},
      {"weights_shape",
       [](M& m) {
         m.subgraphs[0]->tensors[0]->shape = {64, 129};
       },
       "needs 8256"},
      {"weights_type",
       [](M& m) { m.subgraphs[0]->tensors[0]->type = objects::TensorType::FLOAT32; },
       "needs 32768"},
      {"buffer_offset", [](M& m) { m.buffers[1]->offset = 1ULL << 40; }, "truncated"},
      {"buffer_offset_wraps", [](M& m) { m.buffers[1]->offset = ~0ULL - 100; }, "truncated"},
      {"buffer_size", [](M& m) { m.buffers[1]->size = ~0ULL; }, "truncated"},
      {"buffers_gone", [](M& m) { m.buffers.clear(); }, ""},
      {"metadata_buffer", [](M& m) { m.metadata[0]->buffer = 77; }, "metadata entry 0"},
      {"signature_graph", [](M& m) { m.signature_defs[0]->subgraph_index = 4; }, "signature 0"},
      {"signature_tensor", [](M& m) { m.signature_defs[1]->inputs[0]->tensor_index = 50; },
       "signature 1"},
      {"signature_output", [](M& m) { m.signature_defs[1]->outputs[0]->tensor_index = 50; },
       "signature 1"},
      {"loop_target",
       [](M& m) {
         m.subgraphs[1]->operators[0]->builtin_options.AsWhileOptions()->body_subgraph_index = 4;
       },
       "names subgraph 4"},
      {"loop_target_negative",
       [](M& m) {
         m.subgraphs[1]->operators[0]->builtin_options.AsWhileOptions()->cond_subgraph_index = -1;
       },
       "names subgraph -1"},
      {"loop_itself",
       [](M& m) {
         m.subgraphs[1]->operators[0]->builtin_options.AsWhileOptions()->body_subgraph_index = 1;
       },
       "subgraph"},
      {"loop_circle",
       [](M& m) {
         auto copy = std::make_unique<objects::OperatorT>(*m.subgraphs[1]->operators[0]);
         copy->inputs = {0};
         copy->outputs = {0};
         copy->builtin_options.AsWhileOptions()->body_subgraph_index = 1;
         m.subgraphs[3]->operators.push_back(std::move(copy));
       },
       "subgraph"},
  };
}

class DamageTest : public ReaderTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(DamageTest, IsRefusedWithTheFileAndThePlace) {
  const std::string message = refusal_after(GetParam().change);
  EXPECT_THAT(message, AllOf(HasSubstr("model.tflite"), HasSubstr(GetParam().sentence)));
}

INSTANTIATE_TEST_SUITE_P(Reader, DamageTest, ::testing::ValuesIn(damages()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whisper_s4y
