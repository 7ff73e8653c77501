#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "common/half.h"
#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "support/errors.h"
#include "vocabulary/byte_alphabet.h"

namespace whisper_s4y {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A model.bin taken apart and put together again, in any version.
struct Ct2Parts {
  struct Variable {
    std::vector<uint32_t> shape;
    uint8_t type;
    std::string bytes;
  };
  std::map<std::string, Variable> variables;
  std::vector<std::pair<std::string, std::string>> aliases;

  explicit Ct2Parts(const std::string& file) {
    size_t at = 4 + 2 + sizeof("WhisperSpec") + 4;
    const auto number = [&]<typename Number>(Number value) {
      std::memcpy(&value, file.data() + at, sizeof(value));
      at += sizeof(value);
      return value;
    };
    const auto text = [&] {
      const auto length = number(uint16_t{});
      at += length;
      return file.substr(at - length, length - size_t{1});
    };
    for (auto count = number(uint32_t{}); count > 0; --count) {
      const std::string name = text();
      Variable& variable = variables[name];
      for (auto rank = number(uint8_t{}); rank > 0; --rank) {
        variable.shape.push_back(number(uint32_t{}));
      }
      variable.type = number(uint8_t{});
      const auto size = number(uint32_t{});
      variable.bytes = file.substr(at, size);
      at += size;
    }
    for (auto count = number(uint32_t{}); count > 0; --count) {
      const std::string alias = text();
      aliases.emplace_back(alias, text());
    }
    EXPECT_EQ(at, file.size());
  }

  [[nodiscard]] std::string join(uint32_t version = 6) const {
    const auto text = [](const std::string& string) {
      return bytes_of(static_cast<uint16_t>(string.size() + 1)) + string + '\0';
    };
    std::string file = bytes_of(version) + text("WhisperSpec") + bytes_of(uint32_t{3}) +
                       bytes_of(static_cast<uint32_t>(variables.size()));
    for (const auto& [name, variable] : variables) {
      file += text(name) + static_cast<char>(variable.shape.size());
      for (const uint32_t extent : variable.shape) file += bytes_of(extent);
      const uint32_t item = variable.type == 0 ? 4 : variable.type == 1 ? 1 : 2;
      const auto size = static_cast<uint32_t>(variable.bytes.size());
      file += version >= 4 ? static_cast<char>(variable.type) : static_cast<char>(item);
      file += bytes_of(version >= 4 ? size : size / item) + variable.bytes;
    }
    if (version < 3) return file;
    file += bytes_of(static_cast<uint32_t>(aliases.size()));
    for (const auto& [alias, target] : aliases) file += text(alias) + text(target);
    return file;
  }
};

class CTranslate2 : public testing::Test {
 protected:
  CTranslate2() : tiny_(tiny_checkpoint()) {
    export_checkpoint(tiny_, folder_.path(), "ctranslate2");
  }
  std::filesystem::path model() const { return folder_ / "model.bin"; }
  Ct2Parts parts() const { return Ct2Parts(read_file(model())); }
  std::string open_message() {
    return message_of([&] { static_cast<void>(open_checkpoint(folder_.path())); });
  }

  TemporaryFolder folder_;
  Checkpoint tiny_;
};

// The same with float32 variables, which the exporter writes only for values that need them.
class CTranslate2Float : public CTranslate2 {
 protected:
  CTranslate2Float() {
    Ct2Parts wide = parts();
    for (auto& [name, variable] : wide.variables) {
      if (variable.type != 4) continue;
      std::vector<uint16_t> halves(variable.bytes.size() / 2);
      std::memcpy(halves.data(), variable.bytes.data(), variable.bytes.size());
      std::vector<float> values(halves.size());
      half_to_float(halves, values);
      variable.type = 0;
      variable.bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * 4);
    }
    write_file(model(), wide.join());
  }
};

TEST_F(CTranslate2, OpensFolderAndFile) {
  const auto folder = open_checkpoint(folder_.path());
  EXPECT_EQ(folder->format, "ctranslate2");
  expect_same_model(*folder, tiny_);
  expect_same_model(*open_checkpoint(model()), tiny_);
}

TEST_F(CTranslate2, ReadsBfloat16) {
  export_checkpoint(tiny_checkpoint({.type = StorageType::bf16}), folder_ / "bf16", "ctranslate2");
  const auto opened = open_checkpoint(folder_ / "bf16");
  expect_same_model(*opened, tiny_);
  EXPECT_EQ(opened->tensor("encoder.conv1.bias").type, StorageType::bf16);
}

