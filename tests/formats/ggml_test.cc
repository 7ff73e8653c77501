#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "checkpoint/storage.h"
#include "common/file_kind.h"
#include "common/half.h"
#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "support/errors.h"

namespace whisper_s4y {
namespace {

using testing::HasSubstr;

constexpr size_t kFields = 4;  // where the eleven numbers begin, after the magic number
enum Field {
  kVocab,
  kAudioCtx,
  kAudioState,
  kAudioHead,
  kAudioLayer,
  kTextCtx,
  kTextState,
  kTextHead,
  kTextLayer,
  kMels,
  kFtype
};
constexpr size_t offset_of(Field field) { return kFields + 4 * size_t{field}; }

// A ggml file taken apart and put together again.
struct GgmlParts {
  struct Tensor {
    std::string name;
    int32_t type = 0;
    std::vector<int32_t> extents;  // fastest first
    std::string bytes;
  };
  std::string head;  // up to the tokens
  std::vector<std::string> tokens;
  std::vector<Tensor> tensors;

  explicit GgmlParts(const std::string& file) {
    size_t at = offset_of(kFtype) + 4;
    const auto number = [&] {
      int32_t value = 0;
      std::memcpy(&value, file.data() + at, sizeof(value));
      at += sizeof(value);
      return value;
    };
    const auto text = [&](int32_t length) {
      at += static_cast<size_t>(length);
      return file.substr(at - static_cast<size_t>(length), static_cast<size_t>(length));
    };
    const int32_t mels = number();
    const int32_t bins = number();
    at += size_t{4} * static_cast<size_t>(mels) * static_cast<size_t>(bins);
    head = file.substr(0, at);
    for (int32_t count = number(); count > 0; --count) tokens.push_back(text(number()));
    while (at < file.size()) {
      Tensor tensor;
      const int32_t dims = number();
      const int32_t name_length = number();
      tensor.type = number();
      int32_t elements = 1;
      for (int32_t i = 0; i < dims; ++i) {
        tensor.extents.push_back(number());
        elements *= tensor.extents.back();
      }
      tensor.name = text(name_length);
      tensor.bytes = text(elements * (tensor.type == 0 ? 4 : 2));
      tensors.push_back(std::move(tensor));
    }
  }

  [[nodiscard]] std::string join() const {
    std::string file = head + bytes_of(static_cast<int32_t>(tokens.size()));
    for (const std::string& token : tokens) {
      file += bytes_of(static_cast<int32_t>(token.size())) + token;
    }
    for (const Tensor& tensor : tensors) {
      file += bytes_of(static_cast<int32_t>(tensor.extents.size())) +
              bytes_of(static_cast<int32_t>(tensor.name.size())) + bytes_of(tensor.type);
      for (const int32_t extent : tensor.extents) file += bytes_of(extent);
      file += tensor.name + tensor.bytes;
    }
    return file;
  }
  Tensor& find(std::string_view name) {
    for (Tensor& tensor : tensors) {
      if (tensor.name == name) return tensor;
    }
    throw std::out_of_range("no tensor " + std::string(name));
  }
};

class Ggml : public testing::Test {
 protected:
  explicit Ggml(const TinyOptions& options = {}) : tiny_(tiny_checkpoint(options)) {
    export_checkpoint(tiny_, folder_.path(), "ggml");
  }
  std::filesystem::path path() const { return folder_ / "ggml-tiny.bin"; }
  GgmlParts parts() const { return GgmlParts(read_file(path())); }
  std::string open_message() {
    return message_of([&] { static_cast<void>(open_checkpoint(path())); });
  }

