#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "checkpoint/export.h"
#include "checkpoint/tiny_checkpoint.h"
#include "support/errors.h"

namespace whisper_s4y {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

struct Named {
  std::string name, dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};

std::string safetensors_bytes(const std::vector<Named>& tensors) {
  Json header = Json::object();
  std::string data;
  for (const Named& tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
    data += tensor.bytes;
  }
  const std::string text = header.dump();
  return bytes_of(uint64_t{text.size()}) + text + data;
}

std::vector<Named> named_tensors(const Checkpoint& checkpoint, const std::string& prefix) {
  std::vector<Named> tensors;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const char* dtype = tensor.type == StorageType::f16    ? "F16"
                        : tensor.type == StorageType::bf16 ? "BF16"
                                                           : "F32";
    tensors.push_back({prefix + name, dtype, tensor.shape, bytes_of(tensor)});
  }
  return tensors;
}

// A folder with the config files of the exporter, whose weights tests replace.
class Safetensors : public testing::Test {
 protected:
  Safetensors() : tiny_(tiny_checkpoint()) {
    export_checkpoint(tiny_, folder_.path(), "safetensors");
  }
  void write(const std::vector<Named>& tensors, const char* file = "model.safetensors") {
    write_file(folder_ / file, safetensors_bytes(tensors));
  }
  std::string open_message() {
    return message_of([&] { static_cast<void>(open_checkpoint(folder_.path())); });
  }

  TemporaryFolder folder_;
  Checkpoint tiny_;
};

TEST_F(Safetensors, OpensFolderAndFile) {
  const auto folder = open_checkpoint(folder_.path());
  EXPECT_EQ(folder->format, "safetensors");
  expect_same_model(*folder, tiny_);
  expect_same_model(*open_checkpoint(folder_ / "model.safetensors"), tiny_);
}

TEST_F(Safetensors, ReadsAllFloatTypes) {
  for (const StorageType type : {StorageType::f32, StorageType::f16, StorageType::bf16}) {
    const Checkpoint typed = tiny_checkpoint({.type = type});
    write(named_tensors(typed, "model."));
    const auto opened = open_checkpoint(folder_.path());
    expect_same_model(*opened, tiny_);
    EXPECT_EQ(opened->tensor("encoder.conv1.bias").type, type);
  }
}

TEST_F(Safetensors, AcceptsCommonPrefixes) {
  for (const char* prefix : {"", "model.", "base_model.model.model.", "whisper.model."}) {
    write(named_tensors(tiny_, prefix));
    expect_same_model(*open_checkpoint(folder_.path()), tiny_);
  }
}

TEST_F(Safetensors, RefusesMixedPrefixes) {
  auto tensors = named_tensors(tiny_, "model.");
  tensors.back().name = "other." + tensors.back().name;
  write(tensors);
  EXPECT_THAT(open_message(), HasSubstr("does not begin with model."));
}

TEST_F(Safetensors, AcceptsATiedProjectionOnly) {
  auto tensors = named_tensors(tiny_, "model.");
  const TensorView& embedding = tiny_.tensor("decoder.embed_tokens.weight");
  tensors.push_back({"proj_out.weight", "F16", embedding.shape, bytes_of(embedding)});
  write(tensors);
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
  tensors.back().bytes[100] ^= 1;
  write(tensors);
  EXPECT_THAT(open_message(), HasSubstr("untied"));
}

TEST_F(Safetensors, RefusesAdapters) {
  auto tensors = named_tensors(tiny_, "model.");
  tensors[3].name = "base_model.model.model.decoder.layers.0.self_attn.q_proj.lora_A.weight";
  write(tensors);
  EXPECT_THAT(open_message(), HasSubstr("LoRA adapter"));
  std::filesystem::remove(folder_ / "model.safetensors");
  write_file(folder_ / "adapter_config.json", "{}");
  EXPECT_THAT(open_message(), HasSubstr("LoRA adapter"));
}