TEST_F(CTranslate2Float, ReadsFloat32) {
  const auto opened = open_checkpoint(model());
  expect_same_model(*opened, tiny_);
  EXPECT_EQ(opened->tensor("encoder.conv1.bias").type, StorageType::f32);
}

TEST_F(CTranslate2Float, ReadsOldVersions) {
  const Ct2Parts newest = parts();
  for (const uint32_t version : {5U, 4U, 3U, 2U}) {
    Ct2Parts old = newest;
    if (version < 3) {  // no aliases yet
      old.variables["decoder/projection/weight"] = old.variables["decoder/embeddings/weight"];
    }
    write_file(model(), old.join(version));
    expect_same_model(*open_checkpoint(model()), tiny_);
  }
}

// Quantises as the converter does: scale = 127 / max|row|, stored = round(w * scale).
TEST_F(CTranslate2Float, ReadsInt8) {
  Ct2Parts quantised = parts();
  for (auto& [name, variable] : parts().variables) {
    if (!name.ends_with("/weight") || variable.shape.size() < 2) continue;
    const size_t rows = variable.shape[0];
    std::vector<float> values(variable.bytes.size() / 4);
    std::memcpy(values.data(), variable.bytes.data(), variable.bytes.size());
    const size_t width = values.size() / rows;
    std::string stored;
    std::string scales;
    for (size_t row = 0; row < rows; ++row) {
      float largest = 0;
      for (size_t i = 0; i < width; ++i) {
        largest = std::max(largest, std::abs(values[row * width + i]));
      }
      const float scale = largest == 0 ? 1.0F : 127.0F / largest;
      scales += bytes_of(scale);
      for (size_t i = 0; i < width; ++i) {
        stored += static_cast<char>(std::lround(values[row * width + i] * scale));
      }
    }
    quantised.variables[name] = {variable.shape, 1, stored};
    quantised.variables[name + "_scale"] = {{static_cast<uint32_t>(rows)}, 0, scales};
  }
  write_file(model(), quantised.join());
  const auto opened = open_checkpoint(model());
  EXPECT_EQ(opened->info.generation, tiny_.info.generation);
  for (const auto& [name, tensor] : tiny_.tensors) {
    const TensorView& found = opened->tensor(name);
    const bool matrix = tensor.shape.size() > 1 && !name.ends_with("embed_positions.weight");
    EXPECT_EQ(found.type, matrix ? StorageType::i8 : StorageType::f32) << name;
    const std::vector<float> expected = values_of(tensor);
    const std::vector<float> actual = values_of(found);
    const auto width = static_cast<size_t>(tensor.row_size());
    for (size_t i = 0; i < expected.size(); ++i) {
      // Half a step of the row: of its largest value / 127.
      const float* row = &expected[i / width * width];
      float largest = 0;
      for (size_t k = 0; k < width; ++k) largest = std::max(largest, std::abs(row[k]));
      ASSERT_NEAR(actual[i], expected[i], largest / 127 * 0.5001F) << name << " " << i;
    }
    if (tensor.rows() > 1 && matrix) {  // rows in the middle have their own scales
      std::vector<float> last(width);
      found.read_rows(tensor.rows() - 1, 1, last);
      EXPECT_TRUE(std::equal(last.begin(), last.end(), actual.end() - static_cast<long>(width)));
    }
  }
}

TEST_F(CTranslate2Float, ReadsInt16WithOneScale) {
  Ct2Parts quantised = parts();
  const std::string name = "encoder/layer_0/ffn/linear_0/weight";
  Ct2Parts::Variable& variable = quantised.variables[name];
  std::vector<float> values(variable.bytes.size() / 4);
  std::memcpy(values.data(), variable.bytes.data(), variable.bytes.size());
  std::string stored;
  for (const float value : values) stored += bytes_of(static_cast<int16_t>(value * 64));
  variable = {variable.shape, 2, stored};
  quantised.variables[name + "_scale"] = {{}, 0, bytes_of(64.0F)};
  write_file(model(), quantised.join());
  expect_same_model(*open_checkpoint(model()), tiny_);
}

TEST_F(CTranslate2, FollowsAliasesOfAnyVariable) {
  Ct2Parts shared = parts();
  shared.variables["encoder/layer_1/ffn/layer_norm/beta"] =
      shared.variables["encoder/layer_0/ffn/layer_norm/beta"];
  TemporaryFolder other;
  std::filesystem::copy(folder_.path(), other.path());
  write_file(other / "model.bin", shared.join());
  const auto expected = open_checkpoint(other.path());
  shared.variables.erase("encoder/layer_1/ffn/layer_norm/beta");
  shared.aliases.emplace_back("encoder/layer_1/ffn/layer_norm/beta",
                              "encoder/layer_0/ffn/layer_norm/beta");
  write_file(model(), shared.join());
  expect_same_model(*open_checkpoint(model()), *expected);
}

