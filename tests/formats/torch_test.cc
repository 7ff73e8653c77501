#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/file_kind.h"
#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "formats/torch_writer.h"
#include "support/errors.h"

namespace whisper_s4y {
namespace {

using testing::HasSubstr;

// A Hugging Face folder with pytorch_model.bin.
class TorchBin : public testing::Test {
 protected:
  TorchBin() : tiny_(tiny_checkpoint()) {
    export_checkpoint(tiny_, folder_.path(), "safetensors");
    std::filesystem::remove(folder_ / "model.safetensors");
    write(TorchParts::hugging_face(tiny_));
  }
  std::filesystem::path weights() const { return folder_ / "pytorch_model.bin"; }
  void write(const TorchParts& parts) { write_file(weights(), parts.zip()); }
  void write_pickle(const std::string& value) {
    write_file(weights(), zip_of({{"m/data.pkl", pickle::document(value)}}));
  }
  std::string open_message() {
    return message_of([&] { static_cast<void>(open_checkpoint(folder_.path())); });
  }

  TemporaryFolder folder_;
  Checkpoint tiny_;
};

TEST_F(TorchBin, OpensFolderAndFile) {
  const auto folder = open_checkpoint(folder_.path());
  EXPECT_EQ(folder->format, "pytorch");
  expect_same_model(*folder, tiny_);
  expect_same_model(*open_checkpoint(weights()), tiny_);
}

TEST_F(TorchBin, GoesByContentNotByName) {
  std::filesystem::rename(weights(), folder_ / "model.pt");
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
  std::filesystem::rename(folder_ / "model.pt", folder_ / "weights");
  expect_same_model(*open_checkpoint(folder_ / "weights"), tiny_);
  std::filesystem::remove(folder_ / "config.json");
  EXPECT_THAT(message_of([&] { static_cast<void>(open_checkpoint(folder_ / "weights")); }),
              HasSubstr("neither the dims of openai/whisper inside nor the config.json"));
}

TEST_F(TorchBin, ReadsTheFormWithoutContainer) {
  write_file(weights(), TorchParts::hugging_face(tiny_).legacy());
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
}

TEST_F(TorchBin, ReadsAllFloatTypes) {
  for (const StorageType type : {StorageType::f32, StorageType::f16, StorageType::bf16}) {
    const Checkpoint typed = tiny_checkpoint({.type = type});
    for (const bool legacy : {false, true}) {
      const TorchParts parts = TorchParts::hugging_face(typed);
      write_file(weights(), legacy ? parts.legacy() : parts.zip());
      const auto opened = open_checkpoint(folder_.path());
      expect_same_model(*opened, tiny_);
      EXPECT_EQ(opened->tensor("encoder.conv1.bias").type, type);
    }
  }
}

TEST_F(TorchBin, ReadsNestedStateDictsAndParameters) {
  const TorchParts parts = TorchParts::hugging_face(tiny_);
  std::vector<ZipEntry> entries = {{"m/data.pkl", ""}};
  for (size_t i = 0; i < parts.tensors.size(); ++i) {
    entries.push_back({"m/data/" + std::to_string(i), parts.tensors[i].bytes});
  }
  entries[0].bytes = pickle::document(
      pickle::dict({{"epoch", pickle::number(3)}, {"state_dict", parts.pickle()}}));
  write_file(weights(), zip_of(entries));
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);

