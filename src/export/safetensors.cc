// model.safetensors with Hugging Face's names.
#include <nlohmann/json.hpp>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "export/writers.h"

namespace whisper_s4y {

void export_safetensors(const Checkpoint& checkpoint, const std::filesystem::path& dir) {
  const StorageType type = export_type(checkpoint);
  const char* dtype = type == StorageType::f16 ? "F16" : type == StorageType::bf16 ? "BF16" : "F32";
  nlohmann::ordered_json header = {{"__metadata__", {{"format", "pt"}}}};
  uint64_t offset = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const uint64_t end = offset + stored_bytes(type, static_cast<uint64_t>(tensor.elements()));
    // Hugging Face has the output matrix beside the model.
    header.push_back(
        {name == kOutputMatrix ? name : "model." + name,
         {{"dtype", dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}}});
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins on a multiple of 8

  write_hf_files(checkpoint, type, dir);
  OutputFile file(dir / "model.safetensors");
  const uint64_t size = text.size();
  file.write(std::as_bytes(std::span(&size, 1)));
  file.write(text);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    for_each_piece(tensor, type, [&](std::span<const std::byte> piece) { file.write(piece); });
  }
  file.commit();
}

}  // namespace whisper_s4y
