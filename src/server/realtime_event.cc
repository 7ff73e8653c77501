#include "server/realtime_event.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Exception.h>
#include <Poco/MemoryStream.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/parse_json.h"
#include "server/api_error.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y::server {
namespace {

// Sound is one text, however long, and settings are a few.
constexpr JsonLimits kLimits = {.depth = 16, .values = 2000};

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

ApiError no_base64() { return {400, "`audio` is no base64.", "audio", "invalid_value"}; }

}  // namespace

ClientEvent parse_client_event(std::string_view text) {
  ClientEvent event;
  try {
    event.body = parse_json<Json>(text, "The event", kLimits);
  } catch (const Error& error) {
    throw ApiError(400, error.what(), {}, "invalid_json");
  }
  if (event.body.is_discarded()) {
    throw ApiError(400, "The event is no JSON in UTF-8.", {}, "invalid_json");
  }
  if (!event.body.is_object()) throw ApiError(400, "An event is a JSON object.");
  event.type = text_in(event.body, "type");
  event.id = text_in(event.body, "event_id");
  if (event.type.empty()) throw ApiError(400, "The event has no `type`.", "type");
  return event;
}

std::vector<std::byte> appended_audio(const ClientEvent& event) {
  const auto found = event.body.find("audio");
  if (found == event.body.end() || !found->is_string()) {
    throw ApiError(400, "`audio` must be a text: the sound in base64.", "audio");
  }
  const auto& text = found->get_ref<const std::string&>();
  constexpr size_t kGroup = 4;  // characters for three bytes
  if (text.size() % kGroup != 0) throw no_base64();
  std::vector<std::byte> bytes(text.size() / kGroup * 3 + 3);
  Poco::MemoryInputStream stream(text.data(), text.size());
  Poco::Base64DecoderBuf decoder(stream);
  std::streamsize size = 0;
  try {
    size = decoder.sgetn(reinterpret_cast<char*>(bytes.data()),
                         static_cast<std::streamsize>(bytes.size()));
  } catch (const Poco::DataFormatException&) {
    throw no_base64();
  }
  bytes.resize(static_cast<size_t>(size));
  if (bytes.size() > kMostAppended) {
    throw ApiError(413, fmt::format("`audio` may have {} MiB.", kMostAppended >> 20), "audio");
  }
  return bytes;
}

}  // namespace whisper_s4y::server
