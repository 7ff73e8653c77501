// What is asked of a connection's socket, whatever is spoken over it.
#pragma once

#include <Poco/Timespan.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace whisper_s4y::server {

/// Whether the peer has closed its side.
[[nodiscard]] bool is_hung_up(int descriptor) noexcept;

/// Says that no more is sent and waits a moment for the peer to hang up. A connection that is
/// closed with bytes unread is reset, and the peer may never see what it was told last. Takes no
/// more than `most` bytes of what the peer still sends.
void linger(int descriptor, std::chrono::milliseconds time = std::chrono::seconds(1),
            int64_t most = std::numeric_limits<int64_t>::max()) noexcept;

/// A duration as Poco has it.
[[nodiscard]] Poco::Timespan timespan(std::chrono::duration<double> duration);

}  // namespace whisper_s4y::server
