#include "server/openapi.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "audio/audio_options.h"
#include "options/option_table.h"
#include "output/output_options.h"
#include "server/openai_request.h"
#include "server/routes.h"
#include "transcribe/transcribe_options.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y::server {
namespace {

// What the option tables do not know. Schemas of answers are OpenAI's (openai-python types/audio).
constexpr std::string_view kBase = R"json({
  "openapi": "3.1.0",
  "info": {
    "title": "whisper-s4y serve",
    "description": "Speech to text with OpenAI's routes and those of whisper.cpp's server.",
    "license": {"name": "MIT", "identifier": "MIT"}
  },
  "security": [{}, {"key": []}],
  "paths": {
    "/v1/audio/transcriptions": {"post": {
      "operationId": "createTranscription",
      "summary": "The text of a recording",
      "requestBody": {"$ref": "#/components/requestBodies/Transcription"},
      "responses": {
        "200": {"$ref": "#/components/responses/Text"},
        "default": {"$ref": "#/components/responses/Error"}
      }
    }},
    "/v1/audio/translations": {"post": {
      "operationId": "createTranslation",
      "summary": "The text of a recording in English",
      "requestBody": {"$ref": "#/components/requestBodies/Transcription"},
      "responses": {
        "200": {"$ref": "#/components/responses/Text"},
        "default": {"$ref": "#/components/responses/Error"}
      }
    }},
    "/v1/models": {"get": {
      "operationId": "listModels",
      "summary": "What is served",
      "responses": {
        "200": {"description": "All models", "content": {"application/json": {"schema": {
          "type": "object",
          "required": ["object", "data"],
          "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}
          }
        }}}},
        "default": {"$ref": "#/components/responses/Error"}
      }
    }},
    "/v1/models/{model}": {"get": {
      "operationId": "retrieveModel",
      "summary": "One of them",
      "parameters": [
        {"name": "model", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}
      ],
      "responses": {
        "200": {"description": "The model", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Model"
        }}}},
        "default": {"$ref": "#/components/responses/Error"}
      }
    }},
    "/v1/options": {"get": {
      "operationId": "listOptions",
      "summary": "The options that are fields of a transcription's form",
      "responses": {
        "200": {"description": "All of them", "content": {"application/json": {"schema": {
          "type": "object",
          "required": ["object", "data"],
          "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": {
              "type": "object",
              "required": ["name", "type", "nullable", "default", "help", "group"],
              "properties": {
                "name": {"type": "string"}, "type": {"type": "string"},
                "nullable": {"type": "boolean"}, "help": {"type": "string"},
                "group": {"type": "string"},
                "least": {"type": "number"}, "most": {"type": "number"},
                "least_items": {"type": "integer"}, "most_items": {"type": "integer"},
                "choices": {"type": "array", "items": {"type": "string"}}
              }
            }}
          }
        }}}},
        "default": {"$ref": "#/components/responses/Error"}
      }
    }},
    "/inference": {"post": {
      "operationId": "inference",
      "summary": "The text of a recording, as whisper.cpp's server has it",
      "requestBody": {"$ref": "#/components/requestBodies/Inference"},
      "responses": {
        "200": {"description": "The text", "content": {
          "application/json": {"schema": {"type": "object", "required": ["text"]}},
          "text/html": {"schema": {"type": "string"}},
          "application/x-subrip": {"schema": {"type": "string"}},
          "text/vtt": {"schema": {"type": "string"}}
        }},
        "default": {"$ref": "#/components/responses/PlainError"}
      }
    }},
    "/load": {"post": {
      "operationId": "load",
      "summary": "Makes another model the one for those who name none",
      "requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {
        "type": "object",
        "required": ["model"],
        "properties": {"model": {"type": "string", "minLength": 1, "description": "Name or path"}}
      }}}},
      "responses": {
        "200": {"$ref": "#/components/responses/Status"},
        "default": {"$ref": "#/components/responses/PlainError"}
      }
    }},
    "/health": {"get": {
      "operationId": "health",
      "summary": "Whether the models are open",
      "security": [],
      "responses": {
        "200": {"$ref": "#/components/responses/Status"},
        "503": {"$ref": "#/components/responses/Status"}
      }
    }},
    "/ready": {"get": {
      "operationId": "ready",
      "summary": "Whether requests are taken",
      "security": [],
      "responses": {
        "200": {"$ref": "#/components/responses/Status"},
        "503": {"$ref": "#/components/responses/Status"}
      }
    }},
    "/metrics": {"get": {
      "operationId": "metrics",
      "summary": "Counters for Prometheus",
      "responses": {
        "200": {"description": "Prometheus' text format", "content": {"text/plain": {"schema": {
          "type": "string"
        }}}},
        "default": {"$ref": "#/components/responses/Error"}
      }
    }}
  },
  "components": {
    "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    "requestBodies": {
      "Transcription": {"required": true, "content": {"multipart/form-data": {"schema": {
        "type": "object",
        "required": ["file", "model"],
        "properties": {
          "file": {"type": "string", "format": "binary", "description": "The recording"},
          "model": {"type": "string", "minLength": 1, "description": "A served name, or one of OpenAI's"},
          "prompt": {"type": "string", "description": "Text to begin after: names, spelling, style"},
          "keywords[]": {"type": "array", "items": {"type": "string"}, "description": "Words to expect"},
          "response_format": {
            "enum": ["json", "text", "srt", "vtt", "verbose_json"], "default": "json"
          },
          "temperature": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
          "timestamp_granularities[]": {
            "type": "array", "items": {"enum": ["word", "segment"]},
            "description": "With verbose_json alone"
          },
          "include[]": {
            "type": "array", "items": {"enum": ["logprobs"]}, "description": "With json alone"
          },
          "stream": {"type": "boolean", "default": false, "description": "Server-sent events"},
          "formats": {"type": "string", "description": "Names of formats with commas between, or all; with verbose_json alone"},
          "chunking_strategy": {
            "type": "string", "description": "auto, or a JSON object of the type server_vad"
          }
        }
      }}}},
      "Inference": {"required": true, "content": {"multipart/form-data": {"schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
          "file": {"type": "string", "format": "binary", "description": "The recording"},
          "language": {"type": "string"},
          "translate": {"type": "boolean"},
          "prompt": {"type": "string"},
          "temperature": {"type": "number", "minimum": 0, "maximum": 1},
          "temperature_inc": {"type": "number", "minimum": 0},
          "response_format": {"enum": ["json", "text", "srt", "vtt", "verbose_json"]},
          "offset_t": {"type": "integer", "minimum": 0, "description": "Milliseconds"},
          "duration": {"type": "integer", "minimum": 0, "description": "Milliseconds"},
          "no_timestamps": {"type": "boolean"},
          "token_timestamps": {"type": "boolean"},
          "vad": {"type": "boolean"}
        }
      }}}}
    },
    "responses": {
      "Text": {"description": "The text, in the format that was asked for", "content": {
        "application/json": {"schema": {"anyOf": [
          {"$ref": "#/components/schemas/Transcription"},
          {"$ref": "#/components/schemas/TranscriptionVerbose"}
        ]}},
        "text/plain": {"schema": {"type": "string"}},
        "application/x-subrip": {"schema": {"type": "string"}},
        "text/vtt": {"schema": {"type": "string"}},
        "text/event-stream": {"schema": {"type": "string"}}
      }},
      "Error": {
        "description": "What is wrong; 429 and 503 say in Retry-After when to come again",
        "content": {"application/json": {"schema": {
          "type": "object",
          "required": ["error"],
          "properties": {"error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
              "message": {"type": "string"},
              "type": {"type": "string"},
              "param": {"type": ["string", "null"]},
              "code": {"type": ["string", "null"]}
            }
          }}
        }}}
      },
      "PlainError": {"description": "What is wrong", "content": {"application/json": {"schema": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": ["string", "object"]}}
      }}}},
      "Status": {"description": "How it is", "content": {"application/json": {"schema": {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string"}}
      }}}}
    },
    "schemas": {
      "Model": {
        "type": "object",
        "required": ["id", "object", "created", "owned_by"],
        "properties": {
          "id": {"type": "string"},
          "object": {"const": "model"},
          "created": {"type": "integer", "description": "When the file was written"},
          "owned_by": {"type": "string"},
          "loaded": {"type": "boolean"},
          "languages": {"type": "array", "items": {"type": "string"}}
        }
      },
      "Usage": {
        "type": "object",
        "required": ["type", "seconds"],
        "properties": {"type": {"const": "duration"}, "seconds": {"type": "integer"}}
      },
      "Transcription": {
        "type": "object",
        "required": ["text", "usage"],
        "properties": {
          "text": {"type": "string"},
          "usage": {"$ref": "#/components/schemas/Usage"},
          "logprobs": {"type": "array", "items": {
            "type": "object",
            "required": ["token", "bytes", "logprob"],
            "properties": {
              "token": {"type": "string"},
              "bytes": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}},
              "logprob": {"type": "number"}
            }
          }}
        }
      },
      "TranscriptionVerbose": {
        "type": "object",
        "required": ["task", "language", "duration", "text", "usage"],
        "properties": {
          "task": {"enum": ["transcribe", "translate"]},
          "language": {"type": "string", "description": "Its English name"},
          "duration": {"type": "number"},
          "text": {"type": "string"},
          "words": {"type": "array", "items": {
            "type": "object",
            "required": ["word", "start", "end"],
            "properties": {
              "word": {"type": "string"}, "start": {"type": "number"}, "end": {"type": "number"}
            }
          }},
          "segments": {"type": "array", "items": {
            "type": "object",
            "required": ["id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob",
                         "compression_ratio", "no_speech_prob"],
            "properties": {
              "id": {"type": "integer"}, "seek": {"type": "integer"},
              "start": {"type": "number"}, "end": {"type": "number"},
              "text": {"type": "string"},
              "tokens": {"type": "array", "items": {"type": "integer"}},
              "temperature": {"type": "number"}, "avg_logprob": {"type": "number"},
              "compression_ratio": {"type": "number"}, "no_speech_prob": {"type": "number"}
            }
          }},
          "usage": {"$ref": "#/components/schemas/Usage"},
          "formats": {"type": "object", "additionalProperties": {"type": "string"}},
          "warnings": {"type": "array", "items": {"type": "string"}}
        }
      }
    }
  }
})json";

