#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "support/errors.h"

namespace whisper_s4y {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
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

TEST_F(Safetensors, MissesTensorsUnderAnotherPrefix) {
  auto tensors = named_tensors(tiny_, "model.");
  tensors.back().name = "other." + tensors.back().name;
  write(tensors);
  EXPECT_THAT(open_message(), HasSubstr("has no tensor encoder.layers.1."));
}

TEST_F(Safetensors, IgnoresTensorsOfNoWhisper) {
  auto tensors = named_tensors(tiny_, "model.");
  tensors.push_back({"model.encoder.embed_positions.ids", "I64", {1}, "12345678"});
  tensors.push_back({"model.decoder.layers.0.router.weight", "F16", {2}, "abcd"});
  tensors.push_back({"classifier.weight", "F8_E4M3", {3}, "abc"});
  write(tensors);
  const auto opened = open_checkpoint(folder_.path());
  expect_same_model(*opened, tiny_);
  EXPECT_THAT(
      opened->warnings,
      ElementsAre(AllOf(HasSubstr("model.safetensors: 1 tensor that no Whisper model has is"),
                        HasSubstr("ignored: classifier.weight.")),
                  AllOf(HasSubstr("2 tensors that no Whisper model has are ignored"),
                        HasSubstr("decoder.layers.0.router.weight, encoder.embed"))));
}

TEST_F(Safetensors, RefusesMoreLayersThanTheConfigSays) {
  auto tensors = named_tensors(tiny_, "model.");
  tensors.push_back({"model.decoder.layers.1.fc1.bias", "F16", {1}, "ab"});
  write(tensors);
  EXPECT_THAT(open_message(), HasSubstr("2 encoder and 1 decoder layers"));
}

// Softmax does not see what all scores of a query have in common.
TEST_F(Safetensors, IgnoresBiasesOfKeys) {
  for (const bool zero : {true, false}) {
    auto tensors = named_tensors(tiny_, "model.");
    for (const char* layer : {"encoder.layers.0.self_attn", "decoder.layers.0.encoder_attn"}) {
      tensors.push_back({fmt::format("model.{}.k_proj.bias", layer),
                         "F16",
                         {8},
                         std::string(16, zero ? '\0' : 'x')});
    }
    write(tensors);
    const auto opened = open_checkpoint(folder_.path());
    expect_same_model(*opened, tiny_);
    EXPECT_THAT(opened->warnings,
                ElementsAre(AllOf(HasSubstr("2 biases of keys are ignored"),
                                  HasSubstr("encoder.layers.0.self_attn.k_proj.bias"),
                                  HasSubstr(zero ? "these are zero" : "softmax takes away"))));
  }
}

TEST_F(Safetensors, KeepsAnOutputMatrixOfItsOwn) {
  auto tensors = named_tensors(tiny_, "model.");
  const TensorView& embedding = tiny_.tensor("decoder.embed_tokens.weight");
  tensors.push_back({"proj_out.weight", "F16", embedding.shape, bytes_of(embedding)});
  write(tensors);
  const auto tied = open_checkpoint(folder_.path());
  expect_same_model(*tied, tiny_);
  EXPECT_THAT(tied->warnings, IsEmpty());

  tensors.back().bytes[100] ^= 1;
  write(tensors);
  EXPECT_THAT(open_checkpoint(folder_.path())->warnings,
              ElementsAre(HasSubstr("as config.json says it were (tie_word_embeddings)")));
  Json config = Json::parse(read_file(folder_ / "config.json"));
  config["tie_word_embeddings"] = false;
  write_file(folder_ / "config.json", config.dump());
  const auto untied = open_checkpoint(folder_.path());
  EXPECT_THAT(untied->warnings, IsEmpty());
  EXPECT_EQ(bytes_of(untied->tensor("proj_out.weight")), tensors.back().bytes);

  const TemporaryFolder exported;
  for (const char* format : {"safetensors", "ctranslate2"}) {
    export_checkpoint(*untied, exported / format, format);
    const auto again = open_checkpoint(exported / format);
    EXPECT_THAT(again->warnings, IsEmpty());
    expect_same_model(*again, *untied);
  }
  for (const char* format : {"ggml", "openai"}) {
    EXPECT_THAT(message_of([&] { export_checkpoint(*untied, exported / format, format); }),
                HasSubstr("would lose proj_out.weight"));
    EXPECT_FALSE(std::filesystem::exists(exported / format));
  }
  tensors.back().shape[0] -= 1;
  tensors.back().bytes.resize(tensors.back().bytes.size() - 16);
  write(tensors);
  EXPECT_THAT(open_message(), HasSubstr("tensor proj_out.weight has the shape"));
}

TEST_F(Safetensors, ReadsFloat64) {
  auto tensors = named_tensors(tiny_, "model.");
  for (Named& tensor : tensors) {
    const std::string name = tensor.name.substr(std::string("model.").size());
    tensor.dtype = "F64";
    tensor.bytes.clear();
    for (const float value : values_of(tiny_.tensor(name))) {
      tensor.bytes += bytes_of(static_cast<double>(value));
    }
  }
  write(tensors);
  const auto opened = open_checkpoint(folder_.path());
  expect_same_model(*opened, tiny_);
  EXPECT_EQ(opened->tensor("encoder.conv1.bias").type, StorageType::f64);
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
  const std::string shard = read_file(folder_ / kSecond);
  write_file(folder_ / kSecond, "version https://git-lfs.github.com/spec/v1\noid sha256:1\n");
  EXPECT_THAT(open_message(), HasSubstr("00002-of-00002.safetensors is a Git LFS pointer"));
  write_file(folder_ / kSecond, std::string_view(shard).substr(0, shard.size() / 2));
  EXPECT_THAT(open_message(), HasSubstr("00002-of-00002.safetensors is truncated"));
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
      {"truncated data", [](std::string& b) { b.resize(b.size() - 1); }, "is truncated: "},
      {"half the data", [](std::string& b) { b.resize(b.size() / 2); },
       "kB are there; download the file again"},
      {"trailing byte", [](std::string& b) { b += 'x'; }, "1 bytes follow the last tensor"},
      {"unknown type", header("\"F16\"", "\"F17\""), "has the type F17"},
      {"integer type", header("\"F16\"", "\"I16\""), "has the type I16"},
      {"double type", header("\"F16\"", "\"F64\""), "type F64 needs"},
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
      {"empty", [](std::string& b) { b.clear(); }, "not valid JSON: line 1, column 1"},
      {"a list", [](std::string& b) { b = "[]"; }, "not a JSON object"},
      {"cut off", [](std::string& b) { b.resize(b.size() / 2); }, "not valid JSON: line "},
      {"deep", [](std::string& b) { b = std::string(100'000, '['); }, "nested more than 64 deep"},
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

// What is wrong in it is left out, and the rest is as the vocabulary and the dimensions say.
TEST_F(Safetensors, WarnsOfWhatIsWrongInTheGenerationConfig) {
  const std::filesystem::path path = folder_ / "generation_config.json";
  const std::string good = read_file(path);
  const auto warnings_of = [&](const std::string& text) {
    write_file(path, text);
    return open_checkpoint(folder_.path());
  };
  const auto with = [&](const char* name, const Json& value) {
    Json json = Json::parse(good);
    json[name] = value;
    return warnings_of(json.dump());
  };
  struct Case {
    const char* name;
    Json value;
    const char* warning;
  };
  const Case cases[] = {
      {"no_timestamps_token_id", 900'000, "no_timestamps_token_id is 900000, expected a token id"},
      {"eos_token_id", "x", "eos_token_id is \"x\", expected a token id below"},
      {"decoder_start_token_id", -1, "decoder_start_token_id is -1"},
      {"is_multilingual", 1, "is_multilingual is not true or false. The field is ignored."},
      {"lang_to_id", 5, "lang_to_id is not an object"},
      {"task_to_id", {1}, "task_to_id is not an object"},
      {"alignment_heads", "heads", "alignment_heads is not a list"},
      {"alignment_heads", {{7, 0}}, "None is left: word timestamps use the default heads."},
      {"suppress_tokens", {{"a", 1}}, "suppress_tokens is not a list"},
      {"suppress_tokens", {-1}, "of suppress_tokens 1 entry is left out"},
      {"max_initial_timestamp_index", -3, "max_initial_timestamp_index is not 0 or more"},
      {"max_initial_timestamp_index", 1.5, "max_initial_timestamp_index is not a whole number"},
  };
  for (const Case& wrong : cases) {
    const auto opened = with(wrong.name, wrong.value);
    EXPECT_THAT(opened->warnings,
                ElementsAre(AllOf(HasSubstr(path.string()), HasSubstr(wrong.warning))))
        << wrong.name;
    expect_same_model(*opened, tiny_);
  }
  for (const std::string& broken :
       {std::string("[]"), std::string(), good.substr(0, good.size() / 2),
        std::string(100'000, '['), std::string(5'000'000, ' ')}) {
    const auto opened = warnings_of(broken);
    EXPECT_THAT(opened->warnings, ElementsAre(HasSubstr("The file is ignored.")));
    expect_same_model(*opened, tiny_);
  }
  EXPECT_THAT(with("of_a_later_version", {{"a", 1}})->warnings, IsEmpty());
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  const auto opened =
      warnings_of(R"({"eos_token_id": {"a": )" + deep + R"(}, "suppress_tokens": [)" + deep + "]}");
  EXPECT_THAT(opened->warnings, ElementsAre(HasSubstr("eos_token_id is {...}, expected a token id"),
                                            HasSubstr("1 entry is left out")));
}

TEST_F(Safetensors, KeepsWhatIsRightInLists) {
  Json json = Json::parse(read_file(folder_ / "generation_config.json"));
  // As distilled models have it: heads of the teacher's layers.
  json["alignment_heads"] = {{0, 1}, {25, 3}, {0, 2}, {0}};
  json["suppress_tokens"] = {5, 99'999, "a", 6, -1, nullptr};
  json["lang_to_id"] = {{"<|en|>", 266}, {"<|xx|>", 267}, {"<|de|>", 99'999}, {"<|fr|>", "y"}};
  write_file(folder_ / "generation_config.json", json.dump());
  const auto opened = open_checkpoint(folder_.path());
  const GenerationConfig& g = opened->info.generation;
  EXPECT_EQ(g.alignment_heads, (std::vector<std::pair<int, int>>{{0, 1}}));
  EXPECT_EQ(g.suppress_tokens, (std::vector{5, 6}));
  EXPECT_EQ(g.lang_to_id, (std::vector<std::pair<std::string, int>>{{"en", 266}, {"xx", 267}}));
  EXPECT_THAT(
      opened->warnings,
      ElementsAre(HasSubstr("of suppress_tokens 4 entries are left out, for the model has token "
                            "ids from 0 to 1775: 99999, \"a\", -1, null."),
                  HasSubstr("of alignment_heads 3 pairs are left out, for the decoder has 1 layers "
                            "of 2 heads: [25,3], [0,2], [0]."),
                  HasSubstr("of lang_to_id 2 entries are left out")));
}

TEST_F(Safetensors, TakesEachAlignmentHeadOnce) {
  Json json = Json::parse(read_file(folder_ / "generation_config.json"));
  json["alignment_heads"] = {{0, 1}, {0, 0}, {0, 1}, {0, 1}};
  write_file(folder_ / "generation_config.json", json.dump());
  const auto opened = open_checkpoint(folder_.path());
  EXPECT_EQ(opened->info.generation.alignment_heads,
            (std::vector<std::pair<int, int>>{{0, 1}, {0, 0}}));
  EXPECT_THAT(opened->warnings,
              ElementsAre(HasSubstr("of alignment_heads 2 pairs are left out, for the list has "
                                    "them already: [0,1], [0,1].")));
}

// As a fine-tune has them that copied the configuration of another version of Whisper.
TEST_F(Safetensors, BelievesTheVocabularyOfItsTokens) {
  Json json = Json::parse(read_file(folder_ / "generation_config.json"));
  json["no_timestamps_token_id"] = json["no_timestamps_token_id"].get<int>() + 1;
  json["lang_to_id"]["<|en|>"] = 267;
  write_file(folder_ / "generation_config.json", json.dump());
  const auto opened = open_checkpoint(folder_.path());
  expect_same_model(*opened, tiny_);
  EXPECT_THAT(opened->warnings,
              ElementsAre(HasSubstr("no_timestamps_token_id says 275, but in the vocabulary "
                                    "<|notimestamps|> is 274, which is used"),
                          HasSubstr("lang_to_id has other ids than the vocabulary")));
}

// Files with a vocabulary stand in for each other.
TEST_F(Safetensors, ReadsTheVocabularyFromWhatIsWhole) {
  const auto warnings_after = [&](const char* name, const std::string& content) {
    const std::string good = read_file(folder_ / name);
    write_file(folder_ / name, content);
    const auto opened = open_checkpoint(folder_.path());
    expect_same_model(*opened, tiny_);
    write_file(folder_ / name, good);
    return opened->warnings;
  };
  for (const char* name : {"vocab.json", "merges.txt", "added_tokens.json"}) {
    EXPECT_THAT(
        warnings_after(name, "{\"half"),
        ElementsAre(AllOf(HasSubstr(name),
                          HasSubstr("The vocabulary is taken from tokenizer.json instead."))));
  }
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                           "preprocessor_config.json"}) {
    EXPECT_THAT(warnings_after(name, "{\"half"), IsEmpty()) << name;  // not needed
  }
  std::filesystem::remove(folder_ / "tokenizer.json");
  write_file(folder_ / "vocab.json", "[]");
  EXPECT_THAT(open_message(), HasSubstr("vocab.json: a list is not expected"));
}

TEST(StandardSafetensors, UsesTheBuiltInVocabularyForABrokenOne) {
  const TemporaryFolder folder;
  const Checkpoint tiny = tiny_checkpoint({.standard_vocabulary = true});
  export_checkpoint(tiny, folder.path(), "safetensors");
  for (const char* name : {"vocab.json", "merges.txt", "added_tokens.json"}) {
    std::filesystem::remove(folder / name);
  }
  write_file(folder / "tokenizer.json", "<!DOCTYPE html>");
  const auto opened = open_checkpoint(folder.path());
  expect_same_model(*opened, tiny);
  EXPECT_THAT(opened->warnings, ElementsAre(HasSubstr("what this program has built in instead.")));
}

TEST(StandardSafetensors, AddsSpecialTokensThatVocabJsonLacks) {
  const TemporaryFolder folder;
  const Checkpoint tiny = tiny_checkpoint({.standard_vocabulary = true});
  export_checkpoint(tiny, folder.path(), "safetensors");
  for (const char* name : {"tokenizer.json", "added_tokens.json", "special_tokens_map.json"}) {
    std::filesystem::remove(folder / name);
  }
  for (const char* name : {"with", "without"}) {
    SCOPED_TRACE(fmt::format("{} generation_config.json", name));
    const auto opened = open_checkpoint(folder.path());
    expect_same_model(*opened, tiny);
    EXPECT_THAT(opened->warnings,
                ElementsAre(HasSubstr("lacks 107 of the special tokens (<|endoftext|>, "
                                      "<|startoftranscript|>, <|en|> and 104 more), which are "
                                      "taken from what this program has built in")));
    std::filesystem::remove(folder / "generation_config.json");
  }
}

TEST(StandardSafetensors, DoesWithoutWhatALinkLeadsNowhereFor) {
  const TemporaryFolder folder;
  const Checkpoint tiny = tiny_checkpoint({.standard_vocabulary = true});
  export_checkpoint(tiny, folder.path(), "safetensors");
  const auto link = [&](const char* name, const char* target) {
    std::filesystem::remove(folder / name);
    std::filesystem::create_symlink(target, folder / name);
  };
  link("vocab.json", "nope");
  link("generation_config.json", "generation_config.json");
  const auto opened = open_checkpoint(folder.path());
  expect_same_model(*opened, tiny);
  EXPECT_THAT(opened->warnings,
              ElementsAre(AllOf(HasSubstr("generation_config.json: Too many levels"),
                                HasSubstr("The file is ignored.")),
                          AllOf(HasSubstr("vocab.json is a link to nope, which is not there"),
                                HasSubstr("The file is ignored."))));
}

// A fine-tune's tokens behind Whisper's: a special one, a word, a row without a token.
class AddedTokens : public testing::Test {
 protected:
  AddedTokens() : tiny_(tiny_checkpoint({.more_tokens = {"<laugh>", "", "ChatGPT"}})) {
    tiny_.info.vocabulary.special[kSpecial] = 1;
    export_checkpoint(tiny_, folder_ / "hf", "safetensors");
  }
  Json tokenizer() const { return Json::parse(read_file(folder_ / "hf" / "tokenizer.json")); }

  static constexpr size_t kSpecial = 1776;
  TemporaryFolder folder_;
  Checkpoint tiny_;
};

TEST_F(AddedTokens, KeepIdsAndFlagsInFilesAndBack) {
  const auto by_parts = open_checkpoint(folder_ / "hf");
  EXPECT_THAT(by_parts->warnings, IsEmpty());
  expect_same_model(*by_parts, tiny_);
  export_checkpoint(tiny_, folder_ / "ct2", "ctranslate2");
  expect_same_model(*open_checkpoint(folder_ / "ct2"), tiny_);
  // special_tokens_map.json and tokenizer_config.json say it too.
  std::filesystem::remove(folder_ / "hf/tokenizer.json");
  expect_same_model(*open_checkpoint(folder_ / "hf"), tiny_);
  std::filesystem::remove(folder_ / "hf/special_tokens_map.json");
  write_file(folder_ / "hf/tokenizer_config.json",
             R"({"added_tokens_decoder": {"1776": {"content": "<laugh>", "special": true},
                                          "1778": {"content": "ChatGPT", "special": false}}})");
  expect_same_model(*open_checkpoint(folder_ / "hf"), tiny_);
}

TEST_F(AddedTokens, StandInTokenizerJsonWithTheirIds) {
  const Json json = tokenizer();
  for (const auto& [id, content, special] :
       {std::tuple(1776, "<laugh>", true), std::tuple(1778, "ChatGPT", false),
        std::tuple(1775, "<|30.00|>", false), std::tuple(265, "<|startoftranscript|>", true)}) {
    const auto& added = json["added_tokens"];
    const auto found =
        std::ranges::find(added, content, [](const Json& t) { return t["content"]; });
    ASSERT_NE(found, added.end()) << content;
    EXPECT_EQ((*found)["id"], id);
    EXPECT_EQ((*found)["special"], special) << content;
  }
  // Row 1777 has no token, so counting alone would give that to ChatGPT.
  EXPECT_EQ(json["model"]["vocab"]["ChatGPT"], 1778);
  EXPECT_EQ(json["model"]["vocab"]["<|startoftranscript|>"], 265);
}

TEST_F(AddedTokens, AreWhatOtherFormatsCannotHold) {
  for (const char* format : {"ggml", "openai"}) {
    EXPECT_THAT(message_of([&] { export_checkpoint(tiny_, folder_ / format, format); }),
                HasSubstr("would lose 3 tokens from id 1776, \"<laugh>\", on"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / format));
  }
}

TEST_F(AddedTokens, WithoutARowAreLeftOut) {
  Json added = Json::parse(read_file(folder_ / "hf/added_tokens.json"));
  added["<more>"] = 1779;
  added["<most>"] = 99'999;
  write_file(folder_ / "hf/added_tokens.json", added.dump());
  const auto opened = open_checkpoint(folder_ / "hf");
  expect_same_model(*opened, tiny_);
  EXPECT_THAT(
      opened->warnings,
      ElementsAre(HasSubstr("the model has 1779 tokens; 2 more are left out: \"<more>\" (id "
                            "1779) and others.")));
}

TEST(Export, KeepsNamesOutOfPaths) {
  const TemporaryFolder folder;
  Checkpoint tiny = tiny_checkpoint();
  for (const auto& [name, file] :
       {std::pair("../../x", "ggml--..-x.bin"), std::pair("/etc/passwd", "ggml--etc-passwd.bin"),
        std::pair("..", "ggml-whisper.bin"), std::pair("a\nb:c", "ggml-a-b-c.bin"),
        std::pair("tiny.en", "ggml-tiny.en.bin")}) {
    tiny.info.name = name;
    export_checkpoint(tiny, folder / "out", "ggml");
    EXPECT_TRUE(std::filesystem::exists(folder / "out" / file)) << file;
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"out"});
}

TEST(Export, RefusesTheCheckpointsOwnFolder) {
  const TemporaryFolder folder;
  export_checkpoint(tiny_checkpoint(), folder.path(), "safetensors");
  const std::vector<std::string> names = folder.names();
  const auto opened = open_checkpoint(folder.path());
  for (const char* format : {"safetensors", "ctranslate2", "ggml"}) {
    EXPECT_THAT(message_of([&] { export_checkpoint(*opened, folder / ".", format); }),
                HasSubstr("is the folder of the checkpoint itself"));
  }
  EXPECT_EQ(folder.names(), names);
}

TEST(Export, RefusesAFolderWhereTheWeightsLie) {
  const TemporaryFolder folder;
  export_checkpoint(tiny_checkpoint(), folder / "weights", "safetensors");
  export_checkpoint(tiny_checkpoint(), folder / "model", "safetensors");
  const std::string good = read_file(folder / "weights/model.safetensors");
  for (const bool hard : {false, true}) {
    std::filesystem::remove(folder / "model/model.safetensors");
    if (hard) {
      std::filesystem::create_hard_link(folder / "weights/model.safetensors",
                                        folder / "model/model.safetensors");
    } else {
      std::filesystem::create_symlink("../weights/model.safetensors",
                                      folder / "model/model.safetensors");
    }
    const auto opened = open_checkpoint(folder / "model");
    EXPECT_THAT(
        message_of([&] { export_checkpoint(*opened, folder / "weights", "safetensors"); }),
        HasSubstr("weights/model.safetensors is a file of the checkpoint itself; export into "));
    EXPECT_EQ(read_file(folder / "weights/model.safetensors"), good);
  }
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
