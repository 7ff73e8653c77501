#include "server/wyoming_event.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "common/parse_json.h"
#include "options/option_table.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y::server {
namespace {

// There are names and numbers of a few things in an event.
constexpr JsonLimits kLimits = {.depth = 16, .values = 4000};

Json parse_object(std::string_view text) {
  Json json;
  try {
    json = parse_json<Json>(text, "The event", kLimits);
  } catch (const Error& error) {
    throw WyomingProtocolError(error.what());
  }
  if (json.is_discarded()) throw WyomingProtocolError("The event is no JSON.");
  if (!json.is_object()) throw WyomingProtocolError("The event is no JSON object.");
  return json;
}

size_t length_in(const Json& json, const char* name, size_t most) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return 0;
  if (!found->is_number_unsigned() || found->get<uint64_t>() > most) {
    throw WyomingProtocolError(fmt::format("{} must be a number up to {}.", name, most));
  }
  return found->get<size_t>();
}

}  // namespace

WyomingParser::Header WyomingParser::parse_header(std::string_view line) {
  const Json json = parse_object(line);
  Header header;
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) {
    throw WyomingProtocolError("The event has no type.");
  }
  header.event.type = type->get<std::string>();
  const auto data = json.find("data");
  if (data != json.end() && data->is_object()) header.event.data = *data;
  header.data_length = length_in(json, "data_length", kMostData);
  header.payload_length = length_in(json, "payload_length", kMostPayload);
  return header;
}

std::optional<WyomingEvent> WyomingParser::next() {
  if (!header_) {
    const size_t end = buffer_.find('\n');
    if (end == std::string::npos ? buffer_.size() > kMostLine : end > kMostLine) {
      throw WyomingProtocolError(fmt::format("The line is longer than {} bytes.", kMostLine));
    }
    if (end == std::string::npos) return std::nullopt;
    header_ = parse_header(std::string_view(buffer_).substr(0, end));
    buffer_.erase(0, end + 1);
  }
  const size_t rest = header_->data_length + header_->payload_length;
  if (buffer_.size() < rest) return std::nullopt;
  Header header = *std::exchange(header_, std::nullopt);
  const std::string_view bytes = buffer_;
  if (header.data_length > 0) {
    header.event.data.update(parse_object(bytes.substr(0, header.data_length)));
  }
  header.event.payload = bytes.substr(header.data_length, header.payload_length);
  buffer_.erase(0, rest);
  return std::move(header.event);
}

std::string serialize(const WyomingEvent& event) {
  const std::string data = event.data.empty() ? "" : json_text(event.data);
  Json header = {{"type", event.type}, {"version", kVersion}};
  if (!data.empty()) header["data_length"] = data.size();
  if (!event.payload.empty()) header["payload_length"] = event.payload.size();
  return json_text(header) + "\n" + data + event.payload;
}

}  // namespace whisper_s4y::server