  TemporaryFolder folder_;
  Checkpoint tiny_;
};

class GgmlWide : public Ggml {
 protected:
  GgmlWide() : Ggml({.d_model = 256}) {}  // rows of a super-block
};

TEST_F(Ggml, OpensFolderAndFile) {
  const auto file = open_checkpoint(path());
  EXPECT_EQ(file->format, "ggml");
  expect_same_model(*file, tiny_);
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
  EXPECT_EQ(file->tensor("encoder.conv1.weight").type, StorageType::f16);
  EXPECT_EQ(file->tensor("encoder.conv1.bias").type, StorageType::f32);
  EXPECT_EQ(file->tensor("encoder.embed_positions.weight").type, StorageType::f32);
}

TEST_F(Ggml, ReadsFloat32AndBfloat16) {
  GgmlParts changed = parts();
  for (GgmlParts::Tensor& tensor : changed.tensors) {
    if (tensor.type != 1) continue;
    std::vector<uint16_t> halves(tensor.bytes.size() / 2);
    std::memcpy(halves.data(), tensor.bytes.data(), tensor.bytes.size());
    std::vector<float> values(halves.size());
    half_to_float(halves, values);
    const bool bfloat = tensor.name.ends_with("mlp.0.weight");
    std::string bytes;
    for (const float value : values) bytes += bytes_of(value).substr(bfloat ? 2 : 0);
    tensor.type = bfloat ? 30 : 0;
    tensor.bytes = bytes;
  }
  overwrite(changed.head, offset_of(kFtype), bytes_of(0));
  write_file(path(), changed.join());
  const auto opened = open_checkpoint(path());
  expect_same_model(*opened, tiny_);
  EXPECT_EQ(opened->tensor("encoder.layers.0.fc1.weight").type, StorageType::bf16);
}

// Convolution biases come as columns, from older converters as vectors.
TEST_F(Ggml, ReadsConvolutionBiasesOfBothShapes) {
  GgmlParts changed = parts();
  EXPECT_EQ(changed.find("encoder.conv1.bias").extents, (std::vector<int32_t>{1, 8}));
  changed.find("encoder.conv1.bias").extents = {8};
  write_file(path(), changed.join());
  expect_same_model(*open_checkpoint(path()), tiny_);
}

TEST_F(Ggml, NamesTheSpecialTokensItself) {
  GgmlParts changed = parts();
  changed.tokens.emplace_back("<|endoftext|>");  // as converted from Hugging Face
  changed.tokens.emplace_back("<|startoftranscript|>");
  write_file(path(), changed.join());
  expect_same_model(*open_checkpoint(path()), tiny_);
  changed.tokens.erase(changed.tokens.begin() + 200, changed.tokens.end());
  write_file(path(), changed.join());
  EXPECT_THAT(open_message(), HasSubstr("has no token for the byte"));
}

struct BlockType {
  const char* name;
  StorageType type;
  int32_t ggml_type;
};
constexpr BlockType kBlockTypes[] = {
    {"q4_0", StorageType::q4_0, 2},  {"q4_1", StorageType::q4_1, 3},
    {"q5_0", StorageType::q5_0, 6},  {"q5_1", StorageType::q5_1, 7},
    {"q8_0", StorageType::q8_0, 8},  {"q2_k", StorageType::q2_k, 10},
    {"q3_k", StorageType::q3_k, 11}, {"q4_k", StorageType::q4_k, 12},
    {"q5_k", StorageType::q5_k, 13}, {"q6_k", StorageType::q6_k, 14}};

struct Blocks {
  std::string bytes;
  std::vector<float> values;
};

Blocks reference_blocks(const char* name) {
  static const auto json =
      nlohmann::json::parse(read_file(source_dir() / "tests/formats/blocks_reference.json"));
  const auto hex = json[name]["bytes"].get<std::string>();
  Blocks blocks;
  for (size_t i = 0; i < hex.size(); i += 2) {
    blocks.bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  blocks.values = json[name]["values"].get<std::vector<float>>();
  return blocks;
}

TEST(GgmlBlocks, DecodeAsLlamaCppDoes) {
  for (const BlockType& type : kBlockTypes) {
    const Blocks blocks = reference_blocks(type.name);
    std::vector<float> values(blocks.values.size());
    to_float(type.type, std::as_bytes(std::span(blocks.bytes)), values);
    for (size_t i = 0; i < values.size(); ++i) {
      // The order of products and sums may differ in the last place.
      ASSERT_NEAR(values[i], blocks.values[i], 1e-6F * std::abs(blocks.values[i]) + 1e-7F)
          << type.name << " " << i;
    }
  }
}

TEST_F(GgmlWide, ReadsEveryBlockFormat) {
  const std::string good = read_file(path());
  for (const BlockType& type : kBlockTypes) {
    const Blocks blocks = reference_blocks(type.name);
    GgmlParts changed(good);
    overwrite(changed.head, offset_of(kFtype), bytes_of(2007));
    GgmlParts::Tensor& tensor = changed.find("encoder.blocks.1.attn.key.weight");  // [256, 256]
    tensor.type = type.ggml_type;
    tensor.bytes.clear();
    const size_t needed = 256 * 256 / blocks.values.size();
    for (size_t i = 0; i < needed; ++i) tensor.bytes += blocks.bytes;
    write_file(path(), changed.join());
    const auto opened = open_checkpoint(path());
    const TensorView& read = opened->tensor("encoder.layers.1.self_attn.k_proj.weight");
    EXPECT_EQ(read.type, type.type);
    const std::vector<float> values = values_of(read);
    for (size_t i = 0; i < values.size(); ++i) {
      const float expected = blocks.values[i % blocks.values.size()];
      ASSERT_NEAR(values[i], expected, 1e-6F * std::abs(expected) + 1e-7F) << type.name << " " << i;
    }
    tensor.bytes.pop_back();
    write_file(path(), changed.join());
    EXPECT_NE(open_message(), "no error") << type.name;
  }
}

TEST_F(Ggml, SaysHowMuchOfADownloadIsThere) {
  const std::string good = read_file(path());
  const size_t there = good.size() * 4 / 5;  // the first half are mel filters
  write_file(path(), std::string_view(good).substr(0, there));
  EXPECT_THAT(open_message(),
              HasSubstr(part_of_bytes(there, good.size()) + " are there; download the file again"));
}

TEST_F(Ggml, ReportsRowsThatAreNoBlocks) {
  GgmlParts changed = parts();
  changed.find("encoder.blocks.1.attn.key.weight").type = 2;
  write_file(path(), changed.join());
  EXPECT_THAT(open_message(), HasSubstr("has rows of 8 numbers, q4_0 needs multiples of 32"));
}

TEST_F(Ggml, ReportsWrongTensors) {
  using Tensors = GgmlParts;
  struct Case {
    std::string name;
    std::function<void(Tensors&)> apply;
    std::string expected;
  };
  const std::string fc = "encoder.blocks.0.mlp.0.weight";  // [32, 8] float16
  const Case cases[] = {
      {"type", [&](Tensors& t) { t.find(fc).type = 5; }, "the unknown ggml type 5"},
      {"type", [&](Tensors& t) { t.find(fc).type = -1; }, "the unknown ggml type -1"},
      {"integers", [&](Tensors& t) { t.find(fc).type = 24; }, "the unknown ggml type 24"},
      {"extent", [&](Tensors& t) { t.find(fc).extents[0] = -8; }, "impossible shape"},
      {"extents",
       [&](Tensors& t) {
         t.find(fc).extents = {INT32_MAX, INT32_MAX};
       },
       "impossible shape"},
      {"10 GB",
       [&](Tensors& t) {
         t.find(fc).extents = {100'000, 50'000};
       },
       "is truncated"},
      {"shape",
       [&](Tensors& t) {
         t.find(fc).extents = {32, 8};
       },
       "has the shape [8, 32]"},
      {"dims",
       [&](Tensors& t) {
         t.find(fc).extents = {8, 1, 4, 2, 4};
       },
       "is no tensor"},
      {"no dims", [&](Tensors& t) { t.find(fc).extents = {}; }, "is no tensor"},
      {"name", [&](Tensors& t) { t.find(fc).name = "encoder.blocks.0.mlp.1.weight"; },
       "has no tensor encoder.layers.0.fc1.weight"},
      {"long name", [&](Tensors& t) { t.find(fc).name = std::string(300, 'n'); }, "is no tensor"},
      {"twice", [&](Tensors& t) { t.find(fc).name = "encoder.blocks.1.mlp.0.weight"; },
       "appears twice"},
      {"missing", [&](Tensors& t) { t.tensors.pop_back(); }, "no tensor decoder.layer_norm.bias"},
      {"none", [&](Tensors& t) { t.tensors.clear(); }, "has a vocabulary but no tensors"},
      {"empty",
       [&](Tensors& t) {
         t.find(fc).extents = {0, 0};
       },
       ""},
  };
  for (const Case& wrong : cases) {
    GgmlParts bad = parts();
    const std::string good = read_file(path());
    wrong.apply(bad);
    write_file(path(), bad.join());
    EXPECT_THAT(open_message(), HasSubstr(wrong.expected)) << wrong.name;
    EXPECT_NE(open_message(), "no error") << wrong.name;
    write_file(path(), good);
  }
}

TEST_F(Ggml, ReportsDamage) {
  const auto field = [](Field which, int32_t value) {
    return [=](std::string& bytes) { overwrite(bytes, offset_of(which), bytes_of(value)); };
  };
  const size_t mels = offset_of(kFtype) + 4;
  const size_t count = parts().head.size();
  const auto at = [](size_t offset, int32_t value) {
    return [=](std::string& bytes) { overwrite(bytes, offset, bytes_of(value)); };
  };
  const std::vector<Damage> damages = {
      {"empty", [](std::string& b) { b.clear(); }, "is empty"},
      {"magic", [](std::string& b) { b[0] = 'x'; }, "no checkpoint this program knows"},
      {"GGUF", [](std::string& b) { overwrite(b, 0, "GGUF"); }, "is a GGUF file"},
      {"only the magic", [](std::string& b) { b.resize(4); }, "is truncated: n_vocab"},
      {"no vocabulary", field(kVocab, 0), "vocab_size is 0"},
      {"negative vocabulary", field(kVocab, -5), "vocab_size is -5"},
      {"absurd vocabulary", field(kVocab, INT32_MAX), "vocab_size is 2147483647"},
      {"other vocabulary", field(kVocab, 1000), "the special tokens cannot be told"},
      {"larger vocabulary", field(kVocab, 1 << 20), "the special tokens cannot be told"},
      {"audio positions", field(kAudioCtx, 31), "has the shape [30, 8]"},
      {"width", field(kAudioState, 10), "differ"},
      {"absurd width", field(kAudioState, INT32_MAX), "differ"},
      {"heads", field(kAudioHead, 3), "not a multiple"},
      {"no heads", field(kTextHead, 0), "decoder_attention_heads is 0"},
      {"layers", field(kAudioLayer, 3), "no tensor encoder.layers.2"},
      {"absurd layers", field(kTextLayer, 100'000), "decoder_layers is 100000"},
      {"text positions", field(kTextCtx, 17), "has the shape [16, 8]"},
      {"mel bins", field(kMels, 128), "the mel filters are 80 x 201, expected 128 rows"},
      {"version", field(kFtype, 1002), "of version 1"},
      {"negative ftype", field(kFtype, -1), "of version"},
      {"filters", at(mels, 81), "the mel filters are 81"},
      {"absurd filters", at(mels + 4, INT32_MAX), "the mel filters are 80 x 2147483647"},
      {"filters past the end", at(mels + 4, 60'000), "is truncated"},
      {"token count", at(count, 100'000), "said to have 100000 tokens"},
      {"negative token count", at(count, -1), "said to have -1 tokens"},
      {"more tokens", at(count, 1700), ""},
      {"token length", at(count + 4, 1'000'000), "said to have 1000000 bytes"},
      {"token of -1 bytes", at(count + 4, -1), "said to have 4294967295 bytes"},
      {"cut in the tokens", [=](std::string& b) { b.resize(count + 50); }, "is truncated"},
      {"cut in the tensors", [](std::string& b) { b.resize(b.size() / 2); }, "is truncated"},
      {"cut at the end", [](std::string& b) { b.pop_back(); }, "is truncated"},
      {"trailing byte", [](std::string& b) { b += 'x'; }, "is truncated"},
      {"trailing zeros", [](std::string& b) { b.append(64, '\0'); }, "is no tensor"},
  };
  expect_damages_reported(path(), path(), damages);
}

TEST_F(Ggml, SurvivesCutsAndFlips) {
  expect_robust(path(), path(), offset_of(kFtype) + 12);
  // The names and shapes of the tensors, behind the mel filters and tokens.
  GgmlParts small = parts();
  const std::string all = small.join();
  const std::string head = small.head;
  expect_robust(path(), path(), all.size());
}

TEST_F(Ggml, GivesThePublishedModelsTheirGenerationConfig) {
  for (const char* name : {"tiny.en", "base"}) {
    const auto ggml = genuine_checkpoint(std::string(name) + "/ggml/ggml-" + name + ".bin");
    const auto hf = genuine_checkpoint(std::string(name) + "/hf");
    if (ggml.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
    expect_same_model(*open_checkpoint(ggml), *open_checkpoint(hf));
  }
}

}  // namespace
}  // namespace whisper_s4y