TEST_F(CTranslate2, ReadsTheVocabularyWithoutATokenizer) {
  std::filesystem::remove(folder_ / "tokenizer.json");
  expect_same_model(*open_checkpoint(model()), tiny_);
  std::string lines;
  for (size_t id = 0; id < tiny_.info.vocabulary.tokens.size(); ++id) {
    const std::string& token = tiny_.info.vocabulary.tokens[id];
    const bool special = tiny_.info.vocabulary.special[id] != 0;
    lines += (special ? token : encode_byte_alphabet(token)) + "\n";
  }
  std::filesystem::remove(folder_ / "vocabulary.json");
  EXPECT_THAT(open_message(), HasSubstr("no vocabulary"));
  write_file(folder_ / "vocabulary.txt", lines);
  expect_same_model(*open_checkpoint(model()), tiny_);
  write_file(folder_ / "vocabulary.txt", lines + "more\n");
  const auto opened = open_checkpoint(model());
  expect_same_model(*opened, tiny_);
  EXPECT_THAT(opened->warnings, ElementsAre(HasSubstr("1 more is left out: \"more\" (id 1776).")));
}

TEST_F(CTranslate2, NeedsNoConfig) {
  std::filesystem::remove(folder_ / "config.json");
  expect_same_model(*open_checkpoint(model()), tiny_);
}

TEST_F(CTranslate2, ReportsWrongVariables) {
  using Variables = std::map<std::string, Ct2Parts::Variable>;
  struct Case {
    std::string name;
    std::function<void(Variables&)> apply;
    std::string expected;
  };
  const std::string bias = "encoder/layer_0/self_attention/linear_0/bias";
  const std::string fc = "encoder/layer_0/ffn/linear_0/weight";
  const Case cases[] = {
      {"missing", [&](Variables& v) { v.erase(bias); }, "no variable " + bias},
      {"extra layer", [&](Variables& v) { v["encoder/layer_2/ffn/linear_0/weight"] = v[fc]; },
       "encoder/layer_2"},
      {"int32 weight",
       [&](Variables& v) {
         v[fc] = {{32, 4}, 3, std::string(512, 'x')};
       },
       "int32"},
      {"no scale",
       [&](Variables& v) {
         v[fc] = {{32, 8}, 1, std::string(256, 'x')};
       },
       "no variable " + fc + "_scale"},
      {"scale of zero",
       [&](Variables& v) {
         v[fc] = {{32, 8}, 1, std::string(256, 'x')};
         v[fc + "_scale"] = {{32}, 0, std::string(128, '\0')};
       },
       "expected a positive number"},
      {"too few scales",
       [&](Variables& v) {
         v[fc] = {{32, 8}, 1, std::string(256, 'x')};
         v[fc + "_scale"] = {{31}, 0, std::string(124, 'x')};
       },
       "one float32 scale for each of 32 rows"},
      {"zero points",
       [&](Variables& v) {
         v[fc + "_zero"] = {{32}, 1, std::string(32, 'x')};
       },
       "AWQ"},
      {"fused shape",
       [&](Variables& v) {
         v[bias].shape = {4, 6};
       },
       "has the shapes"},
      {"linear shape",
       [&](Variables& v) {
         v[fc].shape = {8, 32};
       },
       "has the shape"},
      {"rank",
       [](Variables& v) {
         v["encoder/conv1/weight"].shape = {8, 240};
       },
       "3 dimensions"},
      {"not pre-norm", [](Variables& v) { v["decoder/pre_norm"].bytes = std::string(1, '\0'); },
       "decoder/pre_norm is 0"},
      {"activation", [](Variables& v) { v["decoder/activation"].bytes = "\2"; },
       "decoder/activation is 2"},
      {"heads", [](Variables& v) { v["encoder/num_heads"].bytes = bytes_of(int16_t{3}); },
       "not a multiple"},
      {"heads are a float",
       [](Variables& v) {
         v["encoder/num_heads"] = {{}, 0, bytes_of(2.0F)};
       },
       "whole number"},
      {"untied",
       [](Variables& v) {
         v["decoder/projection/weight"] = v["decoder/embeddings/weight"];
         v["decoder/projection/weight"].bytes[5] ^= 1;
       },
       "appears twice"},
  };
  const Ct2Parts good = parts();
  for (const Case& wrong : cases) {
    Ct2Parts bad = good;
    wrong.apply(bad.variables);
    write_file(model(), bad.join());
    EXPECT_THAT(open_message(), HasSubstr(wrong.expected)) << wrong.name;
  }
}