  // torch._utils._rebuild_parameter(tensor, requires_grad, hooks) around each tensor.
  std::string wrapped = pickle::call(pickle::global("collections", "OrderedDict"), ")") + "(";
  for (size_t i = 0; i < parts.tensors.size(); ++i) {
    const auto& t = parts.tensors[i];
    wrapped += pickle::text(t.name) +
               pickle::call(
                   pickle::global("torch._utils", "_rebuild_parameter"),
                   pickle::tuple({pickle::tensor(
                                      pickle::storage(t.storage_class, std::to_string(i), t.stored),
                                      0, t.shape, t.strides),
                                  "\x88", pickle::ordered_dict({})}));
  }
  entries[0].bytes = pickle::document(wrapped + "u");
  write_file(weights(), zip_of(entries));
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
}

TEST_F(TorchBin, PutsTransposedAndOffsetTensorsInOrder) {
  TorchParts parts = TorchParts::hugging_face(tiny_);
  auto& matrix = parts.find("model.encoder.layers.0.fc1.weight");  // [32, 8]
  std::string turned;
  for (int64_t column = 0; column < 8; ++column) {
    for (int64_t row = 0; row < 32; ++row) {
      turned += matrix.bytes.substr(static_cast<size_t>(row * 8 + column) * 2, 2);
    }
  }
  matrix.bytes = turned;
  matrix.strides = {1, 32};
  auto& bias = parts.find("model.encoder.conv1.bias");
  bias.bytes = "abcd" + bias.bytes + "ef";
  bias.offset = 2;
  bias.stored += 3;
  write(parts);
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
}

// No step is ever made along an axis of one number.
TEST_F(TorchBin, StandsAnyStrideOfAnAxisOfOne) {
  TorchParts parts = TorchParts::hugging_face(tiny_);
  auto& matrix = parts.find("model.encoder.layers.0.fc1.weight");
  matrix.shape = {1, 32, 8};
  matrix.strides = {INT64_MAX, 1, 32};
  write(parts);
  EXPECT_THAT(open_message(), HasSubstr("has the shape [1, 32, 8]"));
}

TEST_F(TorchBin, ReadsFloat64) {
  TorchParts parts = TorchParts::hugging_face(tiny_);
  auto& bias = parts.find("model.encoder.conv1.bias");
  bias.storage_class = "DoubleStorage";
  bias.bytes.clear();
  for (const float value : values_of(tiny_.tensor("encoder.conv1.bias"))) {
    bias.bytes += bytes_of(static_cast<double>(value));
  }
  write(parts);
  const auto opened = open_checkpoint(folder_.path());
  expect_same_model(*opened, tiny_);
  EXPECT_EQ(opened->tensor("encoder.conv1.bias").type, StorageType::f64);
}

TEST_F(TorchBin, SaysThatAnAdapterIsNoModel) {
  TorchParts parts = TorchParts::hugging_face(tiny_);
  parts.tensors[3].name = "base_model.model.model.decoder.layers.0.self_attn.q_proj.lora_A.weight";
  std::filesystem::remove(folder_ / "config.json");
  write_file(folder_ / "adapter_model.bin", parts.zip());
  EXPECT_THAT(
      message_of([&] { static_cast<void>(open_checkpoint(folder_ / "adapter_model.bin")); }),
      HasSubstr("is a LoRA adapter, not a whole model"));
}

TEST_F(TorchBin, SaysHowMuchOfADownloadIsThere) {
  const std::string good = read_file(weights());
  uint64_t numbers = 0;
  for (const auto& [name, tensor] : tiny_.tensors) numbers += bytes_of(tensor).size();
  write_file(weights(), std::string_view(good).substr(0, good.size() / 2));
  EXPECT_THAT(open_message(), HasSubstr(part_of_bytes(good.size() / 2, numbers) + " are there"));
}

TEST_F(TorchBin, OpensShards) {
  TorchParts first = TorchParts::hugging_face(tiny_);
  TorchParts second = first;
  const auto middle = static_cast<std::ptrdiff_t>(first.tensors.size() / 2);
  first.tensors.erase(first.tensors.begin() + middle, first.tensors.end());
  second.tensors.erase(second.tensors.begin(), second.tensors.begin() + middle);
  nlohmann::json index;
  const std::string names[] = {"pytorch_model-00001-of-00002.bin",
                               "pytorch_model-00002-of-00002.bin"};
  for (const auto& tensor : first.tensors) index["weight_map"][tensor.name] = names[0];
  for (const auto& tensor : second.tensors) index["weight_map"][tensor.name] = names[1];
  std::filesystem::remove(weights());
  write_file(folder_ / names[0], first.zip());
  write_file(folder_ / names[1], second.legacy());
  write_file(folder_ / "pytorch_model.bin.index.json", index.dump());
  const auto opened = open_checkpoint(folder_.path());
  EXPECT_EQ(opened->format, "pytorch");
  expect_same_model(*opened, tiny_);
  expect_same_model(*open_checkpoint(folder_ / names[1]), tiny_);
  std::filesystem::rename(folder_ / "pytorch_model.bin.index.json", folder_ / "any.json");
  expect_same_model(*open_checkpoint(folder_ / "any.json"), tiny_);
  std::filesystem::remove(folder_ / names[0]);
  EXPECT_THAT(message_of([&] { static_cast<void>(open_checkpoint(folder_ / "any.json")); }),
              HasSubstr("which is not there"));
}

TEST_F(TorchBin, RunsNoCode) {
  const std::pair<const char*, const char*> globals[] = {
      {"os", "system"},         {"builtins", "eval"},
      {"torch", "load"},        {"torch._utils", "_rebuild_qtensor"},
      {"torch", "FloatStorag"}, {"collections", "defaultdict"}};
  for (const auto& [module, name] : globals) {
    write_pickle(
        pickle::call(pickle::global(module, name), pickle::tuple({pickle::text("touch /tmp/x")})));
    EXPECT_THAT(open_message(),
                HasSubstr(std::string("the global ") + module + "." + name + " at byte 2"));
  }
  // Operations that make objects of classes, read from elsewhere or come with later protocols.
  for (const char op :
       {'i',    'o',    '\x81', '\x92', '\x93', 'P', '\x82', '\x95', 'F', 'I', 'S', 'V',
        '\x8c', '\x94', '\x8b', '0',    '2',    '1', 'g',    'p',    'd', 'l', 'L'}) {
    write_pickle(std::string(1, op) + "os\nsystem\n");
    EXPECT_THAT(open_message(), HasSubstr("the operation 0x"));
  }
}

TEST_F(TorchBin, RefusesPicklesThatAreNoStateDict) {
  const std::string storage = pickle::storage("FloatStorage", "0", 4);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {pickle::number(1), "not a state dict but another object"},
      {pickle::dict({{"a", pickle::number(1)}}), "not a state dict: a is not a tensor"},
      {"](" + pickle::number(1) + "e", "not a state dict but another object"},
      {"NNa", "an append to no list"},
      {"a", "an operation without its operand"},
      {"t", "without its mark"},
      {"}(" + pickle::text("k") + "u", "a key without a value"},
      {"]" + pickle::text("k") + "N" + "s", "an item for no dict"},
      {"(", "an unfinished value"},
      {"N" + pickle::text("x"), "an unfinished value"},
      {"h\x05", "an unknown memo index"},
      {"Nr" + bytes_of(~uint32_t{0}), "a memo index out of order"},
      {"Nq\x09", "a memo index out of order"},
      {"N" + std::string("Q"), "a malformed storage"},
      {pickle::tuple({pickle::text("storage"), pickle::text("torch"), pickle::text("0"),
                      pickle::text("cpu"), pickle::number(4)}) +
           "Q",
       "a malformed storage"},
      {pickle::storage("FloatStorage", "0", -4), "a malformed storage"},
      {pickle::tensor("N", 0, {4}, {1}), "a malformed tensor"},
      {pickle::tensor(storage, -1, {4}, {1}), "a malformed tensor"},
      {pickle::tensor(storage, 0, {4}, {-1}), "a malformed tensor"},
      {pickle::tensor(storage, 0, {-4}, {1}), "a malformed tensor"},
      {pickle::tensor(storage, 0, {4, 1}, {1}), "a malformed tensor"},
      {pickle::tensor(storage, 0, std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1)),
       "a malformed tensor"},
      {pickle::call(pickle::global("collections", "OrderedDict"),
                    pickle::tuple({pickle::number(1)})),
       "an OrderedDict with arguments"},
      {pickle::call(pickle::text("x"), ")"), "a strange call"},
      {pickle::call(pickle::global("torch", "FloatStorage"), ")"), "a call of torch FloatStorage"},
      {"\x80\x04", "protocol 4"},
      {"X" + bytes_of(~uint32_t{0}), "is truncated"},
      {"c" + std::string(2000, 'm'), "an endless name"},
  };
  for (const auto& [value, expected] : cases) {
    write_pickle(value);
    EXPECT_THAT(open_message(), HasSubstr(expected));
  }
}

