#include "runtime/litert_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/test_model.h"
#include "support/errors.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LiteRtModelTest : public ::testing::Test {
 protected:
  void SetUp() override { write_test_model(model_path_); }

  static RuntimeOptions options() { return {.threads = 1, .use_cache = false}; }

  TemporaryFolder folder_;
  std::filesystem::path model_path_ = folder_ / "model.tflite";
};

TEST_F(LiteRtModelTest, ListsSignaturesAndTensors) {
  LiteRtModel model(model_path_, options());
  EXPECT_THAT(model.signature_keys(), ElementsAre("dense", "dense3", "update", "count"));
  LiteRtSignature& update = model.signature("update");
  EXPECT_EQ(update.input("cache").description(), "float32[1,8,4]");
  EXPECT_EQ(update.input("at").description(), "int32[3]");
  EXPECT_EQ(update.output("new_cache").description(), "float32[1,8,4]");
  EXPECT_FALSE(update.has_input("new_cache"));
}

TEST_F(LiteRtModelTest, RunsASignature) {
  LiteRtModel model(model_path_, options());
  LiteRtSignature& dense = model.signature("dense");
  AlignedBuffer x(dense.input("x"));
  AlignedBuffer y(dense.output("y"));
  dense.bind_input("x", x);
  dense.bind_output("y", y);
  for (size_t i = 0; i < 64; ++i) x.as<float>()[i] = 0.5F;
  dense.run();
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_FLOAT_EQ(y.as<float>()[i], 0.5F * static_cast<float>(i + 1) + 1.0F);
  }
}

TEST_F(LiteRtModelTest, KeepsBindingsWhenBuffersMove) {
  LiteRtModel model(model_path_, options(), {"dense"});
  LiteRtSignature& dense = model.signature("dense");
  AlignedBuffer x(dense.input("x"));
  AlignedBuffer y(dense.output("y"));
  dense.bind_input("x", x);
  dense.bind_output("y", y);
  AlignedBuffer moved = std::move(y);
  dense.run();
  EXPECT_FLOAT_EQ(moved.as<float>()[5], 1.0F);
  EXPECT_EQ(y.size(), 0U);
}

TEST_F(LiteRtModelTest, UpdatesACacheInPlace) {
  LiteRtModel model(model_path_, options(), {"update"});
  LiteRtSignature& update = model.signature("update");
  AlignedBuffer cache(update.input("cache"));
  AlignedBuffer row(update.input("row"));
  AlignedBuffer at(update.input("at"));
  update.bind_input("cache", cache);
  update.bind_input("row", row);
  update.bind_input("at", at);
  update.bind_output("new_cache", cache);
  for (int position : {2, 5}) {
    at.as<int32_t>()[1] = position;
    for (float& value : row.as<float>()) value = static_cast<float>(position);
    update.run();
  }
  std::vector<float> firsts;
  for (size_t i = 0; i < 8; ++i) firsts.push_back(cache.as<float>()[4 * i]);
  EXPECT_THAT(firsts, ElementsAre(0, 0, 2, 0, 0, 5, 0, 0));
}

TEST_F(LiteRtModelTest, RunsLoopsWhenOnlyTheirSignatureIsLoaded) {
  LiteRtModel model(model_path_, options(), {"count"});
  LiteRtSignature& count = model.signature("count");
  AlignedBuffer start(count.input("start"));
  AlignedBuffer end(count.output("end"));
  count.bind_input("start", start);
  count.bind_output("end", end);
  start.as<int32_t>()[0] = 3;
  count.run();
  EXPECT_EQ(end.as<int32_t>()[0], 1536);
}

TEST_F(LiteRtModelTest, LoadsFurtherSignaturesLater) {
  LiteRtModel model(model_path_, options(), {"dense"});
  EXPECT_TRUE(model.is_loaded("dense"));
  EXPECT_FALSE(model.is_loaded("dense3"));
  LiteRtSignature& dense3 = model.signature("dense3");
  AlignedBuffer x(dense3.input("x"));
  AlignedBuffer y(dense3.output("y"));
  dense3.bind_input("x", x);
  dense3.bind_output("y", y);
  EXPECT_THAT(message_of([&] { dense3.run(); }), HasSubstr("\"dense3\" is not loaded"));
  model.load({"dense", "dense3"});
  x.as<float>()[64 + 9] = 2.0F;
  dense3.run();
  EXPECT_FLOAT_EQ(y.as<float>()[64 + 9], 21.0F);
  EXPECT_FLOAT_EQ(y.as<float>()[9], 1.0F);
}

