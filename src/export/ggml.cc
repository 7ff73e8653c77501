// ggml-NAME.bin of whisper.cpp, as models/convert-pt-to-ggml.py writes it.
#include <algorithm>

#include "checkpoint/layout.h"
#include "common/fail.h"
#include "config/mel_filters.h"
#include "export/writers.h"
#include "formats/openai_names.h"
#include "vocabulary/standard_vocabulary.h"

namespace whisper_s4y {
namespace {

template <typename Number>
void put(OutputFile& file, Number number) {
  file.write(std::as_bytes(std::span(&number, 1)));
}

// whisper.cpp counts the special tokens from the end of the text tokens.
void check_special_tokens(const ModelInfo& info, const std::string& path) {
  const auto first = static_cast<size_t>(info.generation.eos_token_id);
  Vocabulary expected = info.vocabulary;
  name_special_tokens(expected, first, path);
  if (expected != info.vocabulary) {
    fail("{} would lose the names of the special tokens: they are not in Whisper's order.", path);
  }
}

void write_header(OutputFile& file, const ModelConfig& c, bool f16) {
  put(file, uint32_t{0x67676d6c});
  for (const int32_t field :
       {c.vocab_size, c.max_source_positions, c.d_model, c.encoder_attention_heads,
        c.encoder_layers, c.max_target_positions, c.d_model, c.decoder_attention_heads,
        c.decoder_layers, c.num_mel_bins, f16 ? 1 : 0}) {
    put(file, field);
  }
  const std::vector<float> filters = mel_filters(c.num_mel_bins);
  put(file, int32_t{c.num_mel_bins});
  put(file, static_cast<int32_t>(filters.size() / static_cast<size_t>(c.num_mel_bins)));
  file.write(std::as_bytes(std::span(filters)));
}

void write_text_tokens(OutputFile& file, const ModelInfo& info) {
  const int count = info.generation.eos_token_id;
  put(file, int32_t{count});
  for (int id = 0; id < count; ++id) {
    const std::string& token = info.vocabulary.tokens[static_cast<size_t>(id)];
    put(file, static_cast<uint32_t>(token.size()));
    file.write(token);
  }
}

// Vectors and position tables stay float32; the loader expects exactly that.
bool is_matrix(const ExpectedTensor& tensor) {
  return tensor.shape.size() > 1 && !tensor.name.ends_with("embed_positions.weight");
}

void write_tensor(OutputFile& file, const ExpectedTensor& expected, const TensorView& tensor,
                  bool f16) {
  std::vector<int64_t> shape = expected.shape;
  const bool column =
      expected.name == "encoder.conv1.bias" || expected.name == "encoder.conv2.bias";
  if (column) shape.push_back(1);
  std::ranges::reverse(shape);
  const std::string name = openai_name(expected.name);
  const bool half = f16 && is_matrix(expected);
  put(file, static_cast<int32_t>(shape.size()));
  put(file, static_cast<int32_t>(name.size()));
  put(file, int32_t{half ? 1 : 0});
  for (const int64_t extent : shape) put(file, static_cast<int32_t>(extent));
  file.write(name);
  for_each_piece(tensor, half ? StorageType::f16 : StorageType::f32,
                 [&](std::span<const std::byte> piece) { file.write(piece); });
}

}  // namespace

void export_ggml(const Checkpoint& checkpoint, const std::filesystem::path& dir) {
  const ModelInfo& info = checkpoint.info;
  const std::filesystem::path path = dir / ("ggml-" + file_name_of(info.name) + ".bin");
  check_four_times(info.config, path.string());
  check_tied(checkpoint, path);
  check_no_more_tokens(info, path);
  check_special_tokens(info, path.string());
  const bool f16 = export_type(checkpoint) == StorageType::f16;
  OutputFile file(path);
  write_header(file, info.config, f16);
  write_text_tokens(file, info);
  for (const ExpectedTensor& expected : expected_tensors(info.config)) {
    write_tensor(file, expected, checkpoint.tensor(expected.name), f16);
  }
  file.commit();
}

}  // namespace whisper_s4y
