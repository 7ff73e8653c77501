// NAME.pt as openai/whisper saves it: a ZIP with a pickle of names and shapes, and raw storages.
#include <zlib.h>

#include <string>
#include <vector>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "common/fail.h"
#include "export/writers.h"
#include "formats/openai_names.h"
#include "vocabulary/standard_vocabulary.h"

namespace whisper_s4y {
namespace {

template <typename Number>
void append(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// The few operations of pickle protocol 2 that make a state dict.
class PickleWriter {
 public:
  PickleWriter() { out_ += "\x80\x02"; }

  void string(std::string_view text) {
    out_ += 'X';
    append(out_, static_cast<uint32_t>(text.size()));
    out_ += text;
  }
  // Dimensions and numbers of elements of one tensor are below 2^31 in every Whisper.
  void integer(int64_t value) {
    if (value > INT32_MAX) fail("The number {} does not fit in an OpenAI checkpoint.", value);
    out_ += 'J';
    append(out_, static_cast<int32_t>(value));
  }
  void integers(std::span<const int64_t> values) {
    out_ += '(';
    for (const int64_t value : values) integer(value);
    out_ += 't';
  }
  void begin_dict() { out_ += "}("; }
  void begin_ordered_dict() {
    ordered_dict();
    out_ += '(';
  }
  void end_dict() { out_ += 'u'; }

  // torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())
  void tensor(std::string_view storage_class, std::string_view key,
              std::span<const int64_t> shape) {
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t i = shape.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * shape[i + 1];
    out_ += "ctorch._utils\n_rebuild_tensor_v2\n((";
    string("storage");
    out_ += "ctorch\n";
    out_ += storage_class;
    out_ += '\n';
    string(key);
    string("cpu");
    integer(strides[0] * shape[0]);
    out_ += "tQ";
    integer(0);
    integers(shape);
    integers(strides);
    out_ += '\x89';
    ordered_dict();
    out_ += "tR";
  }
  std::string finish() { return std::move(out_ += '.'); }

 private:
  void ordered_dict() { out_ += "ccollections\nOrderedDict\n)R"; }

  std::string out_;
};

// Entries stored without compression, their data on multiples of 64 bytes as torch wants them for
// mapping, ZIP64 where the file grows past 4 GB.
class ZipWriter {
 public:
  explicit ZipWriter(OutputFile& file) : file_(file) {}

  template <typename WriteData>
  void add(const std::string& name, uint64_t size, WriteData&& write_data) {
    if (size >= UINT32_MAX) fail("Tensor of {} bytes is too large for a .pt entry.", size);
    const uint64_t start = file_.position();
    // The padding is an extra field of its own: id, length, zeros.
    const uint64_t fixed = start + 30 + name.size() + 4;
    const auto padding = static_cast<uint16_t>((64 - fixed % 64) % 64);
    std::string header;
    append(header, uint32_t{0x04034b50});
    append_common(header, 0, size);
    append(header, static_cast<uint16_t>(name.size()));
    append(header, static_cast<uint16_t>(padding + 4));
    header += name;
    append(header, uint16_t{0x4246});  // torch's "FB"
    append(header, padding);
    header.append(padding, 'Z');
    file_.write(header);
    uLong crc = ::crc32(0, nullptr, 0);
    write_data([&](std::span<const std::byte> piece) {
      crc = ::crc32_z(crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
      file_.write(piece);
    });
    if (file_.position() != start + header.size() + size) {
      fail("Entry {} has {} bytes, expected {}.", name, file_.position() - start - header.size(),
           size);
    }
    const auto checksum = static_cast<uint32_t>(crc);
    file_.write_at(start + 14, std::as_bytes(std::span(&checksum, 1)));
    add_to_directory(name, start, checksum, size);
  }

  void add_text(const std::string& name, std::string_view text) {
    add(name, text.size(), [&](auto&& take) { take(std::as_bytes(std::span(text))); });
  }

  void finish() {
    const uint64_t start = file_.position();
    file_.write(directory_);
    const uint64_t end = file_.position();
    const bool large = start >= UINT32_MAX || entries_ >= UINT16_MAX;
    std::string tail;
    if (large) {
      append(tail, uint32_t{0x06064b50});
      append(tail, uint64_t{44});
      append(tail, uint16_t{45});
      append(tail, uint16_t{45});
      append(tail, uint64_t{0});
      append(tail, entries_);
      append(tail, entries_);
      append(tail, end - start);
      append(tail, start);
      append(tail, uint32_t{0x07064b50});
      append(tail, uint32_t{0});
      append(tail, end);
      append(tail, uint32_t{1});
    }
    const auto count = static_cast<uint16_t>(large ? UINT16_MAX : entries_);
    append(tail, uint32_t{0x06054b50});
    append(tail, uint32_t{0});
    append(tail, count);
    append(tail, count);
    append(tail, static_cast<uint32_t>(large ? UINT32_MAX : end - start));
    append(tail, static_cast<uint32_t>(large ? UINT32_MAX : start));
    append(tail, uint16_t{0});
    file_.write(tail);
  }

 private:
  // Version, flags, method, time, date, checksum, sizes.
  static void append_common(std::string& out, uint32_t crc, uint64_t size) {
    append(out, uint16_t{20});
    append(out, uint16_t{0});
    append(out, uint16_t{0});
    append(out, uint16_t{0});
    append(out, uint16_t{0x21});  // 1 January 1980
    append(out, crc);
    append(out, static_cast<uint32_t>(size));
    append(out, static_cast<uint32_t>(size));
  }

  void add_to_directory(const std::string& name, uint64_t start, uint32_t crc, uint64_t size) {
    const bool large = start >= UINT32_MAX;
    append(directory_, uint32_t{0x02014b50});
    append(directory_, uint16_t{45});
    append_common(directory_, crc, size);
    append(directory_, static_cast<uint16_t>(name.size()));
    append(directory_, static_cast<uint16_t>(large ? 12 : 0));
    append(directory_, uint16_t{0});
    append(directory_, uint32_t{0});
    append(directory_, uint32_t{0});
    append(directory_, static_cast<uint32_t>(large ? UINT32_MAX : start));
    directory_ += name;
    if (large) {
      append(directory_, uint16_t{1});
      append(directory_, uint16_t{8});
      append(directory_, start);
    }
    ++entries_;
  }

  OutputFile& file_;
  std::string directory_;
  uint64_t entries_ = 0;
};

void write_dims(PickleWriter& pickle, const ModelConfig& c) {
  const std::pair<const char*, int> dims[] = {{"n_mels", c.num_mel_bins},
                                              {"n_vocab", c.vocab_size},
                                              {"n_audio_ctx", c.max_source_positions},
                                              {"n_audio_state", c.d_model},
                                              {"n_audio_head", c.encoder_attention_heads},
                                              {"n_audio_layer", c.encoder_layers},
                                              {"n_text_ctx", c.max_target_positions},
                                              {"n_text_state", c.d_model},
                                              {"n_text_head", c.decoder_attention_heads},
                                              {"n_text_layer", c.decoder_layers}};
  pickle.begin_dict();
  for (const auto& [name, value] : dims) {
    pickle.string(name);
    pickle.integer(value);
  }
  pickle.end_dict();
}

}  // namespace

void export_openai(const Checkpoint& checkpoint, const std::filesystem::path& dir) {
  const ModelInfo& info = checkpoint.info;
  const std::string name = file_name_of(info.name);
  const std::filesystem::path path = dir / (name + ".pt");
  check_four_times(info.config, path.string());
  check_tied(checkpoint, path);
  check_no_more_tokens(info, path);
  if (standard_vocabulary(info.config.vocab_size, path.string()) != info.vocabulary) {
    fail("{} would lose the vocabulary: openai/whisper knows its own two only.", path.string());
  }
  const StorageType type = export_type(checkpoint);
  const std::string_view storage = type == StorageType::f16    ? "HalfStorage"
                                   : type == StorageType::bf16 ? "BFloat16Storage"
                                                               : "FloatStorage";
  const std::vector<ExpectedTensor> tensors = expected_tensors(info.config);
  PickleWriter pickle;
  pickle.begin_dict();
  pickle.string("dims");
  write_dims(pickle, info.config);
  pickle.string("model_state_dict");
  pickle.begin_ordered_dict();
  for (size_t i = 0; i < tensors.size(); ++i) {
    pickle.string(openai_name(tensors[i].name));
    pickle.tensor(storage, std::to_string(i), tensors[i].shape);
  }
  pickle.end_dict();
  pickle.end_dict();

  OutputFile file(path);
  ZipWriter zip(file);
  const std::string folder = name + "/";
  zip.add_text(folder + "data.pkl", pickle.finish());
  zip.add_text(folder + "byteorder", "little");
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorView& tensor = checkpoint.tensor(tensors[i].name);
    zip.add(folder + "data/" + std::to_string(i),
            stored_bytes(type, static_cast<uint64_t>(tensor.elements())),
            [&](auto&& take) { for_each_piece(tensor, type, take); });
  }
  zip.add_text(folder + "version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace whisper_s4y