// A dict that holds itself under a name costs nothing and ends nowhere.
TEST_F(TorchBin, SurvivesCycles) {
  write_pickle("}q" + std::string(1, '\0') + "(" + pickle::text("state_dict") + "h" +
               std::string(1, '\0') + "u");
  EXPECT_THAT(open_message(), HasSubstr("state_dict is not a tensor"));
}

TEST_F(TorchBin, RefusesWhatIsNotInTheStorage) {
  using Tensor = TorchParts::Tensor;
  struct Case {
    std::string name;
    std::function<void(Tensor&)> apply;
    std::string expected;
  };
  const Case cases[] = {
      {"past the end", [](Tensor& t) { t.offset = 1; }, "does not fit in its storage"},
      {"far past the end", [](Tensor& t) { t.offset = INT64_MAX; }, "does not fit in its storage"},
      {"stride",
       [](Tensor& t) {
         t.strides = {9, 1};
       },
       "does not fit in its storage"},
      {"huge stride",
       [](Tensor& t) {
         t.strides = {INT64_MAX, 1};
       },
       "does not fit in its storage"},
      {"huge extent",
       [](Tensor& t) {
         t.shape = {INT64_MAX, INT64_MAX};
       },
       "impossible shape"},
      {"10 GB of one number",
       [](Tensor& t) {
         t.shape = {50'000, 50'000};
         t.strides = {0, 0};
       },
       "does not fit in its storage"},
      {"no elements",
       [](Tensor& t) {
         t.shape = {0, 8};
       },
       "does not fit in its storage"},
      {"more claimed than stored", [](Tensor& t) { t.stored = 1000; }, "expected 1000 numbers"},
      {"other type", [](Tensor& t) { t.storage_class = "FloatStorage"; }, "expected 256 numbers"},
      {"integers", [](Tensor& t) { t.storage_class = "ShortStorage"; },
       "has the type ShortStorage"},
      {"other shape",
       [](Tensor& t) {
         t.shape = {16, 16};
         t.strides = {16, 1};
       },
       "has the shape [16, 16]"},
      {"other name", [](Tensor& t) { t.name = "model.encoder.layers.0.fc9.weight"; },
       "no tensor encoder.layers.0.fc1.weight"},
  };
  for (const Case& wrong : cases) {
    TorchParts parts = TorchParts::hugging_face(tiny_);
    wrong.apply(parts.find("model.encoder.layers.0.fc1.weight"));
    write(parts);
    EXPECT_THAT(open_message(), HasSubstr(wrong.expected)) << wrong.name;
  }
}

