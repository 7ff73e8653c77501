#include "formats/tiny_checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "checkpoint/layout.h"
#include "common/half.h"
#include "formats/open_checkpoint.h"
#include "support/errors.h"
#include "vocabulary/byte_alphabet.h"
#include "vocabulary/generation.h"
#include "vocabulary/standard_vocabulary.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

constexpr size_t kLanguages = 3;

// All bytes, some merges, the empty token of the multilingual vocabulary, special tokens.
Vocabulary small_vocabulary() {
  const std::vector<std::string> merged = {" t", " a", "he", "in", " the", "re", "\xE2\x99"};
  const size_t text = 256 + merged.size() + 1;
  Vocabulary v;
  const size_t size = text + 2 + kLanguages + 6 + 1501;
  v.tokens.resize(size);
  v.special.resize(size);
  v.ranks.resize(size, -1);
  for (int byte = 0; byte < 256; ++byte) {
    v.tokens[static_cast<size_t>(byte_rank(static_cast<uint8_t>(byte)))] =
        std::string(1, static_cast<char>(byte));
  }
  for (size_t i = 0; i < merged.size(); ++i) v.tokens[256 + i] = merged[i];
  for (size_t id = 0; id + 1 < text; ++id) v.ranks[id] = static_cast<int32_t>(id);
  name_special_tokens(v, text, "the tiny vocabulary");
  return v;
}

TensorView random_tensor(const ExpectedTensor& expected, StorageType type, std::mt19937& random) {
  TensorView view;
  view.name = expected.name;
  view.type = type;
  view.shape = expected.shape;
  std::vector<float> values(static_cast<size_t>(view.elements()));
  // Multiples of 1/64 with 7 bits: exact in every float type.
  std::uniform_int_distribution<int> distribution(-127, 127);
  for (float& value : values) value = static_cast<float>(distribution(random)) / 64.0F;

  std::vector<std::byte> bytes;
  if (type == StorageType::f32) {
    const auto raw = std::as_bytes(std::span(values));
    bytes.assign(raw.begin(), raw.end());
  } else {
    std::vector<uint16_t> halves(values.size());
    if (type == StorageType::f16) {
      float_to_half(values, halves);
    } else {
      for (size_t i = 0; i < values.size(); ++i) {
        uint32_t bits;
        std::memcpy(&bits, &values[i], sizeof(bits));
        halves[i] = static_cast<uint16_t>(bits >> 16);
      }
    }
    const auto raw = std::as_bytes(std::span(halves));
    bytes.assign(raw.begin(), raw.end());
  }
  view.copy = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  view.bytes = *view.copy;
  return view;
}

bool is_sentence(const std::string& message) {
  return message.size() > 10 && message.ends_with('.') && message.find('\n') == std::string::npos;
}

}  // namespace

Checkpoint tiny_checkpoint(const TinyOptions& options) {
  Checkpoint checkpoint;
  ModelInfo& info = checkpoint.info;
  info.vocabulary = options.standard_vocabulary ? standard_vocabulary(51865, "the tiny checkpoint")
                                                : small_vocabulary();
  for (const std::string& token : options.more_tokens) {
    info.vocabulary.tokens.push_back(token);
    info.vocabulary.special.push_back(0);
    info.vocabulary.ranks.push_back(-1);
  }
  info.config = {.vocab_size = static_cast<int>(info.vocabulary.tokens.size()),
                 .num_mel_bins = 80,
                 .d_model = options.d_model,
                 .encoder_layers = 2,
                 .encoder_attention_heads = 2,
                 .encoder_ffn_dim = 4 * options.d_model,
                 .decoder_layers = 1,
                 .decoder_attention_heads = 2,
                 .decoder_ffn_dim = 4 * options.d_model,
                 .max_source_positions = 30,
                 .max_target_positions = 16};
  complete_generation(info, true, "tiny");
  validate(info, "the tiny checkpoint");
  checkpoint.format = "memory";
  checkpoint.path = "tiny";
  std::mt19937 random(options.seed);
  for (const ExpectedTensor& tensor : expected_tensors(info.config)) {
    checkpoint.tensors.emplace(tensor.name, random_tensor(tensor, options.type, random));
  }
  return checkpoint;
}

std::vector<float> values_of(const TensorView& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  tensor.read_rows(0, tensor.rows(), values);
  return values;
}

void expect_same_model(const Checkpoint& actual, const Checkpoint& expected) {
  EXPECT_EQ(to_json(actual.info.config, actual.info.generation),
            to_json(expected.info.config, expected.info.generation));
  EXPECT_TRUE(actual.info.vocabulary == expected.info.vocabulary);
  EXPECT_EQ(actual.tensors.size(), expected.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    ASSERT_TRUE(actual.has(name)) << name;
    EXPECT_EQ(actual.tensor(name).name, name);
    EXPECT_EQ(actual.tensor(name).shape, tensor.shape) << name;
    EXPECT_TRUE(values_of(actual.tensor(name)) == values_of(tensor)) << name;
  }
}

void expect_damages_reported(const std::filesystem::path& path,
                             const std::filesystem::path& checkpoint,
                             const std::vector<Damage>& damages) {
  const std::string good = read_file(path);
  for (const Damage& damage : damages) {
    std::string bytes = good;
    damage.apply(bytes);
    write_file(path, bytes);
    const std::string message = message_of([&] { static_cast<void>(open_checkpoint(checkpoint)); });
    EXPECT_NE(message.find(damage.expected), std::string::npos) << damage.name << ": " << message;
    EXPECT_TRUE(is_sentence(message)) << damage.name << ": " << message;
  }
  write_file(path, good);
}

void expect_robust(const std::filesystem::path& path, const std::filesystem::path& checkpoint,
                   size_t header) {
  const std::string good = read_file(path);
  for (int i = 0; i < 200; ++i) {
    // Half of the cuts inside the header, half anywhere.
    const size_t end = i % 2 == 0 ? header : good.size();
    const size_t size = end * static_cast<size_t>(i) / 200;
    write_file(path, std::string_view(good).substr(0, size));
    const std::string message = message_of([&] { static_cast<void>(open_checkpoint(checkpoint)); });
    EXPECT_TRUE(is_sentence(message)) << "cut to " << size << " bytes: " << message;
  }
  std::mt19937 random(7);
  for (int i = 0; i < 400; ++i) {
    std::string bytes = good;
    for (uint32_t flips = random() % 4 + 1; flips > 0; --flips) {
      bytes[random() % header] = static_cast<char>(random());
    }
    write_file(path, bytes);
    const std::string message = message_of([&] { static_cast<void>(open_checkpoint(checkpoint)); });
    EXPECT_TRUE(message == "no error" || is_sentence(message)) << message;
  }
  write_file(path, good);
}

void replace_once(std::string& bytes, std::string_view from, std::string_view to) {
  const size_t at = bytes.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  bytes.replace(at, from.size(), to);
}

void overwrite(std::string& bytes, size_t offset, std::string_view with) {
  ASSERT_LE(offset + with.size(), bytes.size());
  bytes.replace(offset, with.size(), with);
}

}  // namespace whisper_s4y
