// A connection of the Wyoming protocol, apart from its socket.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "audio/raw_audio.h"
#include "server/services.h"
#include "server/transcription.h"
#include "server/upload.h"
#include "server/wyoming_event.h"

namespace whisper_s4y::server {

/// What this server offers, as `describe` asks.
[[nodiscard]] WyomingEvent wyoming_info(const ModelStore& models);

/// What an audio-start or audio-chunk says of its sound. Throws ApiError (400).
[[nodiscard]] RawAudioFormat wyoming_format(const Json& data);

/// Takes a client's events and sends the server's; computes in turns of the queue. Not thread-safe.
class WyomingSession {
 public:
  /// `client` is an address; `check` throws ClientGone, or ApiError when the server ends. Services
  /// outlive the session.
  WyomingSession(Services& services, std::string client, std::function<void()> check,
                 std::function<void(const WyomingEvent&)> send);
  ~WyomingSession();
  WyomingSession(const WyomingSession&) = delete;
  WyomingSession& operator=(const WyomingSession&) = delete;

  /// Throws what `check` and `send` throw.
  void take(const WyomingEvent& event);

  /// Whether sound is to follow.
  [[nodiscard]] bool is_listening() const { return utterance_ != nullptr; }

 private:
  struct Utterance;

  void start(const Json& data);
  void hear(const WyomingEvent& event);
  void stop();
  void answer(const Utterance& utterance);
  void refuse(const ApiError& error);
  void finish();
  void send(const char* type, Json data = Json::object());

  Services& services_;
  std::string client_;
  std::function<void()> check_;
  std::function<void(const WyomingEvent&)> send_;
  Json request_ = Json::object();         // of the last `transcribe`
  std::unique_ptr<Utterance> utterance_;  // from its start to its stop
  std::optional<RequestRecord> record_;   // of it, until it is answered
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace whisper_s4y::server
