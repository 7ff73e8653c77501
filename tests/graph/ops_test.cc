#include "graph/ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/quantize.h"
#include "support/errors.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OpsTest : public ::testing::Test {
 protected:
  Value f32(Shape shape) { return g.input("x", DType::f32, std::move(shape)); }
  Value i32(Shape shape) { return g.input("i", DType::i32, std::move(shape)); }
  Value boolean(Shape shape) { return g.input("b", DType::boolean, std::move(shape)); }

  Module module;
  Graph& g = module.add_graph("test");
};

TEST_F(OpsTest, ElementwiseOpsBroadcast) {
  EXPECT_EQ(g.shape(add(g, f32({2, 1, 4}), f32({3, 1}))), (Shape{2, 3, 4}));
  EXPECT_EQ(g.shape(mul(g, f32({5}), f32({}))), Shape{5});
}

TEST_F(OpsTest, ElementwiseOpNamesBothShapes) {
  EXPECT_THAT(message_of([&] {
                add(g, f32({2, 3}), f32({4, 3}));
              }),
              AllOf(HasSubstr("ADD"), HasSubstr("[2, 3]"), HasSubstr("[4, 3]")));
}

TEST_F(OpsTest, ElementwiseOpNamesBothTypes) {
  EXPECT_THAT(message_of([&] { mul(g, f32({2}), i32({2})); }),
              AllOf(HasSubstr("MUL"), HasSubstr("float32"), HasSubstr("int32")));
}

TEST_F(OpsTest, ComparisonsGiveBool) {
  const Value result = less(g, i32({1}), i32({3}));
  EXPECT_EQ(g.dtype(result), DType::boolean);
  EXPECT_EQ(g.shape(result), Shape{3});
}

TEST_F(OpsTest, SelectBroadcastsAllThree) {
  EXPECT_EQ(g.shape(select(g, boolean({2, 1}), f32({1, 3}), f32({}))), (Shape{2, 3}));
}

TEST_F(OpsTest, SelectNamesShapesThatDoNotFit) {
  EXPECT_THAT(message_of([&] { select(g, boolean({2}), f32({3}), f32({3})); }),
              AllOf(HasSubstr("SELECT_V2"), HasSubstr("[2]"), HasSubstr("[3]")));
}

TEST_F(OpsTest, CastToTheSameTypeIsNoOp) {
  const Value x = f32({2});
  EXPECT_EQ(cast(g, x, DType::f32).id, x.id);
  EXPECT_TRUE(g.ops().empty());
}

TEST_F(OpsTest, ReductionsKeepOrDropDimensions) {
  EXPECT_EQ(g.shape(sum(g, f32({2, 3, 4}), {-1})), (Shape{2, 3, 1}));
  EXPECT_EQ(g.shape(mean(g, f32({2, 3, 4}), {0, 2}, false)), Shape{3});
}

// The old models crashed in reduce.cc on axes out of range.
TEST_F(OpsTest, ReductionsRefuseAxesOutOfRange) {
  EXPECT_THAT(message_of([&] {
                mean(g, f32({2, 3}), {2});
              }),
              AllOf(HasSubstr("MEAN"), HasSubstr("axis 2"), HasSubstr("[2, 3]")));
  EXPECT_THAT(message_of([&] { sum(g, f32({2, 3}), {1, -1}); }), HasSubstr("twice"));
}

TEST_F(OpsTest, ArgMaxDropsTheLastDimension) {
  const Value best = arg_max(g, f32({2, 7}));
  EXPECT_EQ(g.dtype(best), DType::i32);
  EXPECT_EQ(g.shape(best), Shape{2});
}

TEST_F(OpsTest, ReshapeNamesBothShapes) {
  EXPECT_THAT(message_of([&] {
                reshape(g, f32({2, 3}), {7});
              }),
              AllOf(HasSubstr("[2, 3]"), HasSubstr("[7]")));
}

TEST_F(OpsTest, ReshapeToTheSameShapeIsNoOp) {
  const Value x = f32({2, 3});
  EXPECT_EQ(reshape(g, x, {2, 3}).id, x.id);
}

TEST_F(OpsTest, TransposeMovesDimensions) {
  EXPECT_EQ(g.shape(transpose(g, f32({2, 3, 4}), {2, 0, 1})), (Shape{4, 2, 3}));
}

TEST_F(OpsTest, TransposeNeedsAPermutation) {
  for (const std::vector<int>& axes : {std::vector<int>{0, 0}, {0}, {1, 2}}) {
    EXPECT_THAT(message_of([&] { transpose(g, f32({2, 3}), axes); }), HasSubstr("[2, 3]"));
  }
}

