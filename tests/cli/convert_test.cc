#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"
#include "export/export_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "hub/fake_hub.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Convert, WritesOneFileThatInspectReads) {
  const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder folder;
  const ProgramResult result = run_program(
      {"convert", checkpoint.string(), "-o", folder.file("tiny.en.tflite"), "--quantize", "int8"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(
      result.err,
      HasSubstr("embedding int8, with exceptions) from a checkpoint in ctranslate2 format"));
  EXPECT_THAT(folder.names(), ElementsAre("tiny.en.tflite"));

  const ProgramResult shown = run_program({"inspect", folder.file("tiny.en.tflite")});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.out, HasSubstr("English only"));
  EXPECT_THAT(shown.out, HasSubstr("encoder int8, decoder int8, embedding int8"));
}

TEST(Convert, WritesAllPartsIntoAFolder) {
  const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder folder;
  const ProgramResult result =
      run_program({"convert", checkpoint.string(), "-o", folder.file("new/parts"), "--part", "all",
                   "--quantize", "int8", "--compat", "2.14", "--max-length", "100"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(
      result.err,
      HasSubstr("embedding int8, with exceptions) from a checkpoint in ctranslate2 format"));
  for (const char* part : {"features-extractor", "encoder", "decoder", "encoder-decoder",
                           "pcm-encoder", "generator"}) {
    const std::string file = folder.file(fmt::format("new/parts/{}.tflite", part));
    const ProgramResult shown = run_program({"inspect", file});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("serving_default"));
  }
}

TEST(Convert, WritesTheVoiceActivityDetector) {
  const TemporaryFolder folder;
  const std::string file = folder.file("vad.tflite");
  const ProgramResult written = run_program({"convert", "--part", "vad", "-o", file});
  EXPECT_EQ(written.exit_code, 0) << written.err;
  const ProgramResult verified = run_program({"verify", file});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("signature chunks runs, every number is finite"));

  const ProgramResult refused =
      run_program({"convert", "--part", "vad", "-o", file, "--quantize", "int8"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--quantize: --part vad takes nothing but --output"));
  const ProgramResult nothing = run_program({"convert", "-o", file});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("CHECKPOINT is required"));
}

TEST(Convert, RefusesOptionsWithoutEffect) {
  const TemporaryFolder folder;
  const auto error_of = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"convert", folder.file("none"), "-o", folder.file("x")});
    const ProgramResult result = run_program(options);
    EXPECT_EQ(result.exit_code, 2);
    return result.err;
  };
  EXPECT_THAT(error_of({"--part", "encoder", "--language", "de"}), HasSubstr("has no prompt"));
  EXPECT_THAT(error_of({"--part", "all", "--text-strings"}),
              HasSubstr("--text-strings: there will be no signature transcribe"));
  EXPECT_THAT(error_of({"--for", "web", "--language", "de"}),
              HasSubstr("--language: there will be no signature serving_default"));
  EXPECT_THAT(error_of({"--for", "fridge"}), HasSubstr("--for must be web, android or python"));
  EXPECT_THAT(error_of({"--compat", "1.0"}), HasSubstr("--compat"));
}

TEST(Convert, LeavesNothingBehindWhenInterrupted) {
  const auto checkpoint = genuine_checkpoint("base/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder folder;
  // However far it has come after so many milliseconds.
  for (const int milliseconds : {20, 60, 100, 150}) {
    const ProgramResult result =
        run_program({"convert", checkpoint.string(), "-o", folder.file("base.tflite")},
                    {.environment = {},
                     .standard_input = "",
                     .standard_output = {},
                     .interrupt_after_ms = milliseconds});
    if (result.exit_code == 0) break;  // a machine too fast for the later ones
    EXPECT_EQ(result.exit_code, 130);
    EXPECT_THAT(folder.names(), IsEmpty());
  }
}

TEST(Convert, SaysWhatIsWrongWithTheCheckpoint) {
  const TemporaryFolder folder;
  write_file(folder.file("model.bin"), "neither of any format");
  for (const std::string& checkpoint :
       {folder.file("model.bin"), folder.file("missing"), folder.path().string()}) {
    const ProgramResult result =
        run_program({"convert", checkpoint, "-o", folder.file("out.tflite")});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, StartsWith("whisper-s4y: "));
    EXPECT_THAT(result.err, HasSubstr(checkpoint));
    EXPECT_THAT(folder.names(), ElementsAre("model.bin"));
  }
}

