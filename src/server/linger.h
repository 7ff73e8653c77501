// The end of a connection whose peer still sends.
#pragma once

namespace whisper_s4y::server {

/// Says that no more is sent and waits a moment for the peer to hang up. A connection that is
/// closed with bytes unread is reset, and the peer may never see what it was told last.
void linger(int descriptor) noexcept;

}  // namespace whisper_s4y::server