TEST_F(CTranslate2, WarnsOfWhatItIgnores) {
  Ct2Parts more = parts();
  more.variables["encoder/layer_0/self_attention/linear_0/bias"].bytes[2 * 9] = 1;  // of the keys
  more.variables["encoder/extra"] = {{1}, 0, "1234"};
  write_file(model(), more.join());
  write_file(folder_ / "config.json", R"({"alignment_heads": [[9, 0]], "suppress_ids": 7})");
  const auto opened = open_checkpoint(model());
  expect_same_model(*opened, tiny_);
  EXPECT_THAT(opened->warnings,
              ElementsAre(HasSubstr("ignored: encoder/extra."),
                          AllOf(HasSubstr("1 bias of keys is ignored"), HasSubstr("softmax")),
                          HasSubstr("config.json: the field suppress_ids is not a list"),
                          HasSubstr("of alignment_heads 1 pair is left out")));
  write_file(folder_ / "config.json", "{");
  EXPECT_THAT(open_checkpoint(model())->warnings,
              testing::Contains(HasSubstr("config.json is not")));
}

TEST_F(CTranslate2, ReadsAnOutputMatrixOfItsOwn) {
  Ct2Parts untied = parts();
  untied.aliases.clear();
  Ct2Parts::Variable matrix = untied.variables["decoder/embeddings/weight"];
  matrix.bytes[5] ^= 1;
  untied.variables["decoder/projection/weight"] = matrix;
  write_file(model(), untied.join());
  const auto opened = open_checkpoint(model());
  EXPECT_EQ(bytes_of(opened->tensor("proj_out.weight")), matrix.bytes);
  EXPECT_TRUE(opened->warnings.empty());
}

