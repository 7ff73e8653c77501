// What a session of OpenAI's realtime transcription is set to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audio/raw_audio.h"
#include "options/field.h"
#include "server/model_store.h"
#include "whisper_s4y/live.h"

namespace whisper_s4y::server {

/// Types of openai-python: RealtimeTranscriptionSessionCreateRequest, and in the older flat shape
/// TranscriptionSessionUpdate of types/beta/realtime.
struct RealtimeConfig {
  /// Where turns begin and end; OpenAI's defaults.
  struct ServerVad {
    double threshold = 0.5;
    int prefix_padding_ms = 300;
    int silence_duration_ms = 500;

    bool operator==(const ServerVad&) const = default;
  };

  RawAudioFormat format = {RawAudioFormat::Coding::pcm16, 24'000, 1};
  std::shared_ptr<ServedModel> model;
  std::string model_name;               // as it was asked for
  std::optional<std::string> language;  // nothing: detect it
  std::vector<std::string> languages;   // of these
  std::vector<std::string> keywords;
  std::string prompt;
  std::optional<ServerVad> vad = ServerVad{};  // nothing: the client commits
  bool logprobs = false;

  bool operator==(const RealtimeConfig&) const = default;

  /// How utterances are transcribed, and where the detector finds them.
  [[nodiscard]] LiveOptions live_options() const;
};

/// The shape of a session: that of the API, or the flat one of its preview.
enum class SessionShape { nested, flat };

/// `before` with what `session` says. Unknown fields are ignored. Throws ApiError (400, 404) that
/// names the field.
[[nodiscard]] RealtimeConfig updated(const RealtimeConfig& before, const Json& session,
                                     SessionShape shape, const ModelStore& models);

/// The session as the server tells of it.
[[nodiscard]] Json to_json(const RealtimeConfig& config, const std::string& id, SessionShape shape);

}  // namespace whisper_s4y::server