Json number_schema(const Option& row, std::string_view type) {
  Json schema = {{"type", type}};
  const auto& [least, most] = row.details.bounds;
  const auto exact = [&](double bound) {
    return type == "integer" ? Json(static_cast<int64_t>(bound)) : Json(bound);
  };
  // The ends of int are no limits worth telling.
  if (least != -kNoLimit && std::abs(least) < 2e9) schema["minimum"] = exact(least);
  if (most != kNoLimit && std::abs(most) < 2e9) schema["maximum"] = exact(most);
  return schema;
}

Json list_schema(const Option& row, Json items) {
  Json schema = {{"type", "array"}, {"items", std::move(items)}};
  const auto& [least, most] = row.details.length;
  if (least > 0) schema["minItems"] = least;
  if (most != LengthBounds().most) schema["maxItems"] = most;
  return schema;
}

Json schema_of(const Option& row) {
  switch (row.kind) {
    case OptionKind::flag:
      return {{"type", "boolean"}};
    case OptionKind::integer:
      return number_schema(row, "integer");
    case OptionKind::number:
      return number_schema(row, "number");
    case OptionKind::integers:
      return list_schema(row, number_schema(row, "integer"));
    case OptionKind::numbers:
      return list_schema(row, number_schema(row, "number"));
    case OptionKind::texts:
      return list_schema(row, {{"type", "string"}});
    case OptionKind::text:
    case OptionKind::choice:
    case OptionKind::options:
      break;
  }
  if (row.details.choices.empty()) return {{"type", "string"}};
  return {{"enum", row.details.choices}};
}