TEST(Convert, SaysWhatAFileIsInsteadOfACheckpoint) {
  struct Case {
    const char* name;
    std::string content;
    const char* expected;
  };
  const std::string zeros(600, '\0');
  const Case cases[] = {
      {"model.safetensors",
       "version https://git-lfs.github.com/spec/v1\noid sha256:5d22\nsize 151060136\n",
       "is a Git LFS pointer, not the weights: run `git lfs pull`"},
      {"model.bin", "\n<!doctype HTML><title>Sign in</title>", "is a web page, not a model"},
      {"model.bin", "<?xml version=\"1.0\"?><Error>AccessDenied</Error>", "is a web page"},
      {"m.gguf", "GGUF" + zeros, "is a GGUF file"},
      {"m.onnx", std::string("\x08\x07\x12\x07pytorch", 11), "is an ONNX or TensorFlow model"},
      {"tf_model.h5", "\x89HDF\r\n\x1a\n" + zeros, "is an HDF5 file of TensorFlow"},
      {"m.tar.gz", "\x1f\x8b" + zeros, "is an archive: unpack it"},
      {"m.tar", zeros.substr(0, 257) + "ustar" + zeros, "is an archive: unpack it"},
      {"talk.flac", "fLaC" + zeros, "is a recording, not a model"},
      {"m.pkl", "\x80\x04]." + zeros, "is a Python pickle, but not one of torch.save"},
      {"config.json", R"({"d_model": 384})", "is a model's configuration, not its weights"},
      {"generation_config.json", R"({"alignment_heads": []})", "is a model's configuration"},
      {"adapter_config.json", R"({"peft_type": "LORA"})", "configuration of a LoRA adapter"},
  };
  for (const Case& wrong : cases) {
    const TemporaryFolder folder;
    write_file(folder / wrong.name, wrong.content);
    const ProgramResult result =
        run_program({"convert", folder.file(wrong.name), "-o", folder.file("out.tflite")});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(folder.file(wrong.name) + " "));
    EXPECT_THAT(result.err, HasSubstr(wrong.expected));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_THAT(folder.names(), ElementsAre(wrong.name));
  }
}

TEST(Convert, SaysWhatAFolderHoldsInsteadOfACheckpoint) {
  const auto message_for = [](const std::vector<std::pair<const char*, const char*>>& files) {
    const TemporaryFolder folder;
    for (const auto& [name, content] : files) {
      std::filesystem::create_directories((folder / name).parent_path());
      write_file(folder / name, content);
    }
    const ProgramResult result =
        run_program({"convert", folder.path().string(), "-o", folder.file("out.tflite")});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  };
  EXPECT_THAT(message_for({{"adapter_config.json", R"({"base_model_name_or_path": "a/b"})"},
                           {"adapter_model.safetensors", ""}}),
              HasSubstr("is a LoRA adapter for a/b, not a whole model; merge it"));
  EXPECT_THAT(message_for({{"config.json", "{}"}, {"tf_model.h5", ""}}),
              HasSubstr("holds weights of TensorFlow only (tf_model.h5), which are not read"));
  EXPECT_THAT(message_for({{"config.json", "{}"}, {"flax_model.msgpack", ""}}),
              HasSubstr("holds weights of Flax only (flax_model.msgpack)"));
  EXPECT_THAT(message_for({{"checkpoint-1000/model.safetensors", ""},
                           {"checkpoint-2000/model.safetensors", ""},
                           {"runs/events", ""}}),
              HasSubstr("holds no checkpoint itself but 2 below it; give the one to read: "
                        "checkpoint-1000, checkpoint-2000."));
  EXPECT_THAT(message_for({{"snapshots/abc/pytorch_model.bin", ""}, {"refs/main", "abc"}}),
              HasSubstr("but one below it; give the one to read: snapshots/abc."));
  EXPECT_THAT(message_for({{"a.pt", ""}, {"b.pt", ""}}), HasSubstr("several files named *.pt"));
}

TEST(Convert, DoesNotReplaceItsCheckpoint) {
  const TemporaryFolder folder;
  export_checkpoint(tiny_checkpoint(), folder / "hf", "safetensors");
  std::filesystem::create_symlink("hf/model.safetensors", folder / "link.tflite");
  std::filesystem::create_symlink("hf/vocab.json", folder / "vocabulary.tflite");
  std::filesystem::create_hard_link(folder / "hf/merges.txt", folder / "hf/merges.tflite");
  for (const char* output :
       {"hf/model.safetensors", "link.tflite", "hf/tokenizer.json", "hf/config.json",
        "hf/preprocessor_config.json", "vocabulary.tflite", "hf/merges.tflite"}) {
    const std::string good = read_file(folder / output);
    const ProgramResult result =
        run_program({"convert", folder.file("hf"), "-o", folder.file(output)});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("the checkpoint itself; write to another file."));
    EXPECT_EQ(read_file(folder / output), good);
  }
  // A former result among the files is none of them.
  write_file(folder / "hf/old.tflite", "");
  EXPECT_THAT(run_program({"convert", folder.file("hf"), "-o", folder.file("hf/old.tflite")}).err,
              Not(HasSubstr("the checkpoint itself")));
}

