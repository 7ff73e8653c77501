#include "common/file_kind.h"

#include <fmt/format.h>

#include <cstring>

#include "common/ascii.h"

namespace whisper_s4y {
namespace {

using namespace std::string_view_literals;

struct Beginning {
  size_t offset;
  std::string_view text;
  std::string_view meaning;
};

constexpr std::string_view kArchive = "is an archive: unpack it and give what is inside";
constexpr std::string_view kRecording = "is a recording, not a model";
constexpr std::string_view kProtobuf =
    "is an ONNX or TensorFlow model, which is not read: take the original of Hugging Face, OpenAI "
    "or whisper.cpp";

constexpr Beginning kOthers[] = {
    {0, "version https://git-lfs.github.com/spec/"sv,
     "is a Git LFS pointer, not the weights: run `git lfs pull` in its folder"},
    {0, "GGUF"sv, "is a GGUF file; Whisper's ggml files begin with \"lmgg\""},
    {0, "\x89HDF\r\n\x1a\n"sv,
     "is an HDF5 file of TensorFlow, which is not read: load it with transformers and save it as "
     "safetensors"},
    {0, "\x1f\x8b"sv, kArchive},
    {0, "BZh"sv, kArchive},
    {0,
     "\xfd"
     "7zXZ"sv,
     kArchive},
    {0, "\x28\xb5\x2f\xfd"sv, kArchive},
    {0, "7z\xbc\xaf\x27\x1c"sv, kArchive},
    {0, "Rar!"sv, kArchive},
    {257, "ustar"sv, kArchive},
    {8, "WAVE"sv, kRecording},
    {0, "fLaC"sv, kRecording},
    {0, "OggS"sv, kRecording},
    {0, "ID3"sv, kRecording},
    {4, "ftyp"sv, kRecording},
    {0, "\x1a\x45\xdf\xa3"sv, kRecording},
    {0, "\x80\x02"sv, "is a Python pickle, but not one of torch.save"},
    {0, "\x80\x03"sv, "is a Python pickle, but not one of torch.save"},
    {0, "\x80\x04"sv, "is a Python pickle, but not one of torch.save"},
    {0, "\x80\x05"sv, "is a Python pickle, but not one of torch.save"},
};

// torch/serialization.py: MAGIC_NUMBER as a pickle of protocol 2, the form before torch 1.6.
constexpr std::string_view kLegacyTorch =
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The length of a JSON header, then the header.
bool is_safetensors(std::span<const std::byte> bytes) {
  uint64_t header = 0;
  if (bytes.size() < 9) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return static_cast<char>(bytes[8]) == '{' && header < uint64_t{1} << 32;
}

// A small version number, then a string of at most 64 bytes that ends with "Spec".
bool is_ctranslate2(std::span<const std::byte> bytes) {
  uint32_t version = 0;
  uint16_t length = 0;
  if (bytes.size() < 6) return false;
  std::memcpy(&version, bytes.data(), sizeof(version));
  std::memcpy(&length, bytes.data() + 4, sizeof(length));
  if (version == 0 || version > 99 || length < 5 || length > 64 || bytes.size() < 6U + length) {
    return false;
  }
  return text_of(bytes).substr(6, length - 1U).ends_with("Spec");
}

// "<!DOCTYPE html>" or "<html" behind blanks, in any letters.
bool is_markup(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (begin == std::string_view::npos) return false;
  const std::string start = lower_case(text.substr(begin, 14));
  return start.starts_with("<!doctype html") || start.starts_with("<html") ||
         start.starts_with("<?xml");
}

// Field 1 of a protobuf, a small version number, then field 2, a text.
bool is_protobuf(std::string_view text) {
  return text.size() > 3 && text[0] == '\x08' && text[1] > 0 && text[1] < 32 && text[2] == '\x12';
}

}  // namespace

FileKind kind_of(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  if (is_safetensors(bytes)) return FileKind::safetensors;
  if (text.starts_with("PK") || text.starts_with(kLegacyTorch)) return FileKind::torch;
  if (is_ctranslate2(bytes)) return FileKind::ctranslate2;
  if (text.starts_with("lmgg")) return FileKind::ggml;
  if (text.size() >= 16 && text.substr(4, 4) == "TFL3") return FileKind::tflite;
  return text.starts_with('{') ? FileKind::json : FileKind::other;
}

std::string_view checkpoint_format(FileKind kind) {
  switch (kind) {
    case FileKind::safetensors:
      return "safetensors";
    case FileKind::torch:
      return "PyTorch";
    case FileKind::ctranslate2:
      return "CTranslate2";
    case FileKind::ggml:
      return "whisper.cpp's ggml";
    case FileKind::tflite:
    case FileKind::json:
    case FileKind::other:
      break;
  }
  return {};
}

std::string_view what_else(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  for (const Beginning& other : kOthers) {
    if (text.size() > other.offset && text.substr(other.offset).starts_with(other.text)) {
      return other.meaning;
    }
  }
  if (is_markup(text)) {
    return "is a web page, not a model: a server's answer was saved in its place; download the "
           "file itself";
  }
  if (is_protobuf(text)) return kProtobuf;
  if (text.starts_with('{')) return "is a JSON file, not a model";
  return {};
}

std::string part_of_bytes(uint64_t there, uint64_t total) {
  struct Unit {
    uint64_t bytes;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{1'000'000'000, "GB"}, {1'000'000, "MB"}, {1'000, "kB"}};
  for (const Unit& unit : kUnits) {
    if (total < 2 * unit.bytes) continue;  // the next smaller says more
    const int digits = total < 20 * unit.bytes ? 1 : 0;
    const auto in_unit = [&](uint64_t value) {
      return fmt::format("{:.{}f}", static_cast<double>(value) / static_cast<double>(unit.bytes),
                         digits);
    };
    if (in_unit(there) == in_unit(total)) break;
    if (there < unit.bytes / 10) {
      return fmt::format("{} bytes of {} {}", there, in_unit(total), unit.name);
    }
    return fmt::format("{} of {} {}", in_unit(there), in_unit(total), unit.name);
  }
  return fmt::format("{} of {} bytes", there, total);
}

}  // namespace whisper_s4y
