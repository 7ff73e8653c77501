// Damaged files through the program: exit code 1, one sentence, nothing left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "cli/run_program.h"
#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "formats/tiny_tflite.h"
#include "formats/torch_writer.h"
#include "support/errors.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr size_t kVariants = 30;

// Half of them cut off, half with bytes changed so that the reader of the format refuses them (a
// changed weight is another weight, not damage).
std::vector<std::string> damaged_variants(const std::string& good,
                                          const std::filesystem::path& path) {
  std::vector<std::string> variants;
  for (size_t i = 0; i < kVariants / 2; ++i) {
    variants.push_back(good.substr(0, good.size() * i / (kVariants / 2)));
  }
  std::mt19937 random(11);
  while (variants.size() < kVariants) {
    std::string bytes = good;
    const size_t length = std::min<size_t>(bytes.size(), 1 + random() % 64);
    // What describes the weights is at the beginning or at the end.
    const size_t edge = std::min<size_t>(bytes.size(), 8000) - length;
    const size_t start = random() % 2 == 0 ? 0 : bytes.size() - length - edge;
    for (size_t at = start + random() % (edge + 1), end = at + length; at < end; ++at) {
      bytes[at] = static_cast<char>(random());
    }
    write_file(path, bytes);
    if (message_of([&] { static_cast<void>(open_checkpoint(path)); }) != "no error") {
      variants.push_back(bytes);
    }
  }
  return variants;
}

void expect_one_sentence(const ProgramResult& result) {
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, StartsWith("whisper-s4y: "));
  EXPECT_TRUE(result.err.ends_with(".\n")) << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
}

class BadInput : public testing::Test {
 protected:
  void expect_refused(const std::string& name, const std::string& good) {
    const std::string path = folder_.file(name);
    std::vector<std::string> names = folder_.names();
    names.push_back(name);
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    size_t index = 0;
    for (const std::string& variant : damaged_variants(good, path)) {
      SCOPED_TRACE(name + " variant " + std::to_string(index));
      write_file(path, variant);
      expect_one_sentence(run_program({"convert", path, "-o", folder_.file("out.tflite")}));
      if (index++ % 5 == 0) expect_one_sentence(run_program({"inspect", path}));
      EXPECT_EQ(folder_.names(), names);  // no output, whole or partial
    }
    write_file(path, good);
  }

  TemporaryFolder folder_;
};

TEST_F(BadInput, Safetensors) {
  export_checkpoint(tiny_checkpoint(), folder_.path(), "safetensors");
  expect_refused("model.safetensors", read_file(folder_ / "model.safetensors"));
}

TEST_F(BadInput, SideFiles) {
  export_checkpoint(tiny_checkpoint(), folder_.path(), "safetensors");
  for (const char* name : {"config.json", "vocab.json"}) {
    // Other files with a vocabulary would stand in for the broken one.
    std::filesystem::remove(folder_ / "tokenizer.json");
    const std::string good = read_file(folder_ / name);
    for (const std::string& bad :
         {std::string(), good.substr(0, good.size() / 2), std::string("[1, 2]"),
          std::string("{\"d_model\": \"\\ud800\"")}) {
      write_file(folder_ / name, bad);
      expect_one_sentence(
          run_program({"convert", folder_.path().string(), "-o", folder_.file("out.tflite")}));
      EXPECT_FALSE(std::filesystem::exists(folder_ / "out.tflite"));
    }
    write_file(folder_ / name, good);
  }
}

TEST_F(BadInput, Torch) {
  export_checkpoint(tiny_checkpoint(), folder_.path(), "safetensors");
  std::filesystem::remove(folder_ / "model.safetensors");
  expect_refused("pytorch_model.bin", TorchParts::hugging_face(tiny_checkpoint()).zip());
  expect_refused("pytorch_model.bin", TorchParts::hugging_face(tiny_checkpoint()).legacy());
}

TEST_F(BadInput, OpenAi) {
  expect_refused("m.pt", TorchParts::openai(tiny_checkpoint({.standard_vocabulary = true})).zip());
}