TEST_F(OpsTest, ConcatAddsAlongTheAxis) {
  EXPECT_EQ(g.shape(concat(g, {f32({2, 3}), f32({2, 5})}, -1)), (Shape{2, 8}));
}

TEST_F(OpsTest, ConcatNamesBothShapes) {
  EXPECT_THAT(message_of([&] {
                concat(g, {f32({2, 3}), f32({4, 3})}, 1);
              }),
              AllOf(HasSubstr("[2, 3]"), HasSubstr("[4, 3]")));
}

TEST_F(OpsTest, SliceMustStayInside) {
  EXPECT_EQ(g.shape(slice(g, f32({4, 5}), {1, 2}, {3, 3})), (Shape{3, 3}));
  EXPECT_THAT(message_of([&] {
                slice(g, f32({4, 5}), {2, 0}, {3, 5});
              }),
              AllOf(HasSubstr("SLICE"), HasSubstr("[4, 5]"), HasSubstr("dimension 0")));
}

TEST_F(OpsTest, SliceNeedsAsManyNumbersAsDimensions) {
  EXPECT_THAT(message_of([&] {
                slice(g, f32({4, 5}), std::vector<int>{1}, {3, 5});
              }),
              HasSubstr("[4, 5]"));
  EXPECT_THAT(message_of([&] { slice(g, f32({4, 5}), {1, 0}, {3}); }), HasSubstr("[4, 5]"));
}

TEST_F(OpsTest, SplitNeedsEqualParts) {
  const std::vector<Value> parts = split(g, f32({2, 6}), 1, 3);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(g.shape(parts[2]), (Shape{2, 2}));
  EXPECT_THAT(message_of([&] {
                split(g, f32({2, 6}), 1, 4);
              }),
              AllOf(HasSubstr("[2, 6]"), HasSubstr("4 equal parts")));
}

TEST_F(OpsTest, PadAddsOnBothSides) {
  EXPECT_EQ(g.shape(pad(g, f32({2, 3}), {{0, 1}, {2, 3}})), (Shape{3, 8}));
  EXPECT_THAT(message_of([&] { pad(g, f32({2, 3}), {{0, 1}}); }), HasSubstr("[2, 3]"));
}

TEST_F(OpsTest, MirrorPadDoesNotReachPastTheOtherEdge) {
  EXPECT_EQ(g.shape(mirror_pad(g, f32({3}), {{2, 2}})), Shape{7});
  EXPECT_THAT(message_of([&] { mirror_pad(g, f32({3}), {{3, 0}}); }), HasSubstr("[3]"));
}

TEST_F(OpsTest, GatherReplacesTheAxisByTheIndices) {
  EXPECT_EQ(g.shape(gather(g, f32({7, 4}), i32({2, 3}))), (Shape{2, 3, 4}));
  EXPECT_EQ(g.shape(gather(g, f32({7, 4}), i32({5}), 1)), (Shape{7, 5}));
  EXPECT_THAT(message_of([&] { gather(g, f32({7}), f32({1})); }), HasSubstr("float32"));
}

