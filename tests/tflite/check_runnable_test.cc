#include "tflite/check_runnable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <climits>
#include <cstring>
#include <functional>
#include <ostream>

#include "graph/ops.h"
#include "graph/quantize.h"
#include "support/errors.h"
#include "support/files.h"
#include "tflite/model_objects.h"
#include "tflite/writer.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using M = objects::ModelT;

/// A file with every kind of thing that may be wrong: subgraph 0 "main", 1 "loop" with condition 2
/// and body 3.
class Runnable : public ::testing::Test {
 protected:
  Runnable() {
    Module module;
    Graph& g = module.add_graph("main");
    const Rows matrix = rows_of("w", {64, 128}, std::vector<float>(64 * 128, 0.5F));
    const Int8Rows bytes = int8_rows(matrix);
    const Value w8 = g.constant("w8", DType::i8, {64, 128}, bytes.data, bytes.quantization);
    const Int4Blocks blocks = int4_blocks(matrix);
    const auto block_scales = std::make_shared<Quantization>();
    block_scales->block_scales = g.constant(blocks.scales, DType::f16);
    block_scales->block_size = kInt4Block;
    const Value w4 = g.constant("w4", DType::i4, {64, 128}, blocks.data, block_scales);
    const Value x = g.input("x", DType::f32, {1, 128});
    const Value y = concat(g, {fully_connected(g, x, w8), fully_connected(g, x, w4)}, 1);
    const Value image = reshape(g, y, {1, 8, 8, 2});
    const Value kernel = g.constant(rows_of("k", {3, 2, 2, 2}, std::vector<float>(24, 1.0F)));
    const Value bias = g.constant(rows_of("b", {3}, std::vector<float>(3, 1.0F)));
    const Value filtered = conv_2d(g, image, kernel, bias, 2, 2, false);
    const Value turned = transpose(g, filtered, {0, 3, 1, 2});
    const Value cut =
        slice(g, pad(g, turned, {{0, 0}, {0, 0}, {1, 1}, {0, 0}}), {0, 0, 0, 0}, {1, 2, 3, 4});
    module.add_signature("main", g, {{"y", softmax(g, mean(g, cut, {1, 2}))}});

    Graph& loop = module.add_graph("loop");
    Graph& condition = module.add_graph("condition");
    Graph& body = module.add_graph("body");
    condition.set_outputs(
        {less(condition, condition.input("n", DType::i32, {1}), condition.constant_i32({9}))});
    const Value n = body.input("n", DType::i32, {1});
    body.set_outputs({add(body, n, n)});
    const Value start = loop.input("start", DType::i32, {1});
    const Value end = while_loop(loop, {start}, condition, body)[0];
    std::vector<std::byte> text(4 * 4 + 3);
    const std::array<int32_t, 4> head{2, 16, 17, 19};
    std::memcpy(text.data(), head.data(), sizeof(head));
    const Value strings = loop.constant("strings", DType::string, {2}, bytes_constant(text));
    module.add_signature("loop", loop, {{"end", end}, {"text", gather(loop, strings, start)}});
    module.add_metadata("note", "text");
    write_tflite(module, path_, {.flatbuffer_limit = 1});
    good_ = read_file(path_);
  }

  [[nodiscard]] std::string refusal() const {
    return message_of([&] { check_runnable(TfliteFile(path_)); });
  }

