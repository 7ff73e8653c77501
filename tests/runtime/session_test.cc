// Any signature by name, through the public headers.
#include "whisper_s4y/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/test_model.h"
#include "support/errors.h"
#include "support/files.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RuntimeOptions options() {
  RuntimeOptions options;
  options.threads = 1;
  options.use_cache = false;
  return options;
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() : path_(folder_ / "módel 模型.tflite") { write_test_model(path_); }

  TemporaryFolder folder_;
  std::filesystem::path path_;
};

TEST_F(SessionTest, AModelSaysWhatItIs) {
  const Model model(path_, options());
  EXPECT_EQ(model.info().name, "módel 模型");
  EXPECT_EQ(model.info().file_size, std::filesystem::file_size(path_));
  EXPECT_EQ(model.info().hash.size(), 32U);
  EXPECT_FALSE(model.info().is_whisper);
  EXPECT_FALSE(model.info().can_transcribe);
  ASSERT_EQ(model.info().signatures.size(), 4U);
  EXPECT_EQ(model.info().signatures[2].key, "update");
  EXPECT_EQ(model.info().signatures[2].inputs[0].description(), "float32[1,8,4]");
  EXPECT_EQ(model.options().threads, 1);
  EXPECT_THAT(message_of([&] { (void)model.tokenize("x"); }),
              HasSubstr("was not written by whisper-s4y"));
}

TEST_F(SessionTest, WhatWasMovedFromSaysSo) {
  Model model(path_, options());
  const Model moved = std::move(model);
  Session session(model);  // moving a model copies
  EXPECT_EQ(model.info().hash, moved.info().hash);
  Session other = std::move(session);
  EXPECT_THAT(message_of([&] { session.run("dense"); }), HasSubstr("This Session was moved from"));
  EXPECT_THAT(message_of([&] { (void)session.signatures(); }), HasSubstr("moved from"));
  session = std::move(other);
  session.run("dense");
}

TEST_F(SessionTest, RunsWhatItIsGiven) {
  const Model model(path_, options());
  Session session(model);
  EXPECT_EQ(session.signature("dense").outputs[0].name, "y");
  const std::vector<float> halves(64, 0.5F);
  session.set_input<float>("dense", "x", halves);
  session.run("dense");
  EXPECT_FLOAT_EQ(session.output<float>("dense", "y")[9], 6.0F);
  session.input<float>("dense", "x")[9] = 1.0F;
  session.run("dense");
  EXPECT_FLOAT_EQ(session.output<float>("dense", "y")[9], 11.0F);
  EXPECT_FLOAT_EQ(session.output<float>("dense", "y")[8], 5.5F);
}

TEST_F(SessionTest, InputsBeginAsZeros) {
  Session session(Model(path_, options()));
  session.run("dense");
  EXPECT_THAT(session.output<float>("dense", "y"), Each(1.0F));
}

TEST_F(SessionTest, AFileInMemoryDoes) {
  std::string file = read_file(path_);
  const Model model =
      Model::from_memory(std::as_bytes(std::span(file)), "from the network", options());
  std::fill(file.begin(), file.end(), '\0');
  Session session(model);
  session.input<float>("dense", "x")[0] = 2.0F;
  session.run("dense");
  EXPECT_FLOAT_EQ(session.output<float>("dense", "y")[0], 3.0F);
  EXPECT_THAT(message_of([&] { (void)Model::from_memory({}, "nothing", options()); }),
              HasSubstr("nothing is "));
}

TEST_F(SessionTest, OutlivesTheModelItIsMadeFrom) {
  auto model = std::make_unique<Model>(path_, options());
  Session session(*model);
  model.reset();
  std::filesystem::remove(path_);
  session.run("dense");
  EXPECT_THAT(session.output<float>("dense", "y"), Each(1.0F));
}

TEST_F(SessionTest, UpdatesMemoryInPlace) {
  Session session(Model(path_, options()));
  session.bind("update", "cache", "update", "new_cache");
  for (const int position : {2, 5}) {
    session.input<int32_t>("update", "at")[1] = position;
    const std::vector<float> row(4, static_cast<float>(position));
    session.set_input<float>("update", "row", row);
    session.run("update");
  }
  std::vector<float> firsts;
  for (size_t i = 0; i < 8; ++i)
    firsts.push_back(session.output<float>("update", "new_cache")[4 * i]);
  EXPECT_THAT(firsts, ElementsAre(0, 0, 2, 0, 0, 5, 0, 0));
}

TEST_F(SessionTest, GivesMemoryBackThatWasBound) {
  Session session(Model(path_, options()));
  const Span<float> own = session.input<float>("update", "cache");
  own[0] = 2.0F;
  session.bind("update", "cache", "update", "new_cache");
  const Span<const float> shared = session.output<float>("update", "new_cache");
  ASSERT_EQ(session.input<float>("update", "cache").data(), shared.data());
  EXPECT_FLOAT_EQ(shared[0], 0.0F);
  EXPECT_FLOAT_EQ(own[0], 2.0F) << "spans stay valid";
  for (int i = 0; i < 2; ++i) {
    session.unbind("update", "cache");  // the second time there is nothing to unbind
    EXPECT_EQ(session.input<float>("update", "cache").data(), own.data());
  }
  session.input<int32_t>("update", "at")[1] = 3;
  session.run("update");
  EXPECT_FLOAT_EQ(own[0], 2.0F);
  EXPECT_FLOAT_EQ(session.output<float>("update", "new_cache")[0], 2.0F);
  // Of what was bound before anybody saw it too.
  session.bind("update", "row", "update", "row");
  session.unbind("update", "row");
  session.run("update");
  EXPECT_THAT(message_of([&] { session.unbind("dense", "z"); }), HasSubstr("no input \"z\""));
}