TEST_F(OpsTest, EmbeddingLookupGivesRowsOfFloats) {
  EXPECT_EQ(g.shape(embedding_lookup(g, f32({7, 4}), i32({3}))), (Shape{3, 4}));
  const Int8Rows q = int8_rows(rows_of("w", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  const Value table = g.constant("w", DType::i8, {2, 4}, q.data, q.quantization);
  EXPECT_EQ(g.dtype(embedding_lookup(g, table, i32({1}))), DType::f32);
  EXPECT_EQ(g.ops().back().version, 4);  // of scales of rows
  const Value bare = g.constant("bare", DType::i8, {2, 4}, q.data);
  EXPECT_THAT(message_of([&] { embedding_lookup(g, bare, i32({1})); }),
              HasSubstr("needs scales for the table bare"));
  EXPECT_THAT(message_of([&] { embedding_lookup(g, table, i32({1, 2})); }), HasSubstr("[1, 2]"));
  EXPECT_THAT(message_of([&] { embedding_lookup(g, i32({2, 2}), i32({1})); }), HasSubstr("int32"));
}

TEST_F(OpsTest, DynamicUpdateSliceNamesBothShapes) {
  EXPECT_THAT(message_of([&] {
                dynamic_update_slice(g, f32({2, 3}), f32({2, 4}), i32({2}));
              }),
              AllOf(HasSubstr("[2, 3]"), HasSubstr("[2, 4]")));
  EXPECT_THAT(message_of([&] {
                dynamic_update_slice(g, f32({2, 3}), f32({1, 1}), i32({1}));
              }),
              AllOf(HasSubstr("int32 [2]"), HasSubstr("[1]")));
}

TEST_F(OpsTest, BroadcastToNamesBothShapes) {
  EXPECT_EQ(g.shape(broadcast_to(g, f32({1, 3}), {4, 2, 3})), (Shape{4, 2, 3}));
  EXPECT_THAT(message_of([&] {
                broadcast_to(g, f32({2, 3}), {4, 3});
              }),
              AllOf(HasSubstr("[2, 3]"), HasSubstr("[4, 3]")));
}

TEST_F(OpsTest, FullyConnectedKeepsLeadingDimensions) {
  EXPECT_EQ(g.shape(fully_connected(g, f32({1, 5, 3}), f32({7, 3}), f32({7}))), (Shape{1, 5, 7}));
}

TEST_F(OpsTest, FullyConnectedNamesBothShapes) {
  EXPECT_THAT(message_of([&] {
                fully_connected(g, f32({1, 4}), f32({7, 3}));
              }),
              AllOf(HasSubstr("[1, 4]"), HasSubstr("[7, 3]")));
  EXPECT_THAT(message_of([&] {
                fully_connected(g, f32({1, 3}), f32({7, 3}), f32({3}));
              }),
              AllOf(HasSubstr("[7, 3]"), HasSubstr("[3]")));
}

TEST_F(OpsTest, FullyConnectedNeedsScalesForIntegers) {
  const Value weights = g.input("w", DType::i8, {7, 3});
  EXPECT_THAT(message_of([&] { fully_connected(g, f32({1, 3}), weights); }), HasSubstr("scales"));
}

TEST_F(OpsTest, BatchMatmulNamesBothShapes) {
  EXPECT_EQ(g.shape(batch_matmul(g, f32({1, 6, 2, 3}), f32({1, 6, 5, 3}), false, true)),
            (Shape{1, 6, 2, 5}));
  EXPECT_THAT(message_of([&] {
                batch_matmul(g, f32({2, 3}), f32({4, 3}));
              }),
              AllOf(HasSubstr("[2, 3]"), HasSubstr("[4, 3]")));
}

TEST_F(OpsTest, Conv2dComputesItsOutput) {
  const Value kernel = f32({8, 1, 3, 4});
  EXPECT_EQ(g.shape(conv_2d(g, f32({1, 1, 10, 4}), kernel, f32({8}), 1, 2, false)),
            (Shape{1, 1, 4, 8}));
  EXPECT_EQ(g.shape(conv_2d(g, f32({1, 1, 9, 4}), kernel, f32({8}), 1, 2, true)),
            (Shape{1, 1, 5, 8}));
  EXPECT_THAT(message_of([&] {
                conv_2d(g, f32({1, 1, 10, 5}), kernel, f32({8}), 1, 1, false);
              }),
              AllOf(HasSubstr("[8, 1, 3, 4]"), HasSubstr("[1, 1, 10, 5]")));
}

class WhileTest : public OpsTest {
 protected:
  /// n -> n < 10
  Graph& condition() {
    Graph& c = module.add_graph("condition");
    c.set_outputs({less(c, c.input("n", DType::i32, {1}), c.constant_i32({10}))});
    return c;
  }
};

TEST_F(WhileTest, GivesTheStateBack) {
  Graph& body = module.add_graph("body");
  const Value n = body.input("n", DType::i32, {1});
  body.set_outputs({add(body, n, n)});
  const std::vector<Value> results = while_loop(g, {i32({1})}, condition(), body);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(g.shape(results[0]), Shape{1});
}

TEST_F(WhileTest, NamesBothShapesWhenTheBodyChangesOne) {
  Graph& body = module.add_graph("body");
  body.set_outputs({concat(body, {body.input("n", DType::i32, {1}), body.constant_i32({1})}, 0)});
  EXPECT_THAT(message_of([&] { while_loop(g, {i32({1})}, condition(), body); }),
              AllOf(HasSubstr("int32 [1]"), HasSubstr("int32 [2]")));
}

TEST_F(WhileTest, TheConditionGivesOneBool) {
  Graph& body = module.add_graph("body");
  body.set_outputs({body.input("n", DType::i32, {1})});
  EXPECT_THAT(message_of([&] { while_loop(g, {i32({1})}, body, body); }), HasSubstr("one bool"));
}

}  // namespace
}  // namespace whisper_s4y
