// What a client can send to the server.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <istream>
#include <streambuf>

#include "fuzz/harness.h"
#include "server/api_error.h"
#include "server/body_buffer.h"
#include "server/form.h"
#include "server/openai_request.h"
#include "server/realtime_config.h"
#include "server/realtime_event.h"
#include "server/wyoming_event.h"
#include "server/wyoming_session.h"
#include "support/files.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

/// Bytes that come in pieces of several sizes.
class Pieces : public std::streambuf {
 public:
  explicit Pieces(std::span<const std::byte> bytes)
      : rest_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

 protected:
  int_type underflow() override {
    if (rest_.empty()) return traits_type::eof();
    size_ = size_ % 37 + 1;
    piece_.assign(rest_.substr(0, size_));
    rest_.remove_prefix(piece_.size());
    setg(piece_.data(), piece_.data(), piece_.data() + piece_.size());
    return traits_type::to_int_type(piece_.front());
  }

 private:
  std::string_view rest_;
  std::string piece_;
  size_t size_ = 0;
};

const server::ModelStore& models() {
  static const TemporaryFolder folder;
  static const server::ModelStore store = [] {
    write_file(folder / "model", "x");  // is opened when somebody transcribes with it
    return server::ModelStore({{"model", folder / "model"}}, {});
  }();
  return store;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void take_realtime_events(std::span<const std::byte> bytes) {
  using namespace server;
  RealtimeConfig config;
  config.model = models().main();
  RawAudioStream sound(config.format);
  std::string_view rest = text_of(bytes);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    try {
      const ClientEvent event = parse_client_event(line);
      if (event.type == "input_audio_buffer.append") {
        for (const float sample : sound.push(appended_audio(event))) {
          if (!(sample >= -1.0F && sample <= 1.0F)) std::abort();
        }
      } else {
        const auto shape =
            event.type == "session.update" ? SessionShape::nested : SessionShape::flat;
        config = updated(config, event.body.value("session", Json()), shape, models());
        sound = RawAudioStream(config.format);
        static_cast<void>(to_json(config, "sess", shape));
      }
    } catch (const ApiError& error) {
      if (error.status() >= 500) throw;
    } catch (const Error&) {
      // the model is none
    }
  }
}

void take_wyoming_events(std::span<const std::byte> bytes) {
  using namespace server;
  if (bytes.empty()) return;
  const size_t piece = static_cast<size_t>(bytes.front()) + 1;
  std::string_view rest = text_of(bytes.subspan(1));
  WyomingParser parser;
  try {
    while (!rest.empty()) {
      parser.add(rest.substr(0, piece));
      rest.remove_prefix(std::min(piece, rest.size()));
      while (const std::optional<WyomingEvent> event = parser.next()) {
        WyomingParser again;
        again.add(serialize(*event));
        const auto copy = again.next();
        if (!copy || again.is_within_event() || copy->payload != event->payload) std::abort();
        if (!event->type.starts_with("audio-")) continue;
        try {
          static_cast<void>(RawAudioStream(wyoming_format(event->data)));
        } catch (const ApiError& error) {
          if (error.status() >= 500) throw;
        }
      }
    }
  } catch (const WyomingProtocolError&) {
    // the connection would be closed
  }
}

void read_as_form(std::span<const std::byte> bytes) {
  Pieces pieces(bytes);
  std::istream stream(&pieces);
  server::BodyBuffer body(stream, -1, int64_t{1} << 20, [] {});
  try {
    const server::Form form = server::read_form("multipart/form-data; boundary=XX", body, {});
    static_cast<void>(server::openai_request(form, "transcribe", models()));
  } catch (const server::ApiError& error) {
    if (error.status() >= 500) throw;
  }
}

}  // namespace whisper_s4y