// A checkpoint where a .tflite file is expected.
TEST(Convert, IsWhatOtherCommandsAskFor) {
  const TemporaryFolder folder;
  export_checkpoint(tiny_checkpoint(), folder / "ggml", "ggml");
  export_checkpoint(tiny_checkpoint(), folder / "hf", "safetensors");
  const std::string ggml = folder.file("ggml/ggml-tiny.bin");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"transcribe", ggml, "x.wav"},
        {"verify", ggml},
        {"listen", ggml, "-"}}) {
    const ProgramResult result = run_program(command);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(ggml +
                                      " is a checkpoint (whisper.cpp's ggml), not a .tflite file: "
                                      "convert it first, with `whisper-s4y convert " +
                                      ggml + " -o MODEL.tflite`."));
  }
  EXPECT_THAT(run_program({"verify", folder.file("hf")}).err,
              HasSubstr("is a folder, not a .tflite file; if it holds a checkpoint, convert it"));
  EXPECT_THAT(run_program({"verify", folder.file("hf/model.safetensors")}).err,
              HasSubstr("is a checkpoint (safetensors)"));
  EXPECT_THAT(run_program({"verify", folder.file("hf/config.json")}).err,
              HasSubstr("is a JSON file, not a model"));
}

TEST(Convert, SaysWhenTheOutputCannotBeWritten) {
  const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  for (const char* output : {"/nowhere/x.tflite", "/tmp", "/dev/null"}) {
    const ProgramResult result = run_program({"convert", checkpoint.string(), "-o", output});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(output));
  }
}

// A hub with the genuine tiny.en.
class ConvertByName : public testing::Test {
 protected:
  void SetUp() override {
    const auto checkpoint = genuine_checkpoint("tiny.en/hf");
    if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
    for (const auto& file : std::filesystem::directory_iterator(checkpoint)) {
      hub_.files[file.path().filename().string()].content = read_file(file.path());
    }
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
  }
  void TearDown() override {
    if (!before_.empty()) std::filesystem::current_path(before_);
  }
  ProgramResult convert(const std::string& name) {
    ProgramOptions options;
    options.environment = {{"HF_ENDPOINT", hub_.address()},
                           {"XDG_CACHE_HOME", folder_.file("cache")},
                           {"HF_HUB_CACHE", folder_.file("hf")}};
    return run_program({"convert", name, "-o", "out.tflite"}, options);
  }

  FakeHub hub_;
  TemporaryFolder folder_;
  std::filesystem::path before_;
};

TEST_F(ConvertByName, DownloadsOnceIntoTheCache) {
  for (const char* name : {"tiny.en", "openai/whisper-tiny.en"}) {
    const ProgramResult result = convert(name);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("from a checkpoint in safetensors format"));
    EXPECT_TRUE(std::filesystem::exists("out.tflite"));
    EXPECT_THAT(hub_.requests_for("model.safetensors"), ::testing::SizeIs(1));
  }
  EXPECT_TRUE(std::filesystem::is_directory(folder_ / "cache/whisper-s4y/hub"));
}

TEST_F(ConvertByName, UsesTheCacheOfHuggingfaceHub) {
  const auto model = folder_ / "hf/models--openai--whisper-tiny.en";
  std::filesystem::create_directories(model / "snapshots");
  std::filesystem::create_directories(model / "refs");
  std::filesystem::create_symlink(genuine_checkpoint("tiny.en/hf"), model / "snapshots/abc");
  write_file(model / "refs/main", "abc");
  const ProgramResult result = convert("tiny.en");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("whisper-s4y: using " + (model / "snapshots/abc").string()));
  EXPECT_THAT(hub_.requests(), IsEmpty());
}

TEST_F(ConvertByName, ContinuesWhatBrokeOff) {
  hub_.files["model.safetensors"].truncate_first = 10'000'000;
  const ProgramResult result = convert("tiny.en");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto requests = hub_.requests_for("model.safetensors");
  ASSERT_THAT(requests, ::testing::SizeIs(2));
  EXPECT_EQ(requests[1].range, "bytes=10000000-");
}

TEST_F(ConvertByName, ChecksTheHash) {
  hub_.files["model.safetensors"].listed_sha256 = std::string(64, 'a');
  const ProgramResult result = convert("tiny.en");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("arrived with SHA-256"));
  EXPECT_FALSE(std::filesystem::exists("out.tflite"));
}

TEST_F(ConvertByName, PrefersALocalPath) {
  std::filesystem::copy(genuine_checkpoint("tiny.en/ct2"), folder_ / "tiny.en");
  const ProgramResult result = convert("tiny.en");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("from a checkpoint in ctranslate2 format"));
  EXPECT_THAT(hub_.requests(), IsEmpty());
}

}  // namespace
}  // namespace whisper_s4y