TEST_F(SessionTest, SessionsHaveTensorsOfTheirOwn) {
  const Model model(path_, options());
  Session one(model);
  Session other(model);
  one.input<float>("dense", "x")[0] = 1.0F;
  one.run("dense");
  other.run("dense");
  EXPECT_FLOAT_EQ(one.output<float>("dense", "y")[0], 2.0F);
  EXPECT_FLOAT_EQ(other.output<float>("dense", "y")[0], 1.0F);
}

TEST_F(SessionTest, ReleasesWhatNobodyHasUsed) {
  RuntimeOptions two = options();
  two.threads = 2;
  const Model model(path_, two);
  SessionOptions one_thread;
  one_thread.threads = 1;
  Session narrow(model, one_thread);
  Session wide(model);
  const std::vector<float> halves(64, 0.5F);
  const auto run = [&](Session& session) {
    session.set_input<float>("dense", "x", halves);
    session.run("dense");
    const auto y = session.output<float>("dense", "y");
    return std::vector<float>(y.begin(), y.end());
  };
  const std::vector<float> expected = run(narrow);
  EXPECT_EQ(run(wide), expected);
  model.release_unused(std::chrono::hours(1));
  model.release_unused(std::chrono::seconds(0));  // that of one thread
  EXPECT_EQ(run(narrow), expected);
  model.release_unused(std::chrono::seconds(0));  // that of two
  EXPECT_EQ(run(wide), expected);
}

TEST_F(SessionTest, RunsLoops) {
  Session session(Model(path_, options()));
  session.input<int32_t>("count", "start")[0] = 3;
  session.run("count");
  EXPECT_EQ(session.output<int32_t>("count", "end")[0], 1536);
}

TEST_F(SessionTest, NamesWhatIsWrong) {
  Session session(Model(path_, options()));
  EXPECT_THAT(message_of([&] { session.run("sparse"); }),
              HasSubstr("has no signature \"sparse\"; it has dense, dense3, update, count."));
  EXPECT_THAT(message_of([&] { (void)session.input<float>("dense", "z"); }),
              HasSubstr("signature \"dense\" has no input \"z\"; it has x."));
  EXPECT_THAT(message_of([&] { (void)session.output<int32_t>("dense", "y"); }),
              HasSubstr("tensor \"y\" float32[1,64] of signature \"dense\" is not int32."));
  const std::vector<float> few(3);
  EXPECT_THAT(
      message_of([&] { session.set_input<float>("dense", "x", few); }),
      HasSubstr("tensor \"x\" float32[1,64] of signature \"dense\" takes 256 bytes, not 12."));
  EXPECT_THAT(message_of([&] { session.bind("dense", "x", "update", "row"); }),
              HasSubstr("needs a buffer of 256 bytes, not 16."));
  SessionOptions many;
  many.threads = -1;
  EXPECT_THAT(message_of([&] { Session(session.model(), many); }),
              HasSubstr("threads must be 0 to 1024, not -1"));
}

TEST_F(SessionTest, CanBeCancelled) {
  Session session(Model(path_, options()));
  try {
    session.run("dense", [] { return true; });
    FAIL() << "was not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
  EXPECT_THROW(session.run("dense", []() -> bool { throw std::out_of_range("mine"); }),
               std::out_of_range);
  session.run("dense", [] { return false; });
  EXPECT_THAT(session.output<float>("dense", "y"), Each(1.0F));
}

TEST_F(SessionTest, ALoopWithoutEndCanBeLeft) {
  // From 0 it never gets anywhere.
  Session session(Model(path_, options()));
  int asked = 0;
  EXPECT_THROW(session.run("count", [&] { return ++asked == 3; }), Error);
  session.input<int32_t>("count", "start")[0] = 3;
  session.run("count");
  EXPECT_EQ(session.output<int32_t>("count", "end")[0], 1536);
}

TEST_F(SessionTest, DoesNotWaitForWhatItLeaves) {
  // A single op, which cannot be stopped.
  const auto path = folder_ / "square.tflite";
  {
    Module module;
    Graph& g = module.add_graph("square");
    const Value x = g.input("x", DType::f32, {1, 2048, 2048});
    module.add_signature("square", g, {{"y", batch_matmul(g, x, x)}});
    write_tflite(module, path);
  }
  const Model model(path, options());
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  Session(model).run("square");
  const auto whole = Clock::now() - begin;
  int asked = 0;
  {
    Session session(model);
    EXPECT_THROW(session.run("square", [&] { return ++asked == 2; }), Error);
    begin = Clock::now();
  }
  EXPECT_LT(Clock::now() - begin, whole / 2);
  // Of the model there is one such program, which comes back when the op is over.
  Session next(model);
  next.set_input<float>("square", "x", std::vector<float>(2048 * 2048, 1.0F));
  next.run("square");
  EXPECT_THAT(next.output<float>("square", "y"), Each(2048.0F));
}

TEST_F(SessionTest, ThreadsShareAModel) {
  const Model model(path_, options());
  std::vector<float> results(8);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back([&, i] {
        Session session(model);
        for (int round = 0; round < 50; ++round) {
          session.input<float>("dense", "x")[0] = static_cast<float>(i);
          session.run("dense");
          results[i] = session.output<float>("dense", "y")[0];
        }
      });
    }
  }
  EXPECT_THAT(results, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

}  // namespace
}  // namespace whisper_s4y