class ShardedSafetensors : public Safetensors {
 protected:
  ShardedSafetensors() {
    std::filesystem::remove(folder_ / "model.safetensors");
    const auto tensors = named_tensors(tiny_, "model.");
    const auto middle = tensors.begin() + static_cast<std::ptrdiff_t>(tensors.size() / 2);
    write({tensors.begin(), middle}, kFirst);
    write({middle, tensors.end()}, kSecond);
    for (auto at = tensors.begin(); at != tensors.end(); ++at) {
      index_["weight_map"][at->name] = at < middle ? kFirst : kSecond;
    }
    write_index();
  }
  void write_index() { write_file(folder_ / kIndex, index_.dump()); }

  static constexpr const char* kFirst = "model-00001-of-00002.safetensors";
  static constexpr const char* kSecond = "model-00002-of-00002.safetensors";
  static constexpr const char* kIndex = "model.safetensors.index.json";
  Json index_;
};

TEST_F(ShardedSafetensors, OpensByFolderIndexAndShard) {
  for (const auto& path : {folder_.path(), folder_ / kIndex, folder_ / kSecond}) {
    expect_same_model(*open_checkpoint(path), tiny_);
  }
}

TEST_F(ShardedSafetensors, OpensVariantsByTheirIndex) {
  std::filesystem::rename(folder_ / kIndex, folder_ / "model.fp32.safetensors.index.json");
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
}

TEST_F(ShardedSafetensors, ReportsAWrongIndex) {
  const Json good = index_;
  const std::string name = "model.encoder.conv1.bias";
  index_["weight_map"][name] = good["weight_map"][name] == kFirst ? kSecond : kFirst;
  write_index();
  EXPECT_THAT(open_message(), HasSubstr("tensor " + name));
  index_ = good;
  index_["weight_map"]["model.extra"] = kFirst;
  write_index();
  EXPECT_THAT(open_message(), HasSubstr("tensor model.extra is not in"));
  index_ = good;
  index_["weight_map"].erase(name);
  write_index();
  EXPECT_THAT(open_message(), HasSubstr("the index says nothing"));
  index_ = good;
  index_["weight_map"][name] = "../model.safetensors";
  write_index();
  EXPECT_THAT(open_message(), HasSubstr("not a file name"));
  index_["weight_map"][name] = 7;
  write_index();
  EXPECT_THAT(open_message(), HasSubstr("weight_map"));
  write_file(folder_ / kIndex, "{}");
  EXPECT_THAT(open_message(), HasSubstr("weight_map"));
  index_ = good;
  write_index();
  std::filesystem::remove(folder_ / kSecond);
  EXPECT_THAT(open_message(), HasSubstr(kSecond));
}