TEST_F(CTranslate2, ReportsDamage) {
  const auto at = [](size_t offset, std::string with) {
    return [=](std::string& bytes) { overwrite(bytes, offset, with); };
  };
  constexpr size_t kCount = 22;  // the number of variables
  constexpr size_t kFirst = 26;  // the first variable, decoder/activation: an int8 scalar
  constexpr size_t kRank = kFirst + 2 + sizeof("decoder/activation");
  const std::vector<Damage> damages = {
      {"version", at(0, bytes_of(uint32_t{7})), "binary version 7"},
      {"first version", at(0, bytes_of(uint32_t{1})), "binary version 1"},
      {"other model", [](std::string& b) { replace_once(b, "WhisperSpec", "WhimperSpec"); },
       "type WhimperSpec"},
      {"no NUL", at(17, "x"), "not a string that ends with NUL"},
      {"more variables", at(kCount, bytes_of(uint32_t{100'000})), ""},
      {"4 billion variables", at(kCount, bytes_of(~uint32_t{0})), ""},
      {"fewer variables", at(kCount, bytes_of(uint32_t{5})), ""},
      {"no variables", at(kCount, bytes_of(uint32_t{0})), ""},
      {"name past the end", at(kFirst, bytes_of(uint16_t{65535})), ""},
      {"empty name", at(kFirst, bytes_of(uint16_t{0})), "not a string that ends with NUL"},
      {"rank", at(kRank, "\xFF"), "255 dimensions"},
      {"type", at(kRank + 1, "\x09"), "unknown type 9"},
      {"size", at(kRank + 2, bytes_of(uint32_t{2})), "needs 1 bytes, 2 are"},
      {"huge size", at(kRank + 2, bytes_of(uint32_t{4'000'000'000})), "needs 1 bytes"},
      {"huge shape",
       [](std::string& b) {
         const size_t shape = b.find("decoder/embeddings/weight") + 27;
         overwrite(b, shape, bytes_of(~uint32_t{0}) + bytes_of(~uint32_t{0}));
       },
       "impossible shape"},
      {"wrong shape",
       [](std::string& b) {
         overwrite(b, b.find("decoder/embeddings/weight") + 27, bytes_of(uint32_t{77}));
       },
       "needs"},
      {"duplicate",
       [](std::string& b) {
         replace_once(b, "encoder/layer_1/ffn/linear_0/bias", "encoder/layer_0/ffn/linear_0/bias");
       },
       "appears twice"},
      {"renamed",
       [](std::string& b) {
         replace_once(b, "encoder/layer_1/ffn/linear_0/bias", "encoder/layer_1/ffn/linear_0/bia_");
       },
       "no variable encoder/layer_1/ffn/linear_0/bias"},
      {"aliases past the end",
       [](std::string& b) {
         overwrite(b, b.rfind("decoder/projection/weight") - 6, bytes_of(uint32_t{9}));
       },
       "is truncated"},
      {"alias without target",
       [](std::string& b) { b.replace(b.rfind("embeddings"), 10, "embeddingz"); },
       "which is not there"},
      {"trailing byte", [](std::string& b) { b += 'x'; }, "1 bytes follow"},
      {"cut in the aliases", [](std::string& b) { b.resize(b.size() - 3); }, "is truncated"},
      {"cut in the middle", [](std::string& b) { b.resize(b.size() / 2); }, "is truncated"},
      {"cut in the header", [](std::string& b) { b.resize(24); }, "is truncated"},
      {"empty", [](std::string& b) { b.clear(); }, "is empty"},
  };
  expect_damages_reported(model(), folder_.path(), damages);
}

TEST_F(CTranslate2, SurvivesCutsAndFlips) { expect_robust(model(), folder_.path(), 400); }

TEST_F(CTranslate2, ReportsADamagedTokenizer) {
  // That would stand in for it.
  write_file(folder_ / "tokenizer.json", "{");
  const auto opened = open_checkpoint(model());
  expect_same_model(*opened, tiny_);
  EXPECT_THAT(opened->warnings, ElementsAre(HasSubstr("taken from vocabulary.json instead.")));
  export_checkpoint(tiny_, folder_.path() / "again", "ctranslate2");
  std::filesystem::rename(folder_ / "again/tokenizer.json", folder_ / "tokenizer.json");
  std::filesystem::remove(folder_ / "vocabulary.json");
  const auto json = [](const char* from, const char* to) {
    return [=](std::string& bytes) { replace_once(bytes, from, to); };
  };
  const std::vector<Damage> damages = {
      {"empty", [](std::string& b) { b.clear(); }, "not valid JSON"},
      {"cut off", [](std::string& b) { b.resize(b.size() / 2); }, "not valid JSON at byte"},
      {"bad UTF-8", json("\"<|en|>\"", "\"<|\xFF\xFE|>\""), "not valid JSON at byte"},
      {"other type", json("\"type\":\"BPE\"", "\"type\":\"Unigram\""), "of type Unigram"},
      {"vocab list", json("\"vocab\":{", "\"vocab\":[],\"x\":{"), "a list is not expected"},
      {"no vocab", json("\"vocab\":{", "\"wocab\":{"), "is not a token"},
      {"id past the end", json("\"!\":0", "\"!\":99999"), "no token for the byte 0x21"},
      {"negative id", json("\"!\":0", "\"!\":-1"), "a negative number"},
      {"id twice", json("\"!\":0", "\"!\":1"), "given twice"},
      {"text as id", json("\"!\":0", "\"!\":\"0\""), "a string"},
      {"not the alphabet", json("\"!\":0", "\"\xE4\xB8\xAD\":0"), "not in the byte alphabet"},
      {"merge of three", json("\"h e\"", "\"h e e\""), "not two tokens"},
      {"merge of one", json("\"h e\"", "\"he\""), "not a pair"},
      {"unknown merge", json("\"h e\"", "\"q z\""), "is not a token"},
      {"merge of lists", json("\"h e\"", "[\"h\"]"), "not a pair"},
      {"merge of numbers", json("\"h e\"", "5"), "a number"},
      {"added id", json("\"content\":\"<|en|>\"", "\"c\":\"<|en|>\""), "without content or id"},
      {"added twice", json("\"content\":\"<|en|>\"", "\"content\":\"<|zh|>\",\"id\":3"),
       "given twice"},
      {"no end", json("\"content\":\"<|endoftext|>\"", "\"content\":\"<|endoftexx|>\""),
       "eos_token_id is -1"},
      {"no start",
       json("\"content\":\"<|startoftranscript|>\"", "\"content\":\"<|startoftranscripx|>\""),
       "decoder_start_token_id is -1"},
  };
  expect_damages_reported(folder_ / "tokenizer.json", folder_.path(), damages);
}

TEST_F(CTranslate2, AcceptsMergesAsPairs) {
  std::string json = read_file(folder_ / "tokenizer.json");
  replace_once(json, "\"h e\"", "[\"h\",\"e\"]");
  write_file(folder_ / "tokenizer.json", json);
  expect_same_model(*open_checkpoint(model()), tiny_);
}

}  // namespace
}  // namespace whisper_s4y
