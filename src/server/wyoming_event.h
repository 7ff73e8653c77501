// Events of the Wyoming protocol (https://github.com/OHF-Voice/wyoming): a line of JSON, then as
// many bytes of JSON and of sound as it says.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "options/field.h"

namespace whisper_s4y::server {

struct WyomingEvent {
  std::string type;            // "audio-chunk"
  Json data = Json::object();  // an object
  std::string payload;         // sound
};

/// The bytes are none of this protocol: nothing that follows can be understood.
class WyomingProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Finds events in bytes that come in pieces of any size.
class WyomingParser {
 public:
  static constexpr size_t kMostLine = size_t{64} << 10;    // bytes
  static constexpr size_t kMostData = size_t{1} << 20;     // of JSON behind it
  static constexpr size_t kMostPayload = size_t{4} << 20;  // of sound in one event

  void add(std::string_view bytes) { buffer_ += bytes; }

  /// The next event, or nothing until more bytes are added. Throws WyomingProtocolError.
  [[nodiscard]] std::optional<WyomingEvent> next();

  /// Whether a part of an event waits for the rest.
  [[nodiscard]] bool is_within_event() const { return !buffer_.empty(); }

 private:
  struct Header {
    WyomingEvent event;
    size_t data_length = 0;
    size_t payload_length = 0;
  };

  static Header parse_header(std::string_view line);

  std::string buffer_;
  std::optional<Header> header_;  // of the event that is not complete
};

/// As the protocol has it.
[[nodiscard]] std::string serialize(const WyomingEvent& event);

}  // namespace whisper_s4y::server
