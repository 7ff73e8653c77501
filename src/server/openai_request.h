// Forms of OpenAI's audio API (https://platform.openai.com/docs/api-reference/audio).
#pragma once

#include <string_view>
#include <vector>

#include "options/field.h"
#include "server/transcription.h"
#include "whisper_s4y/output.h"

namespace whisper_s4y::server {

enum class ResponseFormat { json, text, srt, vtt, verbose_json };

/// What a client has asked for.
struct OpenAiRequest {
  TranscriptionJob job;
  ResponseFormat format = ResponseFormat::json;
  OutputOptions layout;               // of srt and vtt
  bool stream = false;                // server-sent events while it is decoded
  bool logprobs = false;              // of the tokens
  bool words = false;                 // in verbose_json
  bool segments = true;               // in verbose_json
  std::vector<OutputFormat> formats;  // that verbose_json has beside
};

/// Whether clients may set an option by a field of its name.
[[nodiscard]] bool is_field(std::string_view option);

/// `task` is "transcribe" or "translate", as the route has it. Fields that are neither OpenAI's nor
/// options are ignored. Throws ApiError (400, 404).
[[nodiscard]] OpenAiRequest openai_request(const Form& form, std::string_view task,
                                           const ModelStore& models);

/// The options that are fields of a form by their names: what describe_row() tells of each, and its
/// group.
[[nodiscard]] Json describe_fields();

}  // namespace whisper_s4y::server
