#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "graph/ops.h"
#include "graph/quantize.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;

TEST(GraphTest, EqualConstantsOfAGraphAreOneTensor) {
  Module module;
  Graph& g = module.add_graph("g");
  EXPECT_EQ(g.constant_i32({1, 2}).id, g.constant_i32({1, 2}).id);
  EXPECT_EQ(g.constant(0.5F).id, g.constant(0.5F).id);
}

TEST(GraphTest, OtherShapesAreOtherTensorsOverOneBuffer) {
  Module module;
  Graph& g = module.add_graph("g");
  const Value flat = g.constant_i32({1, 2});
  const Value row = g.constant_i32({1, 2}, {1, 2});
  EXPECT_NE(flat.id, row.id);
  EXPECT_EQ(g.tensor(flat).buffer, g.tensor(row).buffer);
}

TEST(GraphTest, GraphsShareTheBuffersOfWeights) {
  Module module;
  Graph& a = module.add_graph("a");
  Graph& b = module.add_graph("b");
  const Rows weights = rows_of("w", {2, 2}, {1, 2, 3, 4});
  const Rows other = rows_of("v", {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(a.tensor(a.constant(weights)).buffer, b.tensor(b.constant(weights)).buffer);
  EXPECT_NE(a.tensor(a.constant(weights)).buffer, b.tensor(b.constant(other)).buffer);
}

TEST(GraphTest, OneWeightInTwoFormatsIsTwoBuffers) {
  Module module;
  Graph& g = module.add_graph("g");
  const Rows weights = rows_of("w", {1, 2}, {1, 2});
  EXPECT_NE(g.tensor(g.constant(weights)).buffer, g.tensor(g.constant(weights, DType::f16)).buffer);
}

TEST(GraphTest, IntegersWithAndWithoutScalesShareABuffer) {
  Module module;
  Graph& g = module.add_graph("g");
  const Int8Rows q = int8_rows(rows_of("w", {1, 2}, {1, 2}));
  const Value weights = g.constant("w", DType::i8, {1, 2}, q.data, q.quantization);
  const Value integers = g.constant("w", DType::i8, {1, 2}, q.data);
  EXPECT_NE(weights.id, integers.id);
  EXPECT_EQ(g.tensor(integers).quantization, nullptr);
  EXPECT_EQ(g.tensor(weights).buffer, g.tensor(integers).buffer);
}

TEST(GraphTest, ConstantNeedsAsManyBytesAsItsShapeTakes) {
  Module module;
  Graph& g = module.add_graph("g");
  const std::array<float, 3> numbers{1, 2, 3};
  EXPECT_THROW(
      g.constant("c", DType::f32, {2, 2}, bytes_constant(std::as_bytes(std::span(numbers)))),
      Error);
}

TEST(GraphTest, TensorsOfOtherGraphsAreRefused) {
  Module module;
  Graph& g = module.add_graph("g");
  EXPECT_THROW((void)g.tensor(Value{0}), Error);
  EXPECT_THROW((void)g.tensor(Value{}), Error);
}

TEST(GraphTest, SignatureTakesTheNamesOfInputsAndOutputs) {
  Module module;
  Graph& g = module.add_graph("g");
  const Value x = g.input("x", DType::f32, {1});
  module.add_signature("double", g, {{"y", add(g, x, x)}});
  ASSERT_EQ(module.signatures().size(), 1U);
  const Signature& signature = module.signatures()[0];
  EXPECT_EQ(signature.inputs.at(0).first, "x");
  EXPECT_EQ(g.tensor(signature.outputs.at(0).second).name, "y");
}

class DeadCodeTest : public ::testing::Test {
 protected:
  Module module;
  Graph& g = module.add_graph("g");
  Value x = g.input("x", DType::f32, {2});
};

TEST_F(DeadCodeTest, OpsNobodyReadsGo) {
  const Value dead = exp(g, x);
  sqrt(g, dead);
  module.add_signature("s", g, {{"y", add(g, x, x)}});
  module.drop_dead_code();
  ASSERT_EQ(g.ops().size(), 1U);
  EXPECT_EQ(g.ops()[0].code, OpCode::add);
  EXPECT_EQ(g.tensors().size(), 2U);
}

TEST_F(DeadCodeTest, ValuesOfSignaturesMoveWithTheirTensors) {
  exp(g, x);
  module.add_signature("s", g, {{"y", add(g, x, x)}});
  module.drop_dead_code();
  const Signature& signature = module.signatures()[0];
  EXPECT_EQ(g.tensor(signature.inputs[0].second).name, "x");
  EXPECT_EQ(g.tensor(signature.outputs[0].second).name, "y");
  EXPECT_EQ(g.outputs()[0].id, signature.outputs[0].second.id);
}

TEST_F(DeadCodeTest, UnusedInputsStay) {
  g.input("unused", DType::i32, {1});
  module.add_signature("s", g, {{"y", exp(g, x)}});
  module.drop_dead_code();
  EXPECT_EQ(g.inputs().size(), 2U);
}

TEST_F(DeadCodeTest, BuffersNobodyMentionsGoAndOthersKeepTheirContent) {
  add(g, x, g.constant(rows_of("dead", {2}, {1, 2})));
  const Value live = g.constant(rows_of("live", {2}, {3, 4}));
  module.add_metadata("note", "text");
  module.add_signature("s", g, {{"y", add(g, x, live)}});
  module.drop_dead_code();
  ASSERT_EQ(module.buffers().size(), 3U);  // the empty one, live, note
  const auto bytes = [&](int buffer) { return module.buffers().at(buffer)->key(); };
  for (const Tensor& tensor : g.tensors()) {
    if (tensor.name != "live") continue;
    EXPECT_EQ(bytes(tensor.buffer), "float32:live");
  }
  EXPECT_EQ(bytes(module.metadata()[0].second), "bytes:text");
}

TEST_F(DeadCodeTest, AllOutputsOfALiveOpStay) {
  const std::vector<Value> halves = split(g, x, 0, 2);
  module.add_signature("s", g, {{"first", halves[0]}});
  module.drop_dead_code();
  ASSERT_EQ(g.ops().size(), 1U);
  EXPECT_EQ(g.ops()[0].outputs.size(), 2U);
  EXPECT_GE(g.ops()[0].outputs[1].id, 0);
}

TEST_F(DeadCodeTest, AbsentOptionalInputsStayAbsent) {
  exp(g, x);
  const Value weights = g.constant(rows_of("w", {1, 2}, {1, 2}));
  module.add_signature("s", g, {{"y", fully_connected(g, reshape(g, x, {1, 2}), weights)}});
  module.drop_dead_code();
  EXPECT_EQ(g.ops().back().inputs.at(2).id, -1);
}

TEST_F(DeadCodeTest, ScalesOfBlocksStayWithTheirWeights) {
  auto blocks = std::make_shared<Quantization>();
  blocks->block_size = 2;
  exp(g, x);
  blocks->block_scales = g.constant(rows_of("scales", {2, 1}, {1, 2}), DType::f16);
  const std::array<std::byte, 2> packed{};
  const Value weights = g.constant("w", DType::i4, {2, 2}, bytes_constant(packed), blocks);
  module.add_signature("s", g, {{"y", fully_connected(g, reshape(g, x, {1, 2}), weights)}});
  module.drop_dead_code();
  for (const Tensor& tensor : g.tensors()) {
    if (tensor.name != "w") continue;
    EXPECT_EQ(g.tensor(tensor.quantization->block_scales).name, "scales");
  }
}

TEST(DTypeTest, Int4RoundsUpToWholeBytes) {
  EXPECT_EQ(byte_count(DType::i4, {3}), 2U);
  EXPECT_EQ(byte_count(DType::f16, {2, 3}), 12U);
  EXPECT_EQ(byte_count(DType::f32, {}), 4U);
}

TEST(DTypeTest, StringsHaveNoElementSize) { EXPECT_THROW((void)bits_of(DType::string), Error); }

}  // namespace
}  // namespace whisper_s4y
