#include "tflite/model_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/content_hash.h"
#include "common/fail.h"
#include "common/parse_json.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::json;

constexpr int kFormatVersion = 1;
constexpr size_t kHashDigits = 32;

Json parse_metadata(const TfliteFile& file) {
  return parse_json_object<Json>(
      file.metadata(kModelMetadata),
      fmt::format("{}: the metadata \"{}\"", file.path().string(), kModelMetadata));
}

std::string hash_of_file(const TfliteFile& file) {
  constexpr size_t kChunk = 8 << 20;
  ContentHash hash;
  for (auto rest = file.file().bytes(); !rest.empty();) {
    const auto part = rest.first(std::min(kChunk, rest.size()));
    hash.update(part);
    file.file().release(part);
    rest = rest.subspan(part.size());
  }
  return hash.digest();
}

}  // namespace

bool has_model_metadata(const TfliteFile& file) { return file.has_metadata(kModelMetadata); }

ModelInfo read_model_info(const TfliteFile& file) {
  const std::string source = file.path().string();
  const Json json = parse_metadata(file);
  const auto version = json.find("format_version");
  if (version == json.end() || !version->is_number_integer()) {
    fail("{}: the metadata \"{}\" has no format_version.", source, kModelMetadata);
  }
  if (*version != kFormatVersion) {
    fail("{} has format version {}, this program reads version {}: convert the checkpoint again.",
         source, version->dump(), kFormatVersion);
  }
  ModelInfo info;
  if (const auto name = json.find("name"); name != json.end() && name->is_string()) {
    info.name = name->get<std::string>();
  }
  from_json(file.metadata(kModelMetadata), source, info.config, info.generation);
  info.vocabulary = vocabulary_from_text(file.metadata(kVocabularyMetadata), source);
  validate(info, source);
  return info;
}

std::string model_hash(const TfliteFile& file) {
  if (has_model_metadata(file)) {
    const Json json = parse_metadata(file);
    if (const auto hash = json.find("model_hash"); hash != json.end() && hash->is_string()) {
      const auto& digits = hash->get_ref<const std::string&>();
      // It becomes part of a file's name.
      if (digits.size() == kHashDigits &&
          digits.find_first_not_of("0123456789abcdef") == std::string::npos) {
        return digits;
      }
    }
  }
  return hash_of_file(file);
}

}  // namespace whisper_s4y
