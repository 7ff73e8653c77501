#include "c_api/model.h"

#include <nlohmann/json.hpp>

#include "c_api/options.h"
#include "config/model_info.h"
#include "tokenizer/languages.h"
#include "whisper_s4y/convert.h"

namespace whisper_s4y::c_api {
namespace {

Json described(const std::vector<TensorInfo>& tensors) {
  Json json = Json::array();
  for (const TensorInfo& tensor : tensors) {
    json.push_back(
        {{"name", tensor.name}, {"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}});
  }
  return json;
}

Json described(const Model& model) {
  const ModelFacts& facts = model.info();
  Json json = {{"name", facts.name},
               {"hash", facts.hash},
               {"file_size", facts.file_size},
               {"is_whisper", facts.is_whisper},
               {"can_transcribe", facts.can_transcribe},
               {"can_align", facts.can_align},
               {"max_beams", facts.max_beams},
               {"is_multilingual", facts.is_multilingual},
               {"languages", facts.languages},
               {"threads", model.options().threads}};
  if (facts.is_whisper) {
    json["model"] = Json::parse(whisper_s4y::to_json(facts.config, facts.generation));
  }
  json["signatures"] = Json::array();
  for (const SignatureInfo& signature : facts.signatures) {
    json["signatures"].push_back({{"key", signature.key},
                                  {"inputs", described(signature.inputs)},
                                  {"outputs", described(signature.outputs)}});
  }
  return json;
}

}  // namespace
}  // namespace whisper_s4y::c_api

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

whisper_s4y_status whisper_s4y_model_open(const char* path, const whisper_s4y_options* runtime,
                                          whisper_s4y_model** model) {
  return guarded_call([&] {
    needed(model, "model") = nullptr;
    *model = new whisper_s4y_model{
        Model(needed_text(path, "path"), options_of<RuntimeOptions>(runtime, "runtime"))};
  });
}

whisper_s4y_status whisper_s4y_model_open_memory(const void* file, size_t size, const char* name,
                                                 const whisper_s4y_options* runtime,
                                                 whisper_s4y_model** model) {
  return guarded_call([&] {
    needed(model, "model") = nullptr;
    const auto bytes = numbers(static_cast<const std::byte*>(file), size, "file");
    *model = new whisper_s4y_model{Model::from_memory(
        bytes, needed_text(name, "name"), options_of<RuntimeOptions>(runtime, "runtime"))};
  });
}

whisper_s4y_status whisper_s4y_model_front_end(int num_mel_bins, const whisper_s4y_options* runtime,
                                               whisper_s4y_model** model) {
  return guarded_call([&] {
    needed(model, "model") = nullptr;
    RuntimeOptions options = options_of<RuntimeOptions>(runtime, "runtime");
    options.use_cache = false;  // it packs in no time
    *model = new whisper_s4y_model{
        Model::from_memory(make_front_end(num_mel_bins), "the front end", options)};
  });
}

void whisper_s4y_model_destroy(whisper_s4y_model* model) { delete model; }

whisper_s4y_status whisper_s4y_model_info(const whisper_s4y_model* model, char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    *json = copy_text(json_text(described(needed(model, "model").model)));
  });
}

whisper_s4y_status whisper_s4y_tokenize(const whisper_s4y_model* model, const char* text,
                                        int32_t** tokens, size_t* count) {
  return guarded_call([&] {
    needed(tokens, "tokens") = nullptr;
    needed(count, "count") = 0;
    const std::vector<int> ids = needed(model, "model").model.tokenize(needed_text(text, "text"));
    *tokens = copy_array(std::span<const int32_t>(ids));
    *count = ids.size();
  });
}

whisper_s4y_status whisper_s4y_detokenize(const whisper_s4y_model* model, const int32_t* tokens,
                                          size_t count, int special_tokens, int timestamps,
                                          char** text) {
  return guarded_call([&] {
    needed(text, "text") = nullptr;
    DecodeOptions options;
    options.special_tokens = special_tokens != 0;
    options.timestamps = timestamps != 0;
    *text = copy_text(
        needed(model, "model").model.detokenize(numbers(tokens, count, "tokens"), options));
  });
}

whisper_s4y_status whisper_s4y_language_code(const char* name_or_code, char** code) {
  return guarded_call([&] {
    needed(code, "code") = nullptr;
    *code = copy_text(language_code(needed_text(name_or_code, "name_or_code")));
  });
}
