// ggml .bin files of whisper.cpp: dimensions, mel filters, text tokens and tensors in one stream.
// Source of the layout: whisper.cpp src/whisper.cpp whisper_model_load and
// models/convert-pt-to-ggml.py.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "common/fail.h"
#include "common/file_kind.h"
#include "formats/byte_reader.h"
#include "formats/formats.h"
#include "formats/openai_names.h"
#include "vocabulary/byte_alphabet.h"
#include "vocabulary/generation.h"
#include "vocabulary/standard_vocabulary.h"
#include "vocabulary/vocabulary_builder.h"

namespace whisper_s4y {
namespace {

constexpr uint32_t kMagic = 0x67676d6c;
constexpr int kVersionFactor = 1000;  // ftype / 1000 is the version of the block formats
constexpr int kBlockVersion = 2;
constexpr uint32_t kMaxTokenBytes = 4096;
constexpr uint32_t kMaxNameBytes = 256;

std::optional<StorageType> storage_type(int32_t ggml_type) {
  switch (ggml_type) {
    case 0:
      return StorageType::f32;
    case 1:
      return StorageType::f16;
    case 2:
      return StorageType::q4_0;
    case 3:
      return StorageType::q4_1;
    case 6:
      return StorageType::q5_0;
    case 7:
      return StorageType::q5_1;
    case 8:
      return StorageType::q8_0;
    case 10:
      return StorageType::q2_k;
    case 11:
      return StorageType::q3_k;
    case 12:
      return StorageType::q4_k;
    case 13:
      return StorageType::q5_k;
    case 14:
      return StorageType::q6_k;
    case 30:
      return StorageType::bf16;
    default:
      return std::nullopt;
  }
}

// Of the matrices; numbered otherwise than the types of tensors (ggml.h: enum ggml_ftype).
StorageType matrix_type(int32_t ftype) {
  constexpr std::pair<int32_t, int32_t> kTypes[] = {{0, 0}, {2, 2}, {3, 3}, {7, 8}, {8, 6}, {9, 7}};
  const int32_t kind = ftype % kVersionFactor;
  const auto* found = std::ranges::find(kTypes, kind, &std::pair<int32_t, int32_t>::first);
  return storage_type(found == std::end(kTypes) ? kind : found->second).value_or(StorageType::f16);
}

// Sets `type` to that of the matrices.
ModelConfig read_dimensions(ByteReader& reader, StorageType& type) {
  const auto read = [&](std::string_view name) { return reader.read<int32_t>(name); };
  ModelConfig c;
  c.vocab_size = read("n_vocab");
  c.max_source_positions = read("n_audio_ctx");
  c.d_model = read("n_audio_state");
  c.encoder_attention_heads = read("n_audio_head");
  c.encoder_layers = read("n_audio_layer");
  c.max_target_positions = read("n_text_ctx");
  const int32_t text_state = read("n_text_state");
  c.decoder_attention_heads = read("n_text_head");
  c.decoder_layers = read("n_text_layer");
  c.num_mel_bins = read("n_mels");
  const int32_t ftype = read("ftype");
  if (text_state != c.d_model) {
    fail("{}: n_audio_state {} and n_text_state {} differ.", reader.source(), c.d_model,
         text_state);
  }
  if (c.d_model < 1 || c.d_model > INT32_MAX / 4) {
    fail("{}: n_audio_state is {}.", reader.source(), c.d_model);
  }
  c.encoder_ffn_dim = 4 * c.d_model;
  c.decoder_ffn_dim = 4 * c.d_model;
  validate_dimensions(c, reader.source());
  // Only files with block formats have a version; older blocks had another layout.
  const int version = ftype / kVersionFactor;
  if (ftype < 0 || (version != 0 && version != kBlockVersion)) {
    fail("{}: the quantisation is of version {}, expected {}; quantise the model again.",
         reader.source(), version, kBlockVersion);
  }
  type = matrix_type(ftype);
  return c;
}

// The filters are a function of the sampling rate and the number of bins; the product computes its
// own, exactly.
void skip_mel_filters(ByteReader& reader, int num_mel_bins) {
  const auto mels = reader.read<int32_t>("the number of mel filters");
  const auto bins = reader.read<int32_t>("the length of the mel filters");
  if (mels != num_mel_bins || bins < 1 || bins > 1 << 16) {
    fail("{}: the mel filters are {} x {}, expected {} rows.", reader.source(), mels, bins,
         num_mel_bins);
  }
  reader.take(uint64_t{sizeof(float)} * static_cast<uint64_t>(mels) * static_cast<uint64_t>(bins),
              "the mel filters");
}

// Text tokens by id, as raw bytes; of the special tokens none, <|endoftext|> or (converted from
// Hugging Face) more are named. Merges are not stored: their order is that of the ids.
Vocabulary read_vocabulary(ByteReader& reader, int vocab_size) {
  const auto count = reader.read<int32_t>("the number of tokens");
  if (count < 1 || count > vocab_size) {
    fail("{}: the vocabulary is said to have {} tokens, n_vocab is {}.", reader.source(), count,
         vocab_size);
  }
  // Each has at least its length; asking first keeps a short file from claiming memory.
  if (static_cast<uint64_t>(count) > reader.remaining() / sizeof(uint32_t)) {
    fail("{} is truncated: {} tokens at byte {} do not fit in {} bytes.", reader.source(), count,
         reader.offset(), reader.remaining());
  }
  Vocabulary vocabulary;
  const auto size = static_cast<size_t>(vocab_size);
  vocabulary.tokens.resize(size);
  vocabulary.special.resize(size);
  vocabulary.ranks.resize(size, -1);
  auto first_special = static_cast<size_t>(count);
  std::vector<std::string> named_special;
  for (size_t id = 0; id < static_cast<size_t>(count); ++id) {
    const auto length = reader.read<uint32_t>("a token");
    if (length > kMaxTokenBytes) {
      fail("{}: token {} at byte {} is said to have {} bytes.", reader.source(), id,
           reader.offset(), length);
    }
    const std::string_view token = reader.text(length, "a token");
    if (token == "<|endoftext|>") first_special = std::min(first_special, id);
    if (id >= first_special) {
      named_special.emplace_back(token);
      continue;
    }
    vocabulary.tokens[id] = token;
    if (length == 1) {
      vocabulary.ranks[id] = byte_rank(static_cast<uint8_t>(vocabulary.tokens[id][0]));
    } else if (length > 1) {
      vocabulary.ranks[id] = static_cast<int32_t>(id);
    }
  }
  name_special_tokens(vocabulary, first_special, reader.source());
  for (size_t i = 0; i < named_special.size(); ++i) {
    if (has_special_form(named_special[i])) {
      vocabulary.tokens[first_special + i] = std::move(named_special[i]);
    }
  }
  return vocabulary;
}

// Extents come fastest first. The biases of the convolutions are columns [n, 1].
std::vector<int64_t> read_shape(ByteReader& reader, int32_t dims) {
  std::vector<int64_t> shape(static_cast<size_t>(dims));
  for (size_t i = shape.size(); i-- > 0;) shape[i] = reader.read<int32_t>("the shape of a tensor");
  return shape;
}

// The size of a file whose matrices have the type of its ftype: convolutions stay float16, vectors
// and position tables float32. What comes before the tensors has `head` bytes.
uint64_t usual_file_size(const ModelConfig& config, StorageType type, uint64_t head) {
  constexpr uint64_t kNumbersOfTensor = 3;  // before the extents and the name
  uint64_t size = head;
  for (const ExpectedTensor& tensor : expected_tensors(config)) {
    const size_t rank = tensor.shape.size();
    const bool table = tensor.name.ends_with("embed_positions.weight");
    const StorageType stored = rank < 2 || table                       ? StorageType::f32
                               : rank == 3 && block_elements(type) > 1 ? StorageType::f16
                                                                       : type;
    const uint64_t elements = checked_elements(tensor.shape, "", tensor.name);
    size += sizeof(int32_t) * (kNumbersOfTensor + rank) + openai_name(tensor.name).size() +
            stored_bytes(stored, elements);
  }
  return size;
}

// `usual_size` is for messages.
TensorView read_tensor(ByteReader& reader, const std::shared_ptr<const MappedFile>& file,
                       uint64_t usual_size) {
  const uint64_t start = reader.offset();
  const auto dims = reader.read<int32_t>("a tensor");
  const auto name_length = reader.read<uint32_t>("a tensor");
  const auto ggml_type = reader.read<int32_t>("a tensor");
  if (dims < 1 || dims > 4 || name_length > kMaxNameBytes) {
    fail("{}: what stands at byte {} is no tensor ({} dimensions, a name of {} bytes).",
         reader.source(), start, dims, name_length);
  }
  TensorView tensor;
  tensor.shape = read_shape(reader, dims);
  tensor.name = reader.text(name_length, "the name of a tensor");
  const auto type = storage_type(ggml_type);
  if (!type) {
    fail("{}: tensor {} at byte {} has the unknown ggml type {}.", reader.source(), tensor.name,
         start, ggml_type);
  }
  tensor.type = *type;
  const uint64_t elements = checked_elements(tensor.shape, reader.source(), tensor.name);
  const uint64_t block = block_elements(tensor.type);
  if (static_cast<uint64_t>(tensor.shape.back()) % block != 0) {
    fail("{}: tensor {} at byte {} has rows of {} numbers, {} needs multiples of {}.",
         reader.source(), tensor.name, start, tensor.shape.back(), name_of(tensor.type), block);
  }
  const uint64_t bytes = stored_bytes(tensor.type, elements);
  if (bytes > reader.remaining()) {
    const uint64_t needed = reader.offset() + bytes;
    fail("{} is truncated in tensor {}: {} are there; download the file again.", reader.source(),
         tensor.name, part_of_bytes(file->bytes().size(), std::max(needed, usual_size)));
  }
  tensor.bytes = reader.take(bytes, tensor.name);
  tensor.file = file;
  const bool column = tensor.shape.size() == 2 && tensor.shape[1] == 1;
  if (column && tensor.name.ends_with(".bias")) tensor.shape.pop_back();
  return tensor;
}

}  // namespace

std::unique_ptr<Checkpoint> open_ggml(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  ByteReader reader(file->bytes(), path.string());
  if (reader.read<uint32_t>("the magic number") != kMagic) {
    fail("{} is not a ggml file.", path.string());
  }
  auto checkpoint = std::make_unique<Checkpoint>();
  checkpoint->format = "ggml";
  checkpoint->path = path;
  ModelInfo& info = checkpoint->info;
  StorageType type = StorageType::f16;
  info.config = read_dimensions(reader, type);
  skip_mel_filters(reader, info.config.num_mel_bins);
  info.vocabulary = read_vocabulary(reader, info.config.vocab_size);
  const uint64_t usual_size = usual_file_size(info.config, type, reader.offset());
  std::vector<TensorView> tensors;
  while (reader.remaining() > 0) {
    if (tensors.size() == kMaxTensors) {
      fail("{} has more than {} tensors.", path.string(), kMaxTensors);
    }
    tensors.push_back(read_tensor(reader, file, usual_size));
  }
  if (tensors.empty()) fail("{} has a vocabulary but no tensors.", path.string());
  add_openai_tensors(std::move(tensors), *checkpoint);
  check_tensors(*checkpoint);
  complete_generation(info, std::nullopt, path);
  validate(info, path.string());
  return checkpoint;
}

}  // namespace whisper_s4y
