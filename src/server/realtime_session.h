// A session of OpenAI's realtime transcription, apart from its connection.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/raw_audio.h"
#include "server/openai_response.h"
#include "server/realtime_config.h"
#include "server/realtime_event.h"
#include "server/services.h"
#include "server/transcription.h"
#include "whisper_s4y/live.h"

namespace whisper_s4y::server {

/// Takes a client's events and sends the server's. It computes in turns of the queue, in the thread
/// that calls. Not thread-safe.
class RealtimeSession {
 public:
  /// `send` takes an event as JSON. Client and services outlive the session.
  RealtimeSession(Services& services, Client client, RealtimeConfig config, SessionShape shape,
                  std::function<void(const std::string&)> send);
  ~RealtimeSession();
  RealtimeSession(const RealtimeSession&) = delete;
  RealtimeSession& operator=(const RealtimeSession&) = delete;

  /// Tells of the session.
  void begin();
  /// Takes an event. What is wrong with it is answered by an event. Sound is kept until settle():
  /// to be called when no more is at hand. Throws what Client::check() and `send` throw.
  void take(std::string_view message);
  /// The same for what is no text, which is no event.
  void take_binary();
  /// Hears the sound that was appended.
  void settle();

 private:
  struct Item;

  void handle(const ClientEvent& event);
  void hear_pending();
  template <typename Body>
  void answering(const std::string& event_id, Body&& body);
  void update(const ClientEvent& event, SessionShape shape);
  void append(const ClientEvent& event);
  void commit();
  void clear();

  void hear(std::span<const float> samples);
  void go_on(const std::function<void()>& step);
  void begin_listening();
  void stop_listening();
  void on_speech(const LiveSpeech& speech);
  void on_text(const LiveText& text);
  void transcribe_turn();

  Item& new_item(double start);
  void tell_committed(Item& item);
  void tell_delta(Item& item, const std::string& text, const Segment* segment);
  void complete(Item& item);
  void fail_item(Item& item, const ApiError& error);
  void complete_ended();

  void send(const char* type, const Json& fields);
  void send_error(const ApiError& error, const std::string& event_id);
  [[nodiscard]] std::string new_id(const char* kind);

  Services& services_;
  Client client_;
  RealtimeConfig config_;
  SessionShape shape_;
  std::function<void(const std::string&)> send_;
  std::string id_;
  uint64_t next_id_ = 1;

  std::unique_ptr<RawAudioStream> stream_;
  std::vector<float> pending_;  // appended, but not heard yet
  double heard_ = 0;            // seconds before pending_
  std::vector<float> turn_;     // of a client that commits: what it has appended

  std::unique_ptr<SpeechDetector> detector_;  // once it was needed
  std::unique_ptr<LiveTranscriber> live_;     // null: begins with the next sound
  double live_begin_ = 0;                     // seconds before its first sample

  std::list<Item> items_;  // not completed yet
  std::string last_item_;  // that was committed; empty: none
};

}  // namespace whisper_s4y::server