TEST_F(BadInput, Ggml) {
  export_checkpoint(tiny_checkpoint(), folder_.path(), "ggml");
  expect_refused("ggml-tiny.bin", read_file(folder_ / "ggml-tiny.bin"));
}

TEST_F(BadInput, CTranslate2) {
  export_checkpoint(tiny_checkpoint(), folder_.path(), "ctranslate2");
  expect_refused("model.bin", read_file(folder_ / "model.bin"));
}

TEST_F(BadInput, TfliteAsACheckpoint) {
  expect_refused("m.tflite", tiny_tflite(tiny_checkpoint()));
}

// A model that could transcribe, and its damaged forms.
TEST_F(BadInput, TfliteToTranscribeWith) {
  const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const std::string path = folder_.file("m.tflite");
  const std::string audio = folder_.file("silence.wav");
  const std::string samples(32'000, '\0');
  write_file(audio, "RIFF" + bytes_of(uint32_t{36 + 32'000}) + "WAVEfmt " + bytes_of(uint32_t{16}) +
                        bytes_of(uint16_t{1}) + bytes_of(uint16_t{1}) + bytes_of(uint32_t{16'000}) +
                        bytes_of(uint32_t{32'000}) + bytes_of(uint16_t{2}) +
                        bytes_of(uint16_t{16}) + "data" + bytes_of(uint32_t{32'000}) + samples);
  ASSERT_EQ(run_program({"convert", checkpoint.string(), "-o", path, "-q", "--quantize", "int8"})
                .exit_code,
            0);
  const std::string good = read_file(path);
  // The flatbuffer's tables are at the end of the file as well as at its beginning.
  std::mt19937 random(3);
  for (size_t i = 0; i < kVariants; ++i) {
    SCOPED_TRACE(i);
    if (i < kVariants / 2) {
      write_file(path, std::string_view(good).substr(0, good.size() * i / (kVariants / 2)));
    } else {
      std::string bytes = good;
      const size_t part = bytes.find("whisper_s4y.model");
      ASSERT_NE(part, std::string::npos);
      // Its own place for each: root, identifier, names of metadata, tables around them.
      const size_t at = i < 20 ? (i - 15) * 4 : part - 400 + (i - 20) * 44;
      for (size_t k = 0; k < 24; ++k) bytes[at + k] = static_cast<char>(random());
      write_file(path, bytes);
    }
    const ProgramResult result = run_program({"transcribe", path, audio, "-q", "--no-cache"});
    expect_one_sentence(result);
    EXPECT_EQ(folder_.names(), (std::vector<std::string>{"m.tflite", "silence.wav"}));
  }
}

TEST_F(BadInput, FullDisk) {
  const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  for (const uint64_t limit : {uint64_t{4096}, uint64_t{10'000'000}}) {
    ProgramOptions options;
    options.file_size_limit = limit;
    const ProgramResult converted = run_program(
        {"convert", checkpoint.string(), "-o", folder_.file("out.tflite"), "-q"}, options);
    expect_one_sentence(converted);
    EXPECT_THAT(converted.err, HasSubstr("Cannot write " + folder_.file("out.tflite")));
    for (const char* format : {"safetensors", "openai", "ggml", "ctranslate2"}) {
      const ProgramResult exported = run_program(
          {"export", checkpoint.string(), "-f", format, "-o", folder_.file("out"), "-q"}, options);
      expect_one_sentence(exported);
      EXPECT_THAT(exported.err, HasSubstr("Cannot write"));
      for (const auto& file : std::filesystem::directory_iterator(folder_ / "out")) {
        EXPECT_EQ(file.path().extension(),
                  file.path().filename() == "merges.txt" ? ".txt" : ".json");
      }
    }
    EXPECT_EQ(folder_.names(), std::vector<std::string>{"out"});
  }
}

TEST_F(BadInput, FoldersThatCannotBeWritten) {
  export_checkpoint(tiny_checkpoint(), folder_.path(), "ggml");
  for (const char* folder : {"/proc/nowhere", "/dev/null/x"}) {
    expect_one_sentence(run_program(
        {"export", folder_.file("ggml-tiny.bin"), "-f", "safetensors", "-o", folder, "-q"}));
  }
}

}  // namespace
}  // namespace whisper_s4y
