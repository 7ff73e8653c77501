// Which channels of a file are transcribed.
#pragma once

#include <string>
#include <string_view>

namespace whisper_s4y {

/// What AudioOptions::channel means.
struct ChannelChoice {
  enum class Kind { mix, one, each } kind = Kind::mix;
  int index = 0;  // of the one, from 0
};

/// Throws Error for what is none.
[[nodiscard]] ChannelChoice channel_choice(std::string_view text);

/// "left" and "right" of two, else the number from 1.
[[nodiscard]] std::string channel_name(int index, int channels);

}  // namespace whisper_s4y
