#include "tflite/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <numeric>

#include "common/content_hash.h"
#include "common/fail.h"
#include "graph/ops.h"
#include "graph/quantize.h"
#include "runtime/test_model.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

class WriterTest : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  std::filesystem::path file = folder / "model.tflite";
};

/// x f32[1, 4096] through an int8 matrix and a float32 table.
void add_model(Module& module) {
  Graph& g = module.add_graph("main");
  std::vector<float> numbers(4 * 4096);
  std::iota(numbers.begin(), numbers.end(), -8000.0F);
  const Int8Rows q = int8_rows(rows_of("matrix", {4, 4096}, std::move(numbers)));
  const Value x = g.input("x", DType::f32, {1, 4096});
  const Value table = g.constant(rows_of("table", {4096}, std::vector<float>(4096, 0.25F)));
  const Value matrix = g.constant("matrix", DType::i8, {4, 4096}, q.data, q.quantization);
  module.add_signature("run", g, {{"y", fully_connected(g, add(g, x, table), matrix)}});
}

const tflite::Tensor& tensor_named(const TfliteFile& file, std::string_view name) {
  for (const auto* tensor : *file.model().subgraphs()->Get(0)->tensors()) {
    if (tensor->name()->str() == fmt::format("main/{}", name)) return *tensor;
  }
  fail("no tensor {}", name);
}

template <typename T>
std::vector<T> numbers_in(const TfliteFile& file, std::string_view tensor) {
  const auto bytes = file.buffer(tensor_named(file, tensor).buffer());
  std::vector<T> numbers(bytes.size() / sizeof(T));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(T));
  return numbers;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(WriterTest, SignaturesComeBack) {
  Module module;
  add_model(module);
  write_tflite(module, file);
  const TfliteFile read(file);
  const auto* signature = read.model().signature_defs()->Get(0);
  EXPECT_EQ(signature->signature_key()->string_view(), "run");
  EXPECT_EQ(signature->inputs()->Get(0)->name()->string_view(), "x");
  EXPECT_EQ(signature->outputs()->Get(0)->name()->string_view(), "y");
  EXPECT_EQ(read.model().subgraphs()->Get(0)->name()->string_view(), "main");
}

TEST_F(WriterTest, ConstantsComeBack) {
  Module module;
  add_model(module);
  write_tflite(module, file);
  const TfliteFile read(file);
  EXPECT_EQ(numbers_in<float>(read, "table"), std::vector<float>(4096, 0.25F));
  EXPECT_EQ(numbers_in<int8_t>(read, "matrix")[0], -127);
}

TEST_F(WriterTest, ScalesAreOneARow) {
  Module module;
  add_model(module);
  write_tflite(module, file);
  const TfliteFile read(file);
  const auto* quantization = tensor_named(read, "matrix").quantization();
  ASSERT_EQ(quantization->scale()->size(), 4U);
  EXPECT_FLOAT_EQ(quantization->scale()->Get(0), 8000.0F / 127);
  EXPECT_EQ(quantization->zero_point()->size(), 4U);
  EXPECT_EQ(quantization->quantized_dimension(), 0);
}

TEST_F(WriterTest, OpsKeepCodesAndOptions) {
  Module module;
  Graph& g = module.add_graph("main");
  const Value x = g.input("x", DType::f32, {1, 6});
  module.add_signature("run", g, {{"y", concat(g, {gelu(g, x), softmax(g, x)}, 1)}});
  write_tflite(module, file);
  const TfliteFile read(file);
  const auto& model = read.model();
  const auto* ops = model.subgraphs()->Get(0)->operators();
  ASSERT_EQ(ops->size(), 3U);
  const auto code = [&](int i) { return model.operator_codes()->Get(ops->Get(i)->opcode_index()); };
  EXPECT_EQ(code(0)->builtin_code(), tflite::BuiltinOperator::GELU);  // beyond a byte
  EXPECT_EQ(code(0)->deprecated_builtin_code(), 127);
  EXPECT_EQ(code(1)->deprecated_builtin_code(), 25);
  EXPECT_FALSE(ops->Get(0)->builtin_options_as_GeluOptions()->approximate());
  EXPECT_EQ(ops->Get(1)->builtin_options_as_SoftmaxOptions()->beta(), 1.0F);
  EXPECT_EQ(ops->Get(2)->builtin_options_as_ConcatenationOptions()->axis(), 1);
}

// XNNPACK reads 16 bytes at a time; mapped files start at a page.
TEST_F(WriterTest, ConstantsLieAt64Bytes) {
  for (const uint64_t limit : {uint64_t{1} << 31, uint64_t{1}}) {
    Module module;
    add_model(module);
    module.add_metadata("odd", "12345");
    write_tflite(module, file, {.flatbuffer_limit = limit});
    const TfliteFile read(file);
    for (uint32_t i = 1; i < read.model().buffers()->size(); ++i) {
      const auto bytes = read.buffer(i);
      const auto offset = bytes.data() - read.file().bytes().data();
      EXPECT_EQ(offset % 64, 0) << "buffer " << i << " of " << bytes.size() << " bytes";
    }
  }
}