  std::string refusal_after(const std::function<void(M&)>& change) const {
    const ModelObjects bundle(good_);
    const std::unique_ptr<M> model = bundle.unpack();
    change(*model);
    write_file(path_, bundle.pack(*model));
    return refusal();
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.tflite";
  std::string good_;
};

int code_index(const M& model, OpCode code) {
  for (size_t i = 0; i < model.operator_codes.size(); ++i) {
    if (model.operator_codes[i]->builtin_code == static_cast<objects::BuiltinOperator>(code)) {
      return static_cast<int>(i);
    }
  }
  ADD_FAILURE() << "no " << name_of(code);
  return 0;
}

objects::OperatorT& op(M& model, OpCode code, size_t graph = 0) {
  const auto index = static_cast<uint32_t>(code_index(model, code));
  for (const auto& each : model.subgraphs[graph]->operators) {
    if (each->opcode_index == index) return *each;
  }
  throw std::runtime_error("no such op");
}

objects::TensorT& operand(M& model, OpCode code, size_t index, size_t graph = 0) {
  const int32_t id = op(model, code, graph).inputs[index];
  return *model.subgraphs[graph]->tensors[static_cast<size_t>(id)];
}

objects::TensorT& result(M& model, OpCode code, size_t graph = 0) {
  const int32_t id = op(model, code, graph).outputs[0];
  return *model.subgraphs[graph]->tensors[static_cast<size_t>(id)];
}

void set_number(M& model, const objects::TensorT& tensor, size_t index, int32_t number) {
  std::memcpy(model.buffers[tensor.buffer]->data.data() + index * sizeof(number), &number,
              sizeof(number));
}

objects::TensorT& named(M& model, const std::string& name) {
  for (const auto& graph : model.subgraphs) {
    for (const auto& tensor : graph->tensors) {
      if (tensor->name == graph->name + "/" + name) return *tensor;
    }
  }
  throw std::runtime_error("no such tensor");
}

TEST_F(Runnable, TakesAGoodFileAndOnePackedAgain) {
  EXPECT_EQ(refusal(), "no error");
  EXPECT_EQ(refusal_after([](M&) {}), "no error");
}

struct Damage {
  std::string name;
  std::function<void(M&)> change;
  std::string sentence;
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

std::vector<Damage> damages() {
  using enum OpCode;
  return {
      {"no_signatures", [](M& m) { m.signature_defs.clear(); }, "defines no signatures"},
      {"signature_twice", [](M& m) { m.signature_defs[1]->signature_key = "main"; },
       "\"main\" twice"},
      {"signature_with_quotes", [](M& m) { m.signature_defs[1]->signature_key = "a\", \"b"; },
       "no plain word"},
      {"signature_without_its_input", [](M& m) { m.signature_defs[0]->inputs.clear(); },
       "not those of its subgraph"},
      {"signature_input_twice",
       [](M& m) {
         auto& inputs = m.signature_defs[0]->inputs;
         inputs.push_back(std::make_unique<objects::TensorMapT>(*inputs[0]));
       },
       "a name or a tensor twice"},
      {"output_is_a_constant",
       [](M& m) {
         const auto id = static_cast<uint32_t>(op(m, conv_2d).inputs[2]);
         m.subgraphs[0]->outputs[0] = static_cast<int32_t>(id);
         m.signature_defs[0]->outputs[0]->tensor_index = id;
       },
       "nothing writes it"},
      {"unknown_op",
       [](M& m) {
         m.operator_codes[code_index(m, softmax)]->builtin_code = objects::BuiltinOperator::CUSTOM;
       },
       "not among those"},
      {"op_reads_what_comes_later",
       [](M& m) {
         auto& ops = m.subgraphs[0]->operators;
         std::swap(ops.front(), ops.back());
       },
       "nothing has written"},
      {"op_writes_a_constant", [](M& m) { op(m, softmax).outputs[0] = op(m, conv_2d).inputs[1]; },
       "which is a constant"},
      {"input_is_a_constant",
       [](M& m) { m.subgraphs[0]->inputs.push_back(op(m, conv_2d).inputs[1]); },
       "is a constant or named twice"},
      {"output_of_another_shape",
       [](M& m) {
         result(m, concatenation).shape = {1, 64};
       },
       "CONCATENATION, gives float32 [1, 128]"},
      {"output_of_another_type", [](M& m) { result(m, softmax).type = objects::TensorType::INT32; },
       "int32"},
      {"rank_too_high",
       [](M& m) {
         result(m, softmax).shape = {1, 1, 1, 1, 1};
       },
       "tensor"},
      {"size_of_zero", [](M& m) { result(m, softmax).shape = {0}; }, "does not run"},
      {"variable", [](M& m) { result(m, softmax).is_variable = true; }, "variable"},
      {"sparse",
       [](M& m) { result(m, softmax).sparsity = std::make_unique<objects::SparsityParametersT>(); },
       "sparse"},
      {"shape_not_fixed",
       [](M& m) {
         result(m, softmax).shape_signature = {-1, 1, 1, 4};
       },
       "no fixed shape"},
      {"activation",
       [](M& m) {
         op(m, conv_2d).builtin_options.AsConv2DOptions()->fused_activation_function =
             static_cast<objects::ActivationFunctionType>(9);
       },
       "activation 9"},
      {"stride_of_zero",
       [](M& m) { op(m, conv_2d).builtin_options.AsConv2DOptions()->stride_w = 0; }, "strides"},
      {"dilation",
       [](M& m) { op(m, conv_2d).builtin_options.AsConv2DOptions()->dilation_h_factor = 1 << 30; },
       "dilation"},
      {"no_options", [](M& m) { op(m, fully_connected).builtin_options.Reset(); }, "shuffled"},
      {"too_few_inputs", [](M& m) { op(m, conv_2d).inputs.pop_back(); }, "2 inputs"},
      {"input_left_out", [](M& m) { op(m, conv_2d).inputs[0] = -1; }, "left out"},
      {"permutation_past_the_axes", [](M& m) { set_number(m, operand(m, transpose, 1), 0, 7); },
       "permutation"},
      {"slice_past_the_end", [](M& m) { set_number(m, operand(m, slice, 1), 2, 100); },
       "begins at 100"},
      {"slice_of_a_huge_size", [](M& m) { set_number(m, operand(m, slice, 2), 2, INT32_MAX); },
       "long"},
      {"padding_negative", [](M& m) { set_number(m, operand(m, pad, 1), 2, -5); }, "pads by -5"},
      {"padding_huge", [](M& m) { set_number(m, operand(m, pad, 1), 2, INT32_MAX); }, "pads by"},
      {"axis_past_the_rank", [](M& m) { set_number(m, operand(m, mean, 1), 0, 9); }, "no axis 9"},
      {"shape_not_constant", [](M& m) { op(m, reshape).inputs[1] = m.subgraphs[0]->inputs[0]; },
       "no constant row of int32"},
      {"scales_too_few", [](M& m) { named(m, "w8").quantization->scale.resize(5); },
       "do not fit it"},
      {"scale_of_zero", [](M& m) { named(m, "w8").quantization->scale[3] = 0; }, "do not fit it"},
      {"zero_point", [](M& m) { named(m, "w8").quantization->zero_point[3] = 1; }, "do not fit it"},
      {"quantized_dimension", [](M& m) { named(m, "w8").quantization->quantized_dimension = 1; },
       "do not fit it"},
      {"no_scales", [](M& m) { named(m, "w8").quantization.reset(); }, "scales for the weights"},
      {"scales_of_an_activation",
       [](M& m) {
         result(m, softmax).quantization =
             std::make_unique<objects::QuantizationParametersT>(*named(m, "w8").quantization);
       },
       "do not fit it"},
      {"block_scales_elsewhere",
       [](M& m) { named(m, "w4").quantization->details.AsBlockwiseQuantization()->scales = 999; },
       "scales of the blocks"},
      {"block_scales_of_another_shape",
       [](M& m) {
         const int32_t id = named(m, "w4").quantization->details.AsBlockwiseQuantization()->scales;
         m.subgraphs[0]->tensors[static_cast<size_t>(id)]->shape = {128, 2};
       },
       "scales of the blocks"},
      {"block_size",
       [](M& m) { named(m, "w4").quantization->details.AsBlockwiseQuantization()->block_size = 7; },
       "scales of the blocks"},
      {"constant_not_aligned",
       [](M& m) {
         auto& buffer = *m.buffers[named(m, "k").buffer];
         buffer.offset = 65;
         buffer.size = buffer.data.size();
         buffer.data.clear();
       },
       "no multiple of 4"},
      {"buffer_in_two_places",
       [](M& m) {
         m.buffers[named(m, "w8").buffer]->data = {1, 2, 3, 4};
       },
       "two ways"},
      {"string_past_the_end", [](M& m) { set_number(m, named(m, "strings"), 3, 1000); },
       "strings of tensor"},
      {"string_backwards", [](M& m) { set_number(m, named(m, "strings"), 2, 1); },
       "strings of tensor"},
      {"string_count", [](M& m) { set_number(m, named(m, "strings"), 0, -1); },
       "strings of tensor"},
      {"loop_with_another_state",
       [](M& m) {
         m.subgraphs[3]->tensors[0]->shape = {2};
         m.subgraphs[3]->tensors[1]->shape = {2};
       },
       "WHILE value 0"},
      {"condition_without_a_bool",
       [](M& m) { op(m, while_loop, 1).builtin_options.AsWhileOptions()->cond_subgraph_index = 3; },
       "must give one bool"},
      {"orders_in_metadata", [](M& m) { m.metadata[0]->name = "model_control_dependencies"; },
       "metadata"},
  };
}

class RunnableDamage : public Runnable, public ::testing::WithParamInterface<Damage> {};

TEST_P(RunnableDamage, IsRefusedWithTheFileAndThePlace) {
  const std::string message = refusal_after(GetParam().change);
  EXPECT_THAT(message, AllOf(HasSubstr("model.tflite"), HasSubstr(GetParam().sentence)));
}

INSTANTIATE_TEST_SUITE_P(CheckRunnable, RunnableDamage, ::testing::ValuesIn(damages()),
                         [](const auto& info) { return info.param.name; });

/// What the check says of a module with one signature.
std::string refusal_of(const std::function<Value(Graph&, Value)>& build) {
  Module module;
  Graph& g = module.add_graph("run");
  const Value x = g.input("x", DType::f32, {1, 1});
  module.add_signature("run", g, {{"y", build(g, x)}});
  const TemporaryFolder folder;
  write_tflite(module, folder / "small.tflite");
  return message_of([&] { check_runnable(TfliteFile(folder / "small.tflite")); });
}

TEST(RunnableCost, ASmallFileMayNotTakeGigabytes) {
  EXPECT_THAT(refusal_of([](Graph& g, Value x) {
                const Value big = broadcast_to(g, x, {1 << 14, 1 << 14});
                return reduce_max(g, add(g, big, big), {0, 1});
              }),
              AllOf(HasSubstr("GB of memory"), HasSubstr("not meant well")));
}

TEST(RunnableCost, ASmallFileMayNotMultiplyForHours) {
  EXPECT_THAT(refusal_of([](Graph& g, Value x) {
                Value big = broadcast_to(g, x, {1 << 12, 1 << 12});
                for (int i = 0; i < 4; ++i) big = batch_matmul(g, big, big);
                return reduce_max(g, big, {0, 1});
              }),
              HasSubstr("billion multiplications"));
}

TEST(RunnableCost, TensorsAreCountedWhileTheyLive) {
  // Ten tensors of 128 MB, two at a time.
  EXPECT_EQ(refusal_of([](Graph& g, Value x) {
              Value big = broadcast_to(g, x, {1 << 12, 1 << 13});
              for (int i = 0; i < 10; ++i) big = square(g, big);
              return reduce_max(g, big, {0, 1});
            }),
            "no error");
}

TEST(RunnableCost, OneMatrixMayNotBePackedAThousandTimes) {
  EXPECT_THAT(refusal_of([](Graph& g, Value x) {
                const Value matrix =
                    g.constant(rows_of("w", {512, 512}, std::vector<float>(512 * 512, 1.0F)));
                Value row = broadcast_to(g, x, {1, 512});
                for (int i = 0; i < 1000; ++i) row = fully_connected(g, row, matrix);
                return row;
              }),
              HasSubstr("GB for its matrices"));
}

TEST(RunnableCost, LoopsInLoopsEnd) {
  Module module;
  Graph* inner = &module.add_graph("innermost");
  inner->set_outputs({square(*inner, inner->input("x", DType::f32, {1}))});
  Graph& condition = module.add_graph("condition");
  condition.set_outputs(
      {less(condition, condition.input("x", DType::f32, {1}), condition.constant(1.0F))});
  for (int i = 0; i < 6; ++i) {
    Graph& outer = module.add_graph("outer");
    const Value x = outer.input("x", DType::f32, {1});
    outer.set_outputs(while_loop(outer, {x}, condition, *inner));
    inner = &outer;
  }
  Graph& g = module.add_graph("run");
  const Value x = g.input("x", DType::f32, {1});
  module.add_signature("run", g, {{"y", while_loop(g, {x}, condition, *inner)[0]}});
  const TemporaryFolder folder;
  write_tflite(module, folder / "deep.tflite");
  EXPECT_THAT(message_of([&] { check_runnable(TfliteFile(folder / "deep.tflite")); }),
              HasSubstr("stand in one another"));
}

}  // namespace
}  // namespace whisper_s4y