// Tensors in changed order are copied; a file cannot ask for more copies than it has bytes.
TEST_F(TorchBin, BoundsWhatIsCopied) {
  std::vector<std::pair<std::string, std::string>> state;
  for (int i = 0; i < 100; ++i) {
    state.emplace_back(
        "t" + std::to_string(i),
        pickle::tensor(pickle::storage("FloatStorage", "0", 40'000), 0, {200, 200}, {1, 200}));
  }
  write_file(weights(), zip_of({{"m/data.pkl", pickle::document(pickle::dict(state))},
                                {"m/data/0", std::string(160'000, 'x')}}));
  EXPECT_THAT(open_message(), HasSubstr("in changed order are larger than the file"));
}

TEST_F(TorchBin, RefusesOtherArchives) {
  const TorchParts parts = TorchParts::hugging_face(tiny_);
  const std::string document = pickle::document(parts.pickle());
  const std::vector<std::pair<std::vector<ZipEntry>, std::string>> cases = {
      {{{"word/document.xml", "x"}}, "a ZIP without data.pkl"},
      {{{"a/data.pkl", document}, {"b/data.pkl", document}}, "has both"},
      {{{"m/data.pkl", document}}, "is in the storage 0, which is not there"},
      {{{"m/data.pkl", document}, {"m/byteorder", "big"}}, "the byte order is big"},
      {{{"m/data.pkl", document}, {"m/data.pkl", document}}, "appears twice"},
      {{{"m/data.pkl", document, 8}}, "is compressed"},
      {{{"m/data.pkl", document, 8, 0, 4'000'000'000}}, "is compressed"},
      {{{"m/data.pkl", document, 0, 1}}, "is encrypted"},
      {{{"m/data.pkl", document, 0, 0, 4'000'000'000}}, "is truncated"},
  };
  for (const auto& [entries, expected] : cases) {
    write_file(weights(), zip_of(entries));
    EXPECT_THAT(open_message(), HasSubstr(expected));
  }
}

TEST_F(TorchBin, ReportsDamage) {
  const auto end = [](size_t back, std::string with) {
    return [=](std::string& bytes) { overwrite(bytes, bytes.size() - back, with); };
  };
  const std::vector<Damage> damages = {
      {"empty", [](std::string& b) { b.clear(); }, "is empty"},
      {"2 bytes", [](std::string& b) { b.resize(2); }, "no directory at its end"},
      {"no directory", [](std::string& b) { b.resize(b.size() - 1); }, "no directory at its end"},
      {"half", [](std::string& b) { b.resize(b.size() / 2); }, "kB are there; download"},
      {"directory past the end", end(6, bytes_of(uint32_t{0x7FFFFFFF})), "does not fit"},
      {"directory of 4 GB", end(10, bytes_of(~uint32_t{0})), "does not fit"},
      {"other entry count", end(12, bytes_of(uint16_t{65535})), "does not fit"},
      {"directory moved", end(6, bytes_of(uint32_t{1000})), "no ZIP entry"},
      {"flipped pickle",
       [](std::string& b) {
         replace_once(b, "model.encoder.conv1.bias", "model.encoder.conv1.bia_");
       },
       "has the checksum"},
      {"local name", [](std::string& b) { replace_once(b, "m/data.pkl", "n/data.pkl"); },
       "is not that of entry"},
      {"local header", [](std::string& b) { overwrite(b, 2, "xx"); }, "has no header at byte 0"},
      {"name in the directory", [](std::string& b) { b.replace(b.rfind("m/data.pkl"), 1, "n"); },
       "is not that of entry"},
      {"overlap",
       [](std::string& b) {
         // The entry of data/1 gets the place of data/0, and its local header the name.
         const size_t second = b.rfind("m/data/1") - 46;
         const size_t first = b.rfind("m/data/0") - 46;
         overwrite(b, second + 42, b.substr(first + 42, 4));
       },
       "is not that of entry m/data/1"},
  };
  expect_damages_reported(weights(), folder_.path(), damages);
}

TEST_F(TorchBin, SurvivesCutsAndFlips) {
  expect_robust(weights(), folder_.path(), TorchParts::hugging_face(tiny_).pickle().size());
  // The checksum of the pickle hides it from flips; the old form has none.
  write_file(weights(), TorchParts::hugging_face(tiny_).legacy());
  expect_robust(weights(), folder_.path(), 4000);
}

TEST_F(TorchBin, ReportsDamageOfTheFormWithoutContainer) {
  write_file(weights(), TorchParts::hugging_face(tiny_).legacy());
  const std::vector<Damage> damages = {
      {"cut in the pickles", [](std::string& b) { b.resize(40); }, "is truncated"},
      {"cut in the storages", [](std::string& b) { b.resize(b.size() - 5); }, "is truncated"},
      {"trailing", [](std::string& b) { b += "xy"; }, "2 bytes follow the last storage"},
      {"protocol",
       [](std::string& b) { replace_once(b, "J" + bytes_of(1001), "J" + bytes_of(1002)); },
       "protocol other than 1001"},
      {"big-endian",
       [](std::string& b) { replace_once(b, "little_endian\x88", "little_endian\x89"); },
       "not saved by a little-endian machine"},
      {"key twice",
       [](std::string& b) {
         const size_t keys = b.rfind(pickle::text("0") + pickle::text("1"));
         overwrite(b, keys, pickle::text("1"));
       },
       "the storage 1 appears twice"},
      {"unknown key",
       [](std::string& b) {
         overwrite(b, b.rfind(pickle::text("0") + pickle::text("1")), pickle::text("z"));
       },
       "the storage z is not used"},
  };
  expect_damages_reported(weights(), folder_.path(), damages);
}

TEST_F(TorchBin, RefusesPickleBombs) {
  write_pickle(std::string(1 << 20, 'N'));
  EXPECT_THAT(open_message(), HasSubstr("values at byte"));
  write_pickle("Nq" + std::string(1, '\0') + std::string(3 << 20, '('));
  EXPECT_THAT(open_message(), HasSubstr("more operations than any model"));
}

// Only the standard vocabularies go with OpenAI's files.
class OpenAi : public testing::Test {
 protected:
  OpenAi() : tiny_(tiny_checkpoint({.standard_vocabulary = true})) {}
  std::string open_message(const TorchParts& parts) {
    write_file(path(), parts.zip());
    return message_of([&] { static_cast<void>(open_checkpoint(path())); });
  }
  std::filesystem::path path() const { return folder_ / "tiny.pt"; }

  TemporaryFolder folder_;
  Checkpoint tiny_;
};

TEST_F(OpenAi, OpensWhatIsExported) {
  export_checkpoint(tiny_, folder_.path(), "openai");
  const auto opened = open_checkpoint(folder_.path());
  EXPECT_EQ(opened->format, "openai");
  expect_same_model(*opened, tiny_);
}

TEST_F(OpenAi, ReadsBothContainersUnderAnyName) {
  for (const StorageType type : {StorageType::f32, StorageType::bf16}) {
    const TorchParts parts =
        TorchParts::openai(tiny_checkpoint({.standard_vocabulary = true, .type = type}));
    write_file(folder_ / "a.bin", parts.zip());
    write_file(folder_ / "b.safetensors", parts.legacy());
    write_file(folder_ / "config.json", "{}");  // of something else
    expect_same_model(*open_checkpoint(folder_ / "a.bin"), tiny_);
    expect_same_model(*open_checkpoint(folder_ / "b.safetensors"), tiny_);
  }
}

TEST_F(OpenAi, ReportsWrongDims) {
  const auto with = [&](std::string_view name, int64_t value) {
    TorchParts parts = TorchParts::openai(tiny_);
    for (auto& [dim, number] : parts.dims) {
      if (dim == name) number = value;
    }
    return open_message(parts);
  };
  EXPECT_THAT(with("n_mels", 0), HasSubstr("n_mels of dims is 0"));
  EXPECT_THAT(with("n_mels", 128), HasSubstr("has the shape"));
  EXPECT_THAT(with("n_audio_state", int64_t{1} << 40), HasSubstr("n_audio_state of dims is"));
  EXPECT_THAT(with("n_audio_state", 1 << 30), HasSubstr("differ"));
  EXPECT_THAT(with("n_text_state", 16), HasSubstr("differ"));
  EXPECT_THAT(with("n_audio_head", 3), HasSubstr("not a multiple"));
  EXPECT_THAT(with("n_text_layer", 2'000'000), HasSubstr("decoder_layers is 2000000"));
  EXPECT_THAT(with("n_text_layer", 2), HasSubstr("no tensor decoder.layers.1"));
  EXPECT_THAT(with("n_vocab", 51'866), HasSubstr("has the shape"));
  TorchParts parts = TorchParts::openai(tiny_);
  parts.dims.pop_back();
  EXPECT_THAT(open_message(parts), HasSubstr("dims has no n_text_layer"));
  parts = TorchParts::openai(tiny_checkpoint());
  EXPECT_THAT(open_message(parts), HasSubstr("brings no vocabulary"));
}

TEST_F(OpenAi, ReportsTensorsThatDoNotBelong) {
  TorchParts parts = TorchParts::openai(tiny_);
  parts.find("decoder.ln.bias").name = "decoder.ln.bios";
  EXPECT_THAT(open_message(parts), HasSubstr("no tensor decoder.layer_norm.bias"));
  parts = TorchParts::openai(tiny_);
  parts.find("decoder.ln.bias").name = "decoder.ln.weight";
  EXPECT_THAT(open_message(parts), HasSubstr("tensor decoder.ln.weight appears twice"));
}

}  // namespace
}  // namespace whisper_s4y