void add_options(const OptionTable& table, Json& properties) {
  const std::shared_ptr<void> defaults = table.make();
  for (const Option& row : table.rows) {
    const std::string_view name = row.name.field;
    if (!is_field(name) || properties.contains(name)) continue;
    Json schema = schema_of(row);
    const Json usual = get_row(row, defaults.get());
    if (!usual.is_null()) schema["default"] = usual;
    schema["description"] = row.help;
    properties[std::string(name)] = std::move(schema);
  }
}

bool is_plain(const std::string& text) {
  if (text.empty() || text.find_first_of(":#{}[],&*!|>'\"%@`\\\n") != std::string::npos)
    return false;
  if (text.front() == ' ' || text.back() == ' ' || text.front() == '-' || text.front() == '?') {
    return false;
  }
  // What YAML would take for something else.
  const bool is_word = text == "true" || text == "false" || text == "null" || text == "yes" ||
                       text == "no" || text == "on" || text == "off" || text == "~";
  return !is_word && text.find_first_of("0123456789.") != 0;
}

std::string scalar(const Json& value) {
  if (value.is_string() && is_plain(value.get<std::string>())) return value.get<std::string>();
  return json_text(value);  // JSON is YAML
}

void append_yaml(const Json& value, int depth, std::string& out) {
  const std::string indent(static_cast<size_t>(depth) * 2, ' ');
  const auto append_inside = [&](const Json& inside) {
    if (inside.is_structured() && !inside.empty()) {
      out += '\n';
      append_yaml(inside, depth + 1, out);
    } else {
      out += ' ' + scalar(inside) + '\n';
    }
  };
  if (value.is_object()) {
    for (const auto& [key, inside] : value.items()) {
      out += indent + scalar(Json(key)) + ':';
      append_inside(inside);
    }
  } else if (value.is_array()) {
    for (const Json& inside : value) {
      out += indent + '-';
      append_inside(inside);
    }
  } else {
    out += indent + scalar(value) + '\n';
  }
}

}  // namespace

Json openapi() {
  Json document = Json::parse(kBase);
  document["info"]["version"] = kVersion;
  Json& body = document["components"]["requestBodies"]["Transcription"]["content"];
  Json& properties = body["multipart/form-data"]["schema"]["properties"];
  add_options(option_table<TranscribeOptions>(), properties);
  add_options(option_table<OutputOptions>(), properties);
  add_options(option_table<AudioOptions>(), properties);
  return document;
}

std::string openapi_yaml() {
  std::string out;
  append_yaml(openapi(), 0, out);
  return out;
}

void handle_openapi(Exchange& exchange, Services&) { exchange.answer_json(json_text(openapi())); }

}  // namespace whisper_s4y::server
