#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/run_program.h"
#include "graph/ops.h"
#include "support/files.h"
#include "tflite/writer.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

TEST(Verify, ComparesWithTheCheckpointAndFailsBeyondABound) {
  const auto checkpoint = genuine_checkpoint("tiny.en/hf");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder folder;
  const std::string model = folder.file("tiny.en.tflite");
  ASSERT_EQ(
      run_program({"convert", checkpoint.string(), "-o", model, "--quantize", "int8"}).exit_code,
      0);
  const ProgramResult good = run_program({"verify", model, "--against", checkpoint.string(), "-q"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("logits"));
  const ProgramResult bad = run_program(
      {"verify", model, "--against", checkpoint.string(), "-q", "--max-encoder", "1e-6"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, HasSubstr("too much"));
  EXPECT_THAT(bad.err, HasSubstr("differs too much"));
}

TEST(Verify, FailsOnAFileWithoutSignatures) {
  const TemporaryFolder folder;
  Module module;
  Graph& g = module.add_graph("main");
  g.set_outputs({square(g, g.input("x", DType::f32, {1}))});
  write_tflite(module, folder / "m.tflite");
  for (const std::string command : {"verify", "transcribe"}) {
    std::vector<std::string> arguments{command, folder.file("m.tflite")};
    if (command == "transcribe") arguments.push_back((source_dir() / "examples/jfk.flac").string());
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 1) << command;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
  EXPECT_THAT(run_program({"verify", folder.file("m.tflite")}).err,
              HasSubstr("defines no signatures"));
  const ProgramResult inspected = run_program({"inspect", folder.file("m.tflite")});
  EXPECT_EQ(inspected.exit_code, 0);
  EXPECT_THAT(inspected.out, HasSubstr("no signatures"));
}

TEST(Verify, EndsALoopWithoutEnd) {
  const TemporaryFolder folder;
  Module module;
  Graph& condition = module.add_graph("condition");
  Graph& body = module.add_graph("body");
  condition.set_outputs(
      {less(condition, condition.input("n", DType::i32, {1}), condition.constant_i32({1}))});
  const Value n = body.input("n", DType::i32, {1});
  body.set_outputs({mul(body, n, n)});
  Graph& g = module.add_graph("run");
  const Value start = g.input("start", DType::i32, {1});
  module.add_signature("run", g, {{"end", while_loop(g, {start}, condition, body)[0]}});
  write_tflite(module, folder / "m.tflite");
  const ProgramResult result =
      run_program({"verify", folder.file("m.tflite"), "--time-limit", "1"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("signature \"run\" did not come to an end in 1 s"));
}

TEST(Verify, RefusesOptionsWithoutEffect) {
  EXPECT_EQ(run_program({"verify", "x.tflite", "--max-mel", "1"}).exit_code, 2);
  EXPECT_EQ(run_program({"verify", "x.tflite", "--audio", "a.wav"}).exit_code, 2);
}

}  // namespace
}  // namespace whisper_s4y