TEST_F(LiteRtModelTest, NamesWhatThereIsWhenANameIsWrong) {
  LiteRtModel model(model_path_, options(), {"dense"});
  EXPECT_THAT(message_of([&] { static_cast<void>(model.signature("sparse")); }),
              HasSubstr("has no signature \"sparse\"; it has dense, dense3, update, count."));
  EXPECT_THAT(message_of([&] { LiteRtModel other(model_path_, options(), {"sparse"}); }),
              HasSubstr("has no signature \"sparse\""));
  LiteRtSignature& dense = model.signature("dense");
  AlignedBuffer buffer(dense.input("x"));
  EXPECT_THAT(message_of([&] { dense.bind_input("z", buffer); }),
              HasSubstr("signature \"dense\" has no input \"z\"; it has x."));
  EXPECT_THAT(message_of([&] { dense.bind_output("x", buffer); }),
              HasSubstr("has no output \"x\"; it has y."));
}

TEST_F(LiteRtModelTest, RefusesBuffersOfAnotherSize) {
  LiteRtModel model(model_path_, options(), {"dense"});
  LiteRtSignature& dense = model.signature("dense");
  AlignedBuffer small(252);
  EXPECT_THAT(message_of([&] { dense.bind_input("x", small); }),
              HasSubstr("tensor \"x\" float32[1,64] of signature \"dense\" needs a buffer of 256 "
                        "bytes, not 252."));
}

TEST_F(LiteRtModelTest, RefusesToRunUnbound) {
  LiteRtModel model(model_path_, options(), {"dense"});
  LiteRtSignature& dense = model.signature("dense");
  EXPECT_THAT(message_of([&] { dense.run(); }),
              HasSubstr("input \"x\" of signature \"dense\" is "));
  AlignedBuffer x(dense.input("x"));
  dense.bind_input("x", x);
  EXPECT_THAT(message_of([&] { dense.run(); }),
              HasSubstr("output \"y\" of signature \"dense\" is "));
}

TEST_F(LiteRtModelTest, ReportsWhatLiteRtSaysWhenAnOpFails) {
  Module module;
  Graph& g = module.add_graph("pick");
  const Value table = g.constant_i32({10, 20, 30});
  const Value index = g.input("index", DType::i32, {1});
  module.add_signature("pick", g, {{"picked", gather(g, table, index)}});
  write_tflite(module, folder_ / "pick.tflite");

  LiteRtModel model(folder_ / "pick.tflite", options());
  LiteRtSignature& pick = model.signature("pick");
  AlignedBuffer at(pick.input("index"));
  AlignedBuffer picked(pick.output("picked"));
  pick.bind_input("index", at);
  pick.bind_output("picked", picked);
  at.as<int32_t>()[0] = 2;
  pick.run();
  EXPECT_EQ(picked.as<int32_t>()[0], 30);
  at.as<int32_t>()[0] = 3;
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(message_of([&] { pick.run(); }),
              HasSubstr("cannot run signature \"pick\": LiteRT reports runtime failure (status 3): "
                        "gather index out of bounds"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  at.as<int32_t>()[0] = 0;
  pick.run();
  EXPECT_EQ(picked.as<int32_t>()[0], 10);
}

TEST_F(LiteRtModelTest, RefusesImpossibleThreadCounts) {
  RuntimeOptions bad = options();
  bad.threads = -1;
  EXPECT_THAT(message_of([&] { LiteRtModel model(model_path_, bad); }),
              HasSubstr("threads must be 0 to 1024, not -1"));
}

TEST_F(LiteRtModelTest, RunsWithSeveralThreads) {
  RuntimeOptions two = options();
  two.threads = 2;
  LiteRtModel model(model_path_, two, {"dense"});
  LiteRtSignature& dense = model.signature("dense");
  AlignedBuffer x(dense.input("x"));
  AlignedBuffer y(dense.output("y"));
  dense.bind_input("x", x);
  dense.bind_output("y", y);
  dense.run();
  EXPECT_FLOAT_EQ(y.as<float>()[0], 1.0F);
}

TEST_F(LiteRtModelTest, ProfilesWhenAsked) {
  RuntimeOptions profiled = options();
  profiled.profile = true;
  LiteRtModel model(model_path_, profiled, {"dense"});
  LiteRtSignature& dense = model.signature("dense");
  AlignedBuffer x(dense.input("x"));
  AlignedBuffer y(dense.output("y"));
  dense.bind_input("x", x);
  dense.bind_output("y", y);
  dense.run();
  EXPECT_THAT(model.profile_summary(), HasSubstr("Fully Connected"));
  EXPECT_TRUE(model.fully_accelerated());
  EXPECT_EQ(LiteRtModel(model_path_, options()).profile_summary(), "");
}

TEST_F(LiteRtModelTest, NothingReachesStandardError) {
  ::testing::internal::CaptureStderr();
  {
    LiteRtModel model(model_path_, options());
    std::fprintf(stderr, "mine");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "mine");
}

}  // namespace
}  // namespace whisper_s4y