// The header is rewritten with the same length, so that the data stays where it is.
TEST_F(Safetensors, ReportsDamage) {
  const auto header = [](const char* from, const char* to) {
    return [=](std::string& bytes) { replace_once(bytes, from, to); };
  };
  const auto at = [](size_t offset, std::string with) {
    return [=](std::string& bytes) { overwrite(bytes, offset, with); };
  };
  const std::vector<Damage> damages = {
      {"empty", [](std::string& b) { b.clear(); }, "is empty"},
      {"4 bytes", [](std::string& b) { b.resize(4); }, "no checkpoint"},
      {"only the length", [](std::string& b) { b.resize(8); }, "no checkpoint"},
      {"header of 10 GB", at(0, bytes_of(uint64_t{10'000'000'000})), "no checkpoint"},
      {"header of 3 GB", at(0, bytes_of(uint64_t{3'000'000'000})), "3000000000 bytes"},
      {"header past the end", at(0, bytes_of(uint64_t{90'000'000})), "90000000 bytes"},
      {"header too short", at(0, bytes_of(uint64_t{1000})), "not valid JSON at byte"},
      {"no JSON", at(9, "!"), "not valid JSON at byte"},
      {"truncated data", [](std::string& b) { b.resize(b.size() - 1); }, "bytes of data"},
      {"half the data", [](std::string& b) { b.resize(b.size() / 2); }, "bytes of data"},
      {"trailing byte", [](std::string& b) { b += 'x'; }, "1 bytes follow the last tensor"},
      {"unknown type", header("\"F16\"", "\"F17\""), "has the type F17"},
      {"integer type", header("\"F16\"", "\"I16\""), "has the type I16"},
      {"double type", header("\"F16\"", "\"F64\""), "has the type F64"},
      {"type of other size", header("\"F16\"", "\"F32\""), "needs"},
      {"wrong shape", header("[8,80,3]", "[8,81,3]"), "needs"},
      {"swapped shape", header("[8,80,3]", "[80,8,3]"), "has the shape [80, 8, 3]"},
      {"flat shape", header("[8,80,3]", "[001920]"), "not valid JSON"},
      {"negative extent", header("[8,80,3]", "[8,-9,3]"), "a negative number"},
      {"fraction", header("[8,80,3]", "[8,8.5,3"), "not"},
      {"huge extent", header("[8,8,3]", "[8,9e9]"), "a fraction"},
      {"overflow",
       [](std::string& b) {
         replace_once(
             b, "\"shape\":[8,80,3],\"data_offsets\":", "\"shape\":[8589934592,8589934592],\"x\":");
       },
       "not"},
      {"dtype is a number", header("\"F16\"", "12345"), "a number is not expected"},
      {"missing dtype", header("\"dtype\"", "\"DTYPE\""), "not expected in DTYPE"},
      {"missing shape", header("\"shape\"", "\"Shape\""), "not expected in Shape"},
      {"duplicate",
       [](std::string& b) {
         replace_once(b, "model.encoder.layers.1.fc1.bias", "model.encoder.layers.0.fc1.bias");
       },
       "appears twice"},
      {"unknown name", header("model.encoder.layers.1.fc1.bias", "model.encoder.layers.1.fc9.bias"),
       "has no tensor encoder.layers.1.fc1.bias"},
      {"other model", header("model.encoder.conv1.weight", "model.encoder.conv9.weight"),
       "no tensor encoder.conv1.weight"},
      {"overlap",
       [](std::string& b) {
         const size_t first = b.find("\"data_offsets\":[") + 16;
         const size_t second = b.find("\"data_offsets\":[", first) + 16;
         overwrite(b, second, b.substr(first, 5));
       },
       "lies at bytes 0 to"},
      {"header is a list", at(8, "["), "no checkpoint"},
      {"metadata of numbers", header("{\"format\":\"pt\"}", "{\"format\":1234}"),
       "not expected in __metadata__"},
      {"nested metadata", header("{\"format\":\"pt\"}", "{\"format\":{  }}"),
       "not expected in __metadata__"},
  };
  expect_damages_reported(folder_ / "model.safetensors", folder_.path(), damages);
}

TEST_F(Safetensors, SurvivesCutsAndFlips) {
  expect_robust(folder_ / "model.safetensors", folder_.path(), 4000);
}

TEST_F(Safetensors, ReportsOverlapsWithBothNames) {
  const std::string text =
      R"({"a.encoder.conv1.weight":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]}})";
  write_file(folder_ / "model.safetensors",
             bytes_of(uint64_t{text.size()}) + text + std::string(8, '\0'));
  EXPECT_THAT(open_message(), HasSubstr("tensor b at byte 4 overlaps a.encoder.conv1.weight"));
}

TEST_F(Safetensors, AsksForTheConfig) {
  std::filesystem::remove(folder_ / "config.json");
  EXPECT_THAT(open_message(), HasSubstr("no config.json"));
}

TEST_F(Safetensors, ReportsADamagedConfig) {
  const auto config = [](const char* from, const char* to) {
    return [=](std::string& bytes) { replace_once(bytes, from, to); };
  };
  const std::vector<Damage> damages = {
      {"empty", [](std::string& b) { b.clear(); }, "not a JSON object"},
      {"a list", [](std::string& b) { b = "[]"; }, "not a JSON object"},
      {"cut off", [](std::string& b) { b.resize(b.size() / 2); }, "not a JSON object"},
      {"deep", [](std::string& b) { b = std::string(100'000, '['); }, "not a JSON object"},
      {"large", [](std::string& b) { b.resize(5'000'000, ' '); }, "more than"},
      {"no width", config("\"d_model\"", "\"d-model\""), "d_model is missing"},
      {"text", config("\"d_model\": 8", "\"d_model\": \"8\""), "d_model is not a whole number"},
      {"other width", config("\"d_model\": 8", "\"d_model\": 10"), "has the shape"},
      {"negative", config("\"d_model\": 8", "\"d_model\": -8"), "d_model is -8"},
      {"absurd", config("\"d_model\": 8", "\"d_model\": 2000000000"), "d_model is 2000000000"},
      {"huge", config("\"d_model\": 8", "\"d_model\": 20000000000"), "not a 32-bit number"},
      {"layers", config("\"encoder_layers\": 2", "\"encoder_layers\": 3"),
       "no tensor encoder.layers.2"},
      {"fewer layers", config("\"encoder_layers\": 2", "\"encoder_layers\": 1"),
       "encoder.layers.1."},
      {"absurd layers", config("\"encoder_layers\": 2", "\"encoder_layers\": 100000"),
       "encoder_layers is 100000"},
      {"heads", config("\"decoder_attention_heads\": 2", "\"decoder_attention_heads\": 3"),
       "not a multiple"},
      {"no heads", config("\"decoder_attention_heads\": 2", "\"decoder_attention_heads\": 0"),
       "decoder_attention_heads is 0"},
      {"other model", config("\"whisper\"", "\"bart\""), "model_type is bart"},
      {"activation", config("\"gelu\"", "\"relu\""), "activation_function is relu"},
      {"scaled", config("\"scale_embedding\": false", "\"scale_embedding\": true"),
       "scale_embedding is true"},
  };
  expect_damages_reported(folder_ / "config.json", folder_.path(), damages);
}

TEST_F(Safetensors, ReportsADamagedGenerationConfig) {
  const auto config = [](const char* from, const char* to) {
    return [=](std::string& bytes) { replace_once(bytes, from, to); };
  };
  const std::vector<Damage> damages = {
      {"a list", [](std::string& b) { b = "[]"; }, "not a JSON object"},
      {"id past the end",
       [](std::string& b) {
         const size_t at = b.find(":", b.find("\"no_timestamps_token_id\"")) + 1;
         b.replace(at, b.find(",", at) - at, " 900000");
       },
       "900000"},
      {"multilingual", config("\"is_multilingual\": true", "\"is_multilingual\": 1"),
       "is_multilingual is not true or false"},
      {"languages", config("\"lang_to_id\": {", "\"lang_to_id\": 5, \"x\": {"),
       "lang_to_id is not an object"},
      {"language id", config("\"<|en|>\": ", "\"<|en|>\": 9"), "lang_to_id"},
      {"heads", config("\"alignment_heads\": [", "\"alignment_heads\": [[7, 0], "),
       "alignment head (7, 0)"},
      {"head shape", config("\"alignment_heads\": [", "\"alignment_heads\": [[7], "),
       "alignment_heads is not a list of pairs"},
      {"suppress", config("\"suppress_tokens\": [", "\"suppress_tokens\": [-5, "),
       "suppress_tokens is -5"},
      {"suppress text", config("\"suppress_tokens\": [", "\"suppress_tokens\": [\"a\", "),
       "suppress_tokens is not"},
  };
  expect_damages_reported(folder_ / "generation_config.json", folder_.path(), damages);
}

TEST_F(Safetensors, DerivesWhatOldFilesLack) {
  std::filesystem::remove(folder_ / "generation_config.json");
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
  // Fine-tuning scripts leave empty lists behind.
  write_file(folder_ / "generation_config.json",
             R"({"suppress_tokens": [], "begin_suppress_tokens": null, "eos_token_id": [264]})");
  expect_same_model(*open_checkpoint(folder_.path()), tiny_);
}

TEST_F(Safetensors, HonoursTheGenerationConfig) {
  Json json = Json::parse(read_file(folder_ / "generation_config.json"));
  json["suppress_tokens"] = {5, 6};
  json["max_initial_timestamp_index"] = 1;
  json["alignment_heads"] = {{0, 1}};
  write_file(folder_ / "generation_config.json", json.dump());
  const auto opened = open_checkpoint(folder_.path());
  EXPECT_EQ(opened->info.generation.suppress_tokens, (std::vector{5, 6}));
  EXPECT_EQ(opened->info.generation.max_initial_timestamp_index, 1);
  EXPECT_EQ(opened->info.generation.alignment_heads, (std::vector<std::pair<int, int>>{{0, 1}}));
}

}  // namespace
}  // namespace whisper_s4y