TEST_F(WriterTest, BeyondTheLimitLargeBuffersLieBehindTheFlatbuffer) {
  Module module;
  add_model(module);
  write_tflite(module, file, {.flatbuffer_limit = 1});
  const TfliteFile read(file);
  const auto* buffer = read.model().buffers()->Get(tensor_named(read, "matrix").buffer());
  EXPECT_GT(buffer->offset(), 1U);
  EXPECT_EQ(buffer->size(), 4U * 4096);
  EXPECT_EQ(buffer->data(), nullptr);
  EXPECT_EQ(numbers_in<float>(read, "table"), std::vector<float>(4096, 0.25F));
  EXPECT_EQ(numbers_in<int8_t>(read, "matrix")[0], -127);
}

TEST_F(WriterTest, MetadataStaysInsideTheFlatbuffer) {
  Module module;
  add_model(module);
  module.add_metadata("vocabulary", std::string(100000, 'v'));
  write_tflite(module, file, {.flatbuffer_limit = 1});
  const TfliteFile read(file);
  EXPECT_EQ(read.metadata("vocabulary"), std::string(100000, 'v'));
  const auto* entry = read.model().metadata()->Get(0);
  EXPECT_NE(read.model().buffers()->Get(entry->buffer())->data(), nullptr);
}

TEST_F(WriterTest, UnknownMetadataIsAnError) {
  Module module;
  add_model(module);
  module.add_metadata("known", "x");
  write_tflite(module, file);
  const TfliteFile read(file);
  EXPECT_TRUE(read.has_metadata("known"));
  EXPECT_FALSE(read.has_metadata("unknown"));
  EXPECT_THROW((void)read.metadata("unknown"), Error);
}

TEST_F(WriterTest, TheHashStandsWhereTheMetadataAsksForIt) {
  Module module;
  add_model(module);
  module.add_metadata("facts", "hash: " + std::string(kModelHashPlaceholder) + ".");
  const WriteResult result = write_tflite(module, file);
  ASSERT_EQ(result.model_hash.size(), kModelHashPlaceholder.size());
  EXPECT_EQ(TfliteFile(file).metadata("facts"), "hash: " + result.model_hash + ".");

  std::string content = content_of(file);
  EXPECT_EQ(content.size(), result.file_size);
  content.replace(content.find(result.model_hash), result.model_hash.size(), kModelHashPlaceholder);
  ContentHash hash;
  hash.update(std::as_bytes(std::span(content)));
  EXPECT_EQ(hash.digest(), result.model_hash);
}

TEST_F(WriterTest, OneChangedNumberChangesTheHash) {
  const auto hash_of = [&](float number) {
    Module module;
    Graph& g = module.add_graph("main");
    const Value x = g.input("x", DType::f32, {1});
    module.add_signature("run", g, {{"y", add(g, x, g.constant(number))}});
    return write_tflite(module, file).model_hash;
  };
  EXPECT_EQ(hash_of(1), hash_of(1));
  EXPECT_NE(hash_of(1), hash_of(2));
}

TEST_F(WriterTest, EqualModulesGiveEqualFiles) {
  std::string first;
  for (int i = 0; i < 2; ++i) {
    Module module;
    add_model(module);
    write_tflite(module, file);
    if (i == 0) first = content_of(file);
  }
  EXPECT_EQ(content_of(file), first);
}

TEST_F(WriterTest, ProgressEndsAtTheSizeOfTheFile) {
  Module module;
  add_model(module);
  uint64_t last = 0;
  uint64_t total = 0;
  WriteOptions options;
  options.progress = [&](uint64_t done, uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  };
  const WriteResult result = write_tflite(module, file, options);
  EXPECT_EQ(last, result.file_size);
  EXPECT_EQ(total, result.file_size);
}

class LyingConstant : public ConstantData {
 public:
  [[nodiscard]] uint64_t size() const override { return 8; }
  void write(const ByteSink& sink) const override { sink(std::array<std::byte, 4>{}); }
  [[nodiscard]] std::string key() const override { return "lying"; }
};

TEST_F(WriterTest, NothingIsLeftWhenAConstantFails) {
  Module module;
  Graph& g = module.add_graph("main");
  const Value x = g.input("x", DType::f32, {2});
  const Value c = g.constant("c", DType::f32, {2}, std::make_shared<LyingConstant>());
  module.add_signature("run", g, {{"y", add(g, x, c)}});
  EXPECT_THROW(write_tflite(module, file), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(WriterTest, AMissingFolderIsNamed) {
  Module module;
  add_model(module);
  try {
    write_tflite(module, folder / "absent" / "model.tflite");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("absent/model.tflite"));
  }
}

}  // namespace
}  // namespace whisper_s4y
