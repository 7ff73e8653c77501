#include "formats/torch_writer.h"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>

#include "formats/openai_names.h"
#include "formats/tiny_checkpoint.h"

namespace whisper_s4y {
namespace pickle {

std::string text(std::string_view value) {
  return "X" + bytes_of(static_cast<uint32_t>(value.size())) + std::string(value);
}

std::string number(int64_t value) {
  if (value == static_cast<int32_t>(value)) return "J" + bytes_of(static_cast<int32_t>(value));
  return "\x8a\x08" + bytes_of(value);
}

std::string tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}

std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += text(key) + value;
  return out + "u";
}

std::string ordered_dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = call(global("collections", "OrderedDict"), ")") + "(";
  for (const auto& [key, value] : items) out += text(key) + value;
  return out + "u";
}

std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

std::string call(const std::string& function, const std::string& arguments) {
  return function + arguments + "R";
}

std::string storage(std::string_view storage_class, std::string_view key, int64_t elements,
                    bool legacy) {
  std::vector<std::string> id = {text("storage"), global("torch", storage_class), text(key),
                                 text("cpu"), number(elements)};
  if (legacy) id.emplace_back("N");
  return tuple(id) + "Q";
}

std::string tensor(const std::string& storage, int64_t offset, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& strides) {
  const auto numbers = [](const std::vector<int64_t>& values) {
    std::vector<std::string> items;
    for (const int64_t value : values) items.push_back(number(value));
    return tuple(items);
  };
  return call(
      global("torch._utils", "_rebuild_tensor_v2"),
      tuple({storage, number(offset), numbers(shape), numbers(strides), "\x89", ordered_dict({})}));
}

std::string document(const std::string& value) { return "\x80\x02" + value + "."; }

}  // namespace pickle

std::string zip_of(const std::vector<ZipEntry>& entries) {
  std::string file;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    const auto crc = static_cast<uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(entry.bytes.data()), entry.bytes.size()));
    const uint32_t size =
        entry.claimed != 0 ? entry.claimed : static_cast<uint32_t>(entry.bytes.size());
    const auto packed = static_cast<uint32_t>(entry.method == 0 ? size : entry.bytes.size());
    const std::string common = bytes_of(uint16_t{20}) + bytes_of(entry.flags) +
                               bytes_of(entry.method) + bytes_of(uint32_t{0}) + bytes_of(crc) +
                               bytes_of(packed) + bytes_of(size) +
                               bytes_of(static_cast<uint16_t>(entry.name.size()));
    directory += "PK\x01\x02" + bytes_of(uint16_t{20}) + common + bytes_of(uint16_t{0}) +
                 bytes_of(uint16_t{0}) + bytes_of(uint64_t{0}) +
                 bytes_of(static_cast<uint32_t>(file.size())) + entry.name;
    file += "PK\x03\x04" + common + bytes_of(uint16_t{0}) + entry.name + entry.bytes;
  }
  const auto count = static_cast<uint16_t>(entries.size());
  return file + directory + "PK\x05\x06" + bytes_of(uint32_t{0}) + bytes_of(count) +
         bytes_of(count) + bytes_of(static_cast<uint32_t>(directory.size())) +
         bytes_of(static_cast<uint32_t>(file.size())) + bytes_of(uint16_t{0});
}

namespace {

TorchParts::Tensor part_of(const std::string& name, const TensorView& view) {
  TorchParts::Tensor part{.name = name, .bytes = bytes_of(view), .shape = view.shape};
  part.storage_class = view.type == StorageType::f16    ? "HalfStorage"
                       : view.type == StorageType::bf16 ? "BFloat16Storage"
                                                        : "FloatStorage";
  part.strides.assign(view.shape.size(), 1);
  for (size_t i = view.shape.size() - 1; i-- > 0;) {
    part.strides[i] = part.strides[i + 1] * view.shape[i + 1];
  }
  part.stored = view.elements();
  return part;
}

}  // namespace

TorchParts TorchParts::openai(const Checkpoint& checkpoint) {
  TorchParts parts;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    parts.tensors.push_back(part_of(openai_name(name), tensor));
  }
  const ModelConfig& c = checkpoint.info.config;
  parts.dims = {{"n_mels", c.num_mel_bins},
                {"n_vocab", c.vocab_size},
                {"n_audio_ctx", c.max_source_positions},
                {"n_audio_state", c.d_model},
                {"n_audio_head", c.encoder_attention_heads},
                {"n_audio_layer", c.encoder_layers},
                {"n_text_ctx", c.max_target_positions},
                {"n_text_state", c.d_model},
                {"n_text_head", c.decoder_attention_heads},
                {"n_text_layer", c.decoder_layers}};
  return parts;
}

TorchParts TorchParts::hugging_face(const Checkpoint& checkpoint, std::string_view prefix) {
  TorchParts parts;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    parts.tensors.push_back(part_of(std::string(prefix) + name, tensor));
  }
  return parts;
}

std::string TorchParts::pickle(bool legacy) const {
  std::vector<std::pair<std::string, std::string>> state;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    state.emplace_back(t.name, pickle::tensor(pickle::storage(t.storage_class, std::to_string(i),
                                                              t.stored, legacy),
                                              t.offset, t.shape, t.strides));
  }
  if (dims.empty()) return pickle::ordered_dict(state);
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : dims) fields.emplace_back(name, pickle::number(value));
  return pickle::dict(
      {{"dims", pickle::dict(fields)}, {"model_state_dict", pickle::ordered_dict(state)}});
}

std::string TorchParts::zip() const {
  std::vector<ZipEntry> entries = {
      {"m/data.pkl", pickle::document(pickle())}, {"m/byteorder", "little"}, {"m/version", "3\n"}};
  for (size_t i = 0; i < tensors.size(); ++i) {
    entries.push_back({"m/data/" + std::to_string(i), tensors[i].bytes});
  }
  return zip_of(entries);
}

std::string TorchParts::legacy() const {
  const std::string machine = pickle::dict({{"protocol_version", pickle::number(1001)},
                                            {"little_endian", "\x88"},
                                            {"type_sizes", pickle::dict({})}});
  std::string keys = "](";
  std::string storages;
  for (size_t i = 0; i < tensors.size(); ++i) {
    keys += pickle::text(std::to_string(i));
    storages += bytes_of(tensors[i].stored) + tensors[i].bytes;
  }
  const std::string magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
  return pickle::document(magic) + pickle::document(pickle::number(1001)) +
         pickle::document(machine) + pickle::document(pickle(true)) + pickle::document(keys + "e") +
         storages;
}

TorchParts::Tensor& TorchParts::find(std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &Tensor::name);
  if (found == tensors.end()) throw std::out_of_range("no tensor " + std::string(name));
  return *found;
}

}  // namespace whisper_s4y
