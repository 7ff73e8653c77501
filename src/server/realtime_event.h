// Events of OpenAI's realtime API as they come from a client.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "options/field.h"

namespace whisper_s4y::server {

/// Bytes of sound in one append (openai-python, InputAudioBufferAppendEvent).
inline constexpr size_t kMostAppended = size_t{15} << 20;
/// Bytes of a whole event: base64 makes four of three.
inline constexpr size_t kMostEventBytes = kMostAppended / 3 * 4 + (size_t{1} << 16);

// NOLINTNEXTLINE(bugprone-exception-escape): moving a Json throws only by its declaration
struct ClientEvent {
  std::string type;  // "session.update"
  std::string id;    // the client's own; empty: none
  Json body;         // an object
};

/// Throws ApiError (400) when the text is no event.
[[nodiscard]] ClientEvent parse_client_event(std::string_view text);

/// The sound of an append. Throws ApiError (400, 413).
[[nodiscard]] std::vector<std::byte> appended_audio(const ClientEvent& event);

}  // namespace whisper_s4y::server
